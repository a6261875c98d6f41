"""The champion: which one may score, and how another takes its place."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import date

from models.findings import Finding
from pipelines.config import Config
from pipelines.failures import Refused
from pipelines.locks import locked
from pipelines.promotions import (
    Action,
    Promotion,
    last_champion,
    ledger_path,
    promoted_digest,
    read_promotions,
    write_promotion,
)
from pipelines.registry import Registry
from pipelines.version import CHAMPION, DIGEST, VERDICT, Version, is_of_this_schema


def trusted_champion(config: Config, registry: Registry) -> Version:
    """Resolve the champion, once, and hold its digest against the config's pin and the promotion ledger.

    Raises
    ------
    Refused
        If there is none, or either knows another digest.
    """
    champion = registry.champion()
    check_promoted(champion, read_promotions(config))
    return champion


def check_promoted(version: Version, entries: Sequence[Promotion]) -> None:
    """Refuse a version that was once promoted with another digest than MLflow shows now."""
    own, known = version.tags.get(DIGEST, ""), promoted_digest(entries, version.number)
    if known not in (None, own):
        raise Refused(
            f"version {version.number} has digest {own[:19]}… in MLflow, but was promoted with "
            f"{known[:19]}…: its tag was changed; hint: `repurchase rollback`, or train and promote again"
        )


def judge_ledger(config: Config, champion: Version) -> Finding | None:
    """Say if the ledger's last promotion was of another version than the champion; None if it was not."""
    last = last_champion(read_promotions(config))
    if last in (None, champion.number):
        return None
    text = (
        f"version {champion.number} is champion in MLflow, and the last promotion on record is that of "
        f"version {last}: the alias was moved by other means, or a promotion was broken off"
    )
    return Finding("warning", "not_promoted", f"{text}; see `repurchase history` and `doctor`")


def crown(config: Config, registry: Registry, version: Version, entry: Promotion) -> Promotion:
    """Make a version champion: its files are checked, the alias is moved, the ledger is written.

    One process at a time does so. Broken off after the alias was moved, the champion is a checked version all
    the same, and the next promotion, or `repurchase doctor`, writes down what is missing (`note_found`).

    Parameters
    ----------
    config : Config
        For the ledger.
    registry : Registry
        Where the alias is.
    version : Version
        The new champion.
    entry : Promotion
        What is written down; ``before`` must still be champion.

    Raises
    ------
    Refused
        If its files are not what they were, or the champion has changed meanwhile.
    """
    registry.verified(version)
    with _one_at_a_time(config):
        _note_found(config, registry)
        now = registry.by_alias(CHAMPION)
        if (now.number if now else None) != entry.before:
            raise Refused(
                f"version {now.number if now else 'none'} has become champion meanwhile, instead of "
                f"{entry.before or 'none'}; hint: run the command again"
            )
        registry.crown(version)
        return write_promotion(config, entry)


def _one_at_a_time(config: Config) -> AbstractContextManager[None]:
    return locked(ledger_path(config).with_name(".promotions.lock"))


def promotion(
    registry: Registry,
    action: Action,
    version: Version,
    before: str | None,
    verdict: str,
    reason: str,
) -> Promotion:
    """Lay out a ledger entry."""
    return Promotion(
        model=registry.name,
        action=action,
        before=before,
        version=version.number,
        digest=version.tags.get(DIGEST, ""),
        verdict=verdict,
        reason=reason,
    )


def note_found(config: Config, registry: Registry) -> Promotion | None:
    """Write down a champion that the ledger does not know as the present one; None if it does.

    Raises
    ------
    Refused
        If its files are not those that were registered, or it was once promoted with others.
    """
    with _one_at_a_time(config):
        return _note_found(config, registry)


def _note_found(config: Config, registry: Registry) -> Promotion | None:
    champion, entries = registry.by_alias(CHAMPION), read_promotions(config)
    last = last_champion(entries)
    if champion is None or champion.number == last:
        return None
    if not is_of_this_schema(champion):  # it cannot score, and what comes next replaces it
        return None
    check_promoted(champion, entries)
    registry.verified(champion)
    reason = "the alias had been moved without an entry: by hand, or a promotion was broken off"
    entry = promotion(registry, "found", champion, last, champion.tags.get(VERDICT, ""), reason)
    return write_promotion(config, entry)


def judge_age(config: Config, until: str, as_of: date) -> Finding | None:
    """Say if a champion, trained until a date, is older than the config allows; None if it is not.

    Raises
    ------
    Refused
        If so, and the config says that it may not score.
    """
    most = config.limits.max_champion_age
    age = (as_of - date.fromisoformat(until)).days
    if age <= most:
        return None
    text = (
        f"the champion was trained until {until}, {age} days before {as_of}, and [limits] max_champion_age "
        f"is {most}"
    )
    if config.limits.old_champion == "refuse":
        raise Refused(f"{text}; hint: run `repurchase refresh`")
    return Finding("warning", "champion_age", f"{text}: run `repurchase refresh`", {"days": age})
