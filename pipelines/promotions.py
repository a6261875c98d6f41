"""The promotion ledger: who made which version champion, when, instead of which, and why.

It is only ever added to. It lies under the shop's output folder, apart from MLflow's store, so that who can
write models there cannot rewrite it. Each line carries the hash of the line before, so that it shows
where one was changed or taken out, but for the newest.
"""

import getpass
import hashlib
import json
import os
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pipelines.config import Config
from pipelines.failures import Refused
from pipelines.locks import locked

LEDGER = "promotions.jsonl"
Action = Literal["promote", "force", "rollback", "found"]
MADE = ("promote", "force")
"""What makes a version champion that was none before."""


@dataclass(frozen=True)
class Promotion:
    """One change of champion.

    Parameters
    ----------
    model : str
        Name in MLflow.
    action : str
        ``promote`` by the gate; ``force`` against it; ``rollback``; ``found``: the alias had been moved by
        other means, or a promotion was broken off before it was written down.
    before, version : str or None
        Which version was champion, and which is.
    digest : str
        Of the new champion's files.
    verdict, reason : str
        The gate's word, and why.
    who, at : str
        User, and time in UTC.
    """

    model: str
    action: Action
    before: str | None
    version: str
    digest: str
    verdict: str
    reason: str
    who: str = ""
    at: str = ""


FIELDS = tuple(field.name for field in fields(Promotion))


def ledger_path(config: Config) -> Path:
    """Where the ledger lies."""
    return config.output / LEDGER


def read_promotions(config: Config) -> list[Promotion]:
    """Read the entries of the config's model, oldest first, and check the chain.

    Raises
    ------
    Refused
        If a line is not what was written, naming it.
    """
    entries = [entry for entry, _ in _read(ledger_path(config))]
    return [entry for entry in entries if entry.model == config.mlflow.model]


def _read(path: Path) -> list[tuple[Promotion, bytes]]:
    """Every entry with its line; what a crash has left of a last line was never promised to anyone."""
    whole, _, _torn = (path.read_bytes() if path.exists() else b"").rpartition(b"\n")
    previous, found = "", []
    for number, line in enumerate(whole.split(b"\n") if whole else [], start=1):
        entry = _parsed(line, previous)
        if entry is None:
            raise Refused(
                f"{path}: line {number} is not what was written, or one before it is missing; "
                "hint: bring it back from a backup, or move the file away to start a new ledger"
            )
        found.append((entry, line))
        previous = _hash(line)
    return found


def _parsed(line: bytes, previous: str) -> Promotion | None:
    """Return what a line says, leaving out what a later version has added; None if it does not fit."""
    try:
        said = json.loads(line)
        if said["previous"] != previous:
            return None
        return Promotion(**{name: said[name] for name in FIELDS})
    except (ValueError, KeyError, TypeError):
        return None


def _hash(line: bytes) -> str:
    return "sha256:" + hashlib.sha256(line).hexdigest()


def write_promotion(config: Config, entry: Promotion) -> Promotion:
    """Add an entry, with user and time; on the disk when this returns.

    Raises
    ------
    Refused
        If the chain is broken; nothing is added to it then.
    """
    path = ledger_path(config)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    signed = replace(entry, who=entry.who or _user(), at=entry.at or now)
    with locked(path.with_name(f".{LEDGER}.lock")):
        lines = [line for _, line in _read(path)]
        said = {**asdict(signed), "previous": _hash(lines[-1]) if lines else ""}
        with path.open("ab") as handle:
            handle.truncate(sum(len(line) + 1 for line in lines))  # of a line that a crash has torn
            handle.write(json.dumps(said, ensure_ascii=False).encode() + b"\n")
            handle.flush()
            os.fsync(handle.fileno())
    return signed


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"uid {os.getuid()}"


def last_champion(entries: Sequence[Promotion]) -> str | None:
    """Which version is champion by the ledger; None if it says nothing."""
    return entries[-1].version if entries else None


def promoted_digest(entries: Sequence[Promotion], version: str) -> str | None:
    """Which digest a version had when it became champion; None if it never did.

    What the gate or a person let through goes before what was only found.
    """
    own = [entry for entry in entries if entry.version == version]
    made = [entry for entry in own if entry.action in MADE] or own
    return made[-1].digest if made else None


def champion_before(entries: Sequence[Promotion], champion: str) -> str | None:
    """Return which version a champion took over from; None if it was the first.

    A champion that came back took over from the one it had when it was last promoted, so that rollbacks go
    further back and not to and fro, even where one was broken off and is only ``found``.

    Examples
    --------
    >>> def made(action, before, version):
    ...     return Promotion("repurchase", action, before, version, "", "", "")
    >>> ledger = [made("promote", None, "1"), made("promote", "1", "2"), made("promote", "2", "5")]
    >>> champion_before(ledger, "5")
    '2'
    >>> champion_before([*ledger, made("rollback", "5", "2")], "2")
    '1'
    >>> champion_before([*ledger, made("found", "5", "2")], "2")
    '1'
    """
    own = [entry for entry in entries if entry.version == champion]
    promoted = [entry for entry in own if entry.action in MADE]
    if promoted:
        return promoted[-1].before
    return own[0].before if own else None


def last_word(entries: Sequence[Promotion], versions: Collection[str]) -> Promotion | None:
    """Return the last entry by which one of some versions became champion, or was rolled back from.

    Examples
    --------
    >>> def made(action, before, version):
    ...     return Promotion("repurchase", action, before, version, "", "", "")
    >>> ledger = [made("promote", None, "1"), made("promote", "1", "2"), made("rollback", "2", "1")]
    >>> last_word(ledger, {"2", "3"}).action
    'rollback'
    >>> last_word([*ledger, made("force", "1", "3")], {"2", "3"}).action
    'force'
    """
    for entry in reversed(entries):
        if entry.version in versions or (entry.action == "rollback" and entry.before in versions):
            return entry
    return None
