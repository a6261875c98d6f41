"""`repurchase replay`: rebuild a published run from its model and rows, and prove that it says the same."""

from typing import Any

from features.errors import ContractError
from pipelines.champion import check_promoted
from pipelines.config import Config
from pipelines.console import Answer, Console
from pipelines.engine import open_engine
from pipelines.failures import NotReproduced, Refused
from pipelines.listing import make_list
from pipelines.promotions import read_promotions
from pipelines.publish import ASIDE, content_hash, write_files
from pipelines.published_runs import SEGMENTS, Run, faults, find_run
from pipelines.purchase_log import fingerprints, open_log
from pipelines.registry import Registry
from pipelines.run_customers import foreign_names
from pipelines.run_key import changed_parts
from pipelines.scoring import run_files, score_base
from pipelines.scratch import scratch_folder
from pipelines.segments import published_groups
from pipelines.surroundings import code_version
from pipelines.version import DIGEST, Version


def replay(config: Config, console: Console, name: str) -> Answer:
    """Rebuild a run and compare its content with what was published; nothing of it is kept.

    Parameters
    ----------
    config : Config
        Where runs, tables and models lie now; all that a run's content follows from is taken from its own
        manifest.
    console : Console
        Where progress goes.
    name : str
        The run's id, its date, or ``latest``.

    Raises
    ------
    Refused
        If the run was changed since, its model is gone or another, or its pseudonyms are of another key.
    ContractError
        If the tables do not show any more what they showed.
    NotReproduced
        If all of that is as it was, and the content is not.
    """
    run = find_run(config.output, name)
    _refuse_damaged(run)
    was = config_of(run, config)
    _refuse_foreign_names(run, was)
    with console.step("resolving and checking the model of the run"):
        registry = Registry(config)
        version = registry.version(str(run.manifest["model"]["version"]))
        _refuse_other_model(run, version, config)
        scorer = registry.load(version)
    with open_engine(was) as engine, scratch_folder() as work:
        log = open_log(engine, was, console)
        with console.step("comparing the rows"):
            _refuse_other_rows(run, fingerprints(engine, log.records, run.as_of))
        base = score_base(engine, log, was, scorer, version.number, run.as_of, console)
        # Groups follow from the run of before as well: they are those that were published.
        made = make_list(engine, log, was, scorer, base, published_groups(run), console)
        with console.step("comparing the content"):
            files = write_files(work, run_files(base, engine, log, was) | made.files(was))
    changed = _changed(run, files)
    if changed or content_hash(files) != run.manifest["content"]:
        raise NotReproduced(_apart(run, changed))
    text = f"run {run.run_id}: the same content, {run.manifest['content']}, from the same model and rows"
    data = {"run_id": run.run_id, "content": run.manifest["content"], "reproduced": True}
    return Answer(data, [text])


def config_of(run: Run, config: Config) -> Config:
    """Return the settings of a run, with the places that the present ones name: store, tables, key, engine.

    Raises
    ------
    Refused
        If this version of repurchase cannot read them.
    """
    was: dict[str, Any] = run.manifest["config"]
    now = config.model_dump()
    tables = {name: _where_it_is(table, now["tables"].get(name)) for name, table in was["tables"].items()}
    places = {
        "mlflow": now["mlflow"],
        "engine": now["engine"],  # any gives the same, and a manifest hides its secrets
        "folder": config.folder,
        "tables": tables,
        "privacy": {**was.get("privacy", {}), "key_file": now["privacy"]["key_file"]},
    }
    try:
        return Config.model_validate({**was, **places})
    except ValueError as error:
        raise Refused(f"run {run.run_id}: its settings are not of this version: {error}") from None


def _where_it_is(table: dict[str, Any] | None, now: dict[str, Any] | None) -> dict[str, Any] | None:
    """Put the present source into the section of a table; a table that has none any more keeps its own."""
    return table and {**table, "source": (now or table)["source"]}


def _refuse_foreign_names(run: Run, was: Config) -> None:
    foreign = foreign_names(run, was)
    if foreign:
        raise Refused(f"run {run.run_id} cannot be rebuilt: {foreign}")


def _refuse_damaged(run: Run) -> None:
    wrong = faults(run)
    if wrong:
        raise Refused(f"run {run.run_id} is not as it was published: {'; '.join(wrong[:3])}")


def _refuse_other_model(run: Run, version: Version, config: Config) -> None:
    check_promoted(version, read_promotions(config))
    was, now = run.manifest["model"]["digest"], version.tags.get(DIGEST, "")
    if was != now:
        raise Refused(
            f"run {run.run_id} was scored with version {version.number} of digest {was[:19]}…; MLflow shows "
            f"{now[:19]}…"
        )


def _refuse_other_rows(run: Run, now: dict[str, str]) -> None:
    before = {name: table["fingerprint"] for name, table in run.manifest["inputs"].items()}
    changed = changed_parts(before, now)
    if changed:
        raise ContractError(
            f"{', '.join(changed)}: the rows known before {run.as_of} are not those that run {run.run_id} "
            "was scored from",
            hint="rows that come late or are corrected change the past; a column recorded_at would keep it",
        )


def _changed(run: Run, files: dict[str, dict[str, Any]]) -> list[str]:
    """Name the files that came out otherwise; the rows set aside may, and the groups are not rebuilt."""
    before, now = (
        {name: entry["sha256"] for name, entry in one.items() if not name.startswith((ASIDE, SEGMENTS))}
        for one in (run.manifest["files"], files)
    )
    return changed_parts(before, now)


def _apart(run: Run, changed: list[str]) -> str:
    same_code = run.manifest["code"]["sha256"] == code_version()["sha256"]
    why = "" if same_code else "; it was made by another release of repurchase"
    return f"run {run.run_id}: {', '.join(changed)} came out otherwise from the same model and rows{why}"
