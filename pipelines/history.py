"""`repurchase history`: every change of champion, and whether the present one is what was promoted."""

from dataclasses import asdict

from pipelines.champion import trusted_champion
from pipelines.config import Config
from pipelines.console import Answer, Console, table
from pipelines.failures import Refused
from pipelines.promotions import ledger_path, read_promotions
from pipelines.registry import Registry
from pipelines.version import CHAMPION


def history(config: Config, console: Console) -> Answer:
    """Read the promotion ledger, oldest first, and check the champion's files against it.

    Parameters
    ----------
    config : Config
        The shop's configuration.
    console : Console
        Where progress goes.
    """
    entries = read_promotions(config)
    registry = Registry(config)
    alias = registry.by_alias(CHAMPION)
    state = "there is no champion"
    if alias is not None:
        with console.step(f"checking the files of version {alias.number}"):
            state = _state(config, registry)
    rows = [
        [e.at, e.who, e.action, e.before or "-", e.version, e.digest[:19] + "…", e.verdict] for e in entries
    ]
    lines = [
        *(table(["when", "who", "what", "before", "version", "digest", "verdict"], rows) if rows else []),
        *(f"  version {e.version}: {e.reason}" for e in entries),
        state,
    ]
    champion = None if alias is None else alias.number
    data = {
        "ledger": str(ledger_path(config)),
        "champion": champion,
        "state": state,
        "promotions": [asdict(entry) for entry in entries],
    }
    return Answer(data, lines)


def _state(config: Config, registry: Registry) -> str:
    try:
        champion = trusted_champion(config, registry)
        registry.verified(champion)
    except Refused as reason:
        return f"the champion is refused: {reason}"
    return f"version {champion.number} is champion, its files are those that were registered"
