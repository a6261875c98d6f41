"""`repurchase identify`: from pseudonyms back to customers, for who has the key and the log."""

import os
import re
from pathlib import Path

from features.door import text_id
from features.errors import ContractError
from pipelines.cell_text import harmless
from pipelines.config import Config
from pipelines.console import Answer, Console
from pipelines.engine import open_engine
from pipelines.pseudonyms import PSEUDONYM, own_pseudonyms
from pipelines.sources import open_transactions

_CELL = re.compile(f'"?({PSEUDONYM.pattern})"?')


def identify(config: Config, console: Console, what: str, into: Path | None = None) -> Answer:
    """Say who a pseudonym is, or write a list again with the customers' own ids.

    Nothing says anywhere who is who: the customers of the log are named anew, and held against the list.

    Parameters
    ----------
    config : Config
        For the log, and for the key that the list was made with.
    console : Console
        Where progress goes.
    what : str
        A pseudonym, or a CSV file that has some.
    into : Path, optional
        Where to write the list; there must be no such file yet. Only its owner may read it.

    Raises
    ------
    ContractError
        If the key, the list or the place to write will not do, or nobody is found.
    """
    names = own_pseudonyms(config, create=False)
    listed = what if PSEUDONYM.fullmatch(what) else _read(what, into)
    wanted = set(PSEUDONYM.findall(listed))
    with console.step("naming the customers of the log") as step, open_engine(config) as engine:
        raw, columns = open_transactions(engine, config)
        people = raw.select(customer_id=text_id(raw[columns["customer_id"]])).distinct()
        ids = engine.frame(people)["customer_id"].dropna()
        known = {name: one for name, one in zip(names.of_all(ids), ids, strict=True) if name in wanted}
        step.rows = len(ids)
    if not known:
        raise ContractError(
            f"of {len(wanted):,} pseudonyms none is of a customer of the log",
            hint="they were made with another key, or of another log",
        )
    if into is None:
        return Answer({"customer_id": known[what]}, [known[what]])
    _write(into, _CELL.sub(lambda found: _cell(found, known), listed))
    lost = len(wanted) - len(known)
    lines = [f"{len(known):,} customers named in {into}"]
    lines += [f"{lost:,} are in the log no more, and keep their pseudonyms"] if lost else []
    return Answer({"into": str(into), "named": len(known), "unknown": lost}, lines)


def _read(name: str, into: Path | None) -> str:
    if into is None:
        raise ContractError(f"{name}: is no pseudonym", hint="for a list, --into says which file to write")
    if into.exists():
        raise ContractError(f"{into}: is there already", hint="name a new file")
    if not into.parent.is_dir():
        raise ContractError(f"{into}: there is no folder {str(into.parent)!r}", hint="create it first")
    try:
        return Path(name).read_text("utf-8-sig")
    except FileNotFoundError:
        raise ContractError(f"{name}: no such file") from None
    except UnicodeDecodeError:
        raise ContractError(f"{name}: is no CSV file", hint="the risk list of a run is one") from None


def _cell(found: re.Match[str], known: dict[str, str]) -> str:
    customer = known.get(found[1])
    return found[0] if customer is None else '"' + harmless(customer).replace('"', '""') + '"'


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as handle:
        handle.write(text)
