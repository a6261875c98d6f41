"""`repurchase rollback`: make the champion before this one champion again."""

from pipelines.champion import check_promoted, crown, note_found, promotion
from pipelines.config import Config
from pipelines.console import Answer, Console
from pipelines.failures import Refused
from pipelines.promotions import champion_before, promoted_digest, read_promotions
from pipelines.registry import Registry
from pipelines.version import CHALLENGER, CHAMPION, TRAINED_UNTIL, VERDICT


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
    if champion is None:
        raise Refused(f"model {registry.name!r} has no champion to roll back from")
    note_found(config, registry)
    entries = read_promotions(config)
    target = to or champion_before(entries, champion.number)
    if target is None:
        raise Refused(f"version {champion.number} is the first champion: there is none before it")
    if promoted_digest(entries, target) is None or target == champion.number:
        past = sorted({entry.version for entry in entries} - {champion.number}, key=int)
        raise Refused(
            f"version {target} is no earlier champion; hint: "
            + (f"there are versions {', '.join(past)}" if past else "there is none")
        )
    earlier = registry.version(target)
    with console.step(f"checking the files of version {target}"):
        check_promoted(earlier, entries)
        registry.load(earlier)
    why = reason or f"back from version {champion.number}"
    entry = promotion(registry, "rollback", earlier, champion.number, earlier.tags.get(VERDICT, ""), why)
    done = crown(config, registry, earlier, entry)
    challenger = registry.by_alias(CHALLENGER)
    if challenger is not None and challenger.number == champion.number:
        registry.drop_alias(CHALLENGER)  # else the next scheduled promotion brings it back
    lines = [
        f"version {target}, trained until {earlier.tags[TRAINED_UNTIL]}, is champion again, instead of "
        f"version {champion.number}"
    ]
    return Answer({"version": target, "before": champion.number, "digest": done.digest}, lines)
