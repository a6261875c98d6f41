"""`repurchase history`: every change of champion, and whether the present one is what was promoted."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from pipelines.champion import check_promoted, judge_ledger
from pipelines.config import Config
from pipelines.console import Answer, Console, table
from pipelines.failures import Refused
from pipelines.promotions import MADE, Promotion, ledger_path, read_promotions
from pipelines.registry import Registry
from pipelines.version import CHAMPION, DIGEST, Version


def history(config: Config, console: Console) -> Answer:
    """Read the promotion ledger, oldest first, and check the champion's files against it.

    Parameters
    ----------
    config : Config
        The shop's configuration.
    console : Console
        Where progress goes.

    Returns
    -------
    Answer
        Exit code 6 where the champion is not what the ledger and the registration say.
    """
    entries = read_promotions(config)
    registry = Registry(config)
    champion = registry.by_alias(CHAMPION)
    wrong = _without_champion(entries)
    if champion is not None:
        with console.step(f"checking the files of version {champion.number}"):
            wrong = list(_wrong(config, registry, champion, entries))
    state = "there is no champion" if champion is None else _state(champion, wrong)
    lines = [*_table(entries), state, *wrong]
    if champion is not None and not wrong:
        lines.append(f'to pin it: champion_digest = "{champion.tags.get(DIGEST, "")}"')
    data = {
        "ledger": str(ledger_path(config)),
        "champion": None if champion is None else champion.number,
        "digest": None if champion is None else champion.tags.get(DIGEST),
        "state": state,
        "wrong": wrong,
        "promotions": [asdict(entry) for entry in entries],
    }
    return Answer(data, lines, Refused.exit_code if wrong else 0)


def _table(entries: Sequence[Promotion]) -> Iterator[str]:
    """Lay out the entries, each with its reason below it; the gate's word belongs to a promotion alone."""
    if not entries:
        return
    rows = [
        [
            f"{e.at} {e.action}",
            f"{e.before or '-'} → {e.version}",
            e.verdict if e.action in MADE else "-",
            e.digest[:19] + "…",
            e.who,
        ]
        for e in entries
    ]
    head, ruler, *body = table(["what", "version", "verdict", "digest", "who"], rows)
    yield from (head, ruler)
    for line, entry in zip(body, entries, strict=True):
        yield from (line, f"    {entry.reason}")


def _state(champion: Version, wrong: Sequence[str]) -> str:
    if wrong:
        return f"version {champion.number} is champion in MLflow, but not all is as it should be:"
    return f"version {champion.number} is champion, its files are those that were registered"


def _without_champion(entries: Sequence[Promotion]) -> list[str]:
    if not entries:
        return []
    last = entries[-1].version
    return [
        f"version {last} was champion last, and the alias is gone; hint: `repurchase rollback --to {last}`"
    ]


def _wrong(
    config: Config, registry: Registry, champion: Version, entries: Sequence[Promotion]
) -> Iterator[str]:
    """Say what is wrong with a champion: its pin, digest, files, or what the ledger knows of it."""
    try:
        check_promoted(registry.champion(), entries)
        registry.verified(champion)
    except Refused as reason:
        yield str(reason)
    doubt = judge_ledger(config, champion)
    if doubt is not None:
        yield doubt.text
    if not entries:
        yield (
            f"{ledger_path(config)} knows of no promotion: it is gone, or [project] output was moved; "
            "hint: bring it back from a backup; `repurchase doctor --repair` begins a new one"
        )
