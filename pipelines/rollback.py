"""`repurchase rollback`: make the champion before this one champion again."""

from collections.abc import Sequence

from models.gate import PROMOTING
from pipelines.champion import check_promoted, crown, note_found, promotion
from pipelines.config import Config
from pipelines.console import Answer, Console
from pipelines.failures import Refused
from pipelines.promotions import (
    MADE,
    Promotion,
    champion_before,
    ledger_path,
    promoted_digest,
    read_promotions,
)
from pipelines.published_runs import LATEST, read_run
from pipelines.registry import Registry
from pipelines.version import CHALLENGER, CHAMPION, FORCED, ROLLED_BACK, TRAINED_UNTIL, VERDICT, Version


def rollback(config: Config, console: Console, *, to: str | None = None, reason: str | None = None) -> Answer:
    """Point the champion alias back, after the earlier version's files were checked and loaded.

    Parameters
    ----------
    config : Config
        The shop's configuration.
    console : Console
        Where progress goes.
    to : str, optional
        A version that has been champion; without it, the one before this one.
    reason : str, optional
        Why, for the promotion ledger.

    Raises
    ------
    Refused
        If there is none to go back to, or its files are not those that were promoted.
    """
    registry = Registry(config)
    champion = registry.by_alias(CHAMPION)
    note_found(config, registry)
    entries = read_promotions(config)
    earlier = registry.version(to or _before(config, registry, champion, entries))
    target = earlier.number
    if champion is not None and target == champion.number:
        raise Refused(f"version {target} is champion already")
    if promoted_digest(entries, target) is None and target not in _let_through(registry):
        raise Refused(f"version {target} is no earlier champion; {_past(registry, champion, entries)}")
    with console.step(f"checking the files of version {target}"):
        check_promoted(earlier, entries)
        registry.load(earlier)
    left = None if champion is None else champion.number
    why = reason or (f"back from version {left}" if left else "the alias had gone")
    entry = promotion(registry, "rollback", earlier, left, earlier.tags.get(VERDICT, ""), why)
    done = crown(config, registry, earlier, entry)
    challenger = registry.by_alias(CHALLENGER)
    if challenger is not None and challenger.number == left:
        registry.drop_alias(CHALLENGER)  # else the next scheduled promotion brings it back
    lines = [f"version {target}, trained until {earlier.tags[TRAINED_UNTIL]}, is champion again"]
    if champion is not None:
        registry.set_tag(champion, ROLLED_BACK, f"on {done.at[:10]} ({why})")
        lines = [*_shown_yet(config, champion), f"{lines[0]}, instead of version {left}"]
    return Answer({"version": target, "before": left, "digest": done.digest}, lines)


def _before(
    config: Config, registry: Registry, champion: Version | None, entries: Sequence[Promotion]
) -> str:
    """Find the champion before this one in the ledger; the last one where the alias has gone.

    Raises
    ------
    Refused
        If there was none, or the ledger does not go back so far.
    """
    if champion is None:
        if entries:
            return entries[-1].version
        raise Refused(f"model {registry.name!r} has no champion; {_past(registry, champion, entries)}")
    target = champion_before(entries, champion.number)
    if target is not None:
        return target
    own = [entry for entry in entries if entry.version == champion.number]
    if any(entry.action in MADE for entry in own):
        raise Refused(f"version {champion.number} is the first champion: there is none before it")
    raise Refused(
        f"{ledger_path(config)} does not know which champion was before version {champion.number}: it begins "
        f"later, was lost, or [project] output was moved; {_past(registry, champion, entries)}"
    )


def _let_through(registry: Registry) -> list[str]:
    """List the versions that the gate or a person let through, by their tags: the ledger may be lost."""
    return [
        version.number
        for version in registry.versions()
        if ROLLED_BACK not in version.tags
        and (version.tags.get(VERDICT) in PROMOTING or FORCED in version.tags)
    ]


def _past(registry: Registry, champion: Version | None, entries: Sequence[Promotion]) -> str:
    known = {entry.version for entry in entries} | {*_let_through(registry)}
    past = sorted(known - {champion.number if champion else ""}, key=int)
    return f"hint: `--to` takes {' or '.join(past)}" if past else "hint: there is none; train and promote"


def _shown_yet(config: Config, left: Version) -> list[str]:
    """Say which scores that people see are still those of the version that was left."""
    place = config.output / LATEST
    if not place.exists():
        return []
    run = read_run(place)
    if str(run.manifest["model"]["version"]) != left.number:
        return []
    again = f"`repurchase score --as-of {run.as_of}` makes them anew"
    return [f"{place} still shows scores of version {left.number}; {again}"]
