"""`repurchase init LOG`: guesses the columns of a purchase log and writes a commented config."""

import glob
import os
import re
import shlex
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from features.errors import ContractError
from pipelines.guess import Guess, propose
from pipelines.guess_left_out import LeftOut
from pipelines.new_config import render
from pipelines.source_files import CSV, PARQUET, refuse_odd

SAMPLE_ROWS = 50_000
SEED = 7
# Text stays text (0042 is not 42), so that dates and numbers are judged as they are written.
READERS = {
    True: "read_parquet(?, union_by_name = true)",
    False: "read_csv(?, header = true, all_varchar = true)",
}


@dataclass(frozen=True)
class InitResult:
    """What `init` guessed and where it wrote it."""

    path: Path
    seen: str
    guesses: tuple[Guess, ...]
    formats: dict[str, str]
    cancellation: str | None
    notes: tuple[str, ...]
    grain: str = ""
    horizons: tuple[int, ...] = ()
    left_out: LeftOut | None = None


def init(log: str, config_path: Path, force: bool = False) -> InitResult:
    r"""
    Guess the columns of a log and write a config for it.

    Parameters
    ----------
    log : str
        A parquet, csv or csv.gz file, or a glob of them.
    config_path : pathlib.Path
        The file to write.
    force : bool
        Replace a config that is there already.

    Returns
    -------
    InitResult
        What was guessed and why.

    Raises
    ------
    ContractError
        If the log cannot be read, a needed column cannot be guessed, or the config exists. Nothing is
        written then.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     log = Path(name, "orders.csv")
    ...     _ = log.write_text("buyer,date,total\n7,2020-02-13,9.5\n8,2020-03-01,4\n")
    ...     result = init(str(log), Path(name, "repurchase.toml"))
    >>> print(result.path.name, [guess.column for guess in result.guesses])
    repurchase.toml ['customer_id', 'ordered_at', 'amount']
    """
    if config_path.exists() and not force:
        raise ContractError(f"{config_path}: is there already", hint="--force replaces it")
    sample = read_sample(log)
    proposal = propose(sample, log)
    seen = f"{'a sample of ' if len(sample) == SAMPLE_ROWS else ''}{len(sample):,} rows"
    text = render(proposal, seen, project_name(log), relative_source(log, config_path))
    write_whole(config_path, text)
    return InitResult(
        config_path,
        seen,
        proposal.guesses,
        proposal.formats,
        proposal.cancellation,
        proposal.notes,
        proposal.grain.said(),
        proposal.grain.horizons,
        proposal.left_out,
    )


def read_sample(log: str) -> pd.DataFrame:
    """
    Draw rows from all over a log, the same ones each time.

    Raises
    ------
    ContractError
        If there is no such file, it is of no known kind, or it cannot be read.
    """
    files = [log] if Path(log).is_file() else sorted(glob.glob(log))
    if not files:
        raise ContractError(f"{log}: there is no such file", hint="check the path; quote one with spaces")
    refuse_odd(log, files)
    odd = [file for file in files if not file.lower().endswith((PARQUET, *CSV))]
    if odd:
        kinds = ", ".join((PARQUET, *CSV))
        raise ContractError(
            f"{log}: is not a purchase log of a known kind", example=odd[0], hint=f"one of {kinds}"
        )
    reader = READERS[files[0].lower().endswith(PARQUET)]
    query = f"from {reader} using sample reservoir({SAMPLE_ROWS} rows) repeatable ({SEED})"
    try:
        with duckdb.connect() as connection:
            connection.execute("set threads = 1")  # or the sample would vary
            sample: pd.DataFrame = connection.execute(query, [files]).df()
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise ContractError(f"{log}: cannot be read: {reason}", hint="is it whole, and in UTF-8?") from None
    return sample


def project_name(log: str) -> str:
    """
    Make a project's name of a file's.

    Examples
    --------
    >>> project_name("data/Đơn hàng.csv.gz"), project_name("data/orders-*.parquet"), project_name("*.csv")
    ('Đơn-hàng', 'orders', 'my-shop')
    """
    stem = re.sub(r"\.(parquet|(csv|tsv|txt)(\.gz)?)$", "", Path(log).name, flags=re.IGNORECASE)
    return re.sub(r"[^\w]+", "-", stem).strip("-_") or "my-shop"


def relative_source(log: str, config_path: Path) -> str:
    """
    Write the log's place as seen from the config's folder: relative where they lie together.

    Examples
    --------
    >>> relative_source("/shop/data/orders.csv", Path("/shop/repurchase.toml"))
    'data/orders.csv'
    >>> relative_source("/shop/data/orders.csv", Path("/shop/config/repurchase.toml"))
    '../data/orders.csv'
    >>> relative_source("/elsewhere/orders.csv", Path("/shop/repurchase.toml"))
    '/elsewhere/orders.csv'
    """
    place = Path(log).parent.resolve() / Path(log).name
    folder = config_path.parent.resolve()
    beside = folder.parent if folder.parent != Path(folder.anchor) else folder
    return os.path.relpath(place, folder) if place.is_relative_to(beside) else str(place)


def write_whole(path: Path, text: str) -> None:
    """Write a file in one step, so that a half-written config is never seen."""
    if not path.parent.is_dir():
        raise ContractError(f"{path}: there is no folder {str(path.parent)!r}", hint="create it first")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def as_data(result: InitResult) -> dict[str, Any]:
    """
    Tell a program what was guessed (``--json``).

    Examples
    --------
    >>> guess = Guess("customer_id", "buyer", "name looks like a customer, 9 distinct values, 0 % empty")
    >>> as_data(InitResult(Path("shop.toml"), "9 rows", (guess,), {}, "C", ()))["cancellation"]
    'C'
    """
    return {**asdict(result), "path": str(result.path)}


def explain(result: InitResult) -> list[str]:
    r"""
    Tell a person at a terminal what was guessed.

    Examples
    --------
    >>> guess = Guess("customer_id", "buyer", "name looks like a customer, 9 distinct values, 0 % empty")
    >>> print(*explain(InitResult(Path("shop.toml"), "9 rows", (guess,), {}, None, ())), sep="\n")
    Your columns, as guessed from 9 rows:
      customer_id  <- 'buyer'  name looks like a customer, 9 distinct values, 0 % empty
    Written to shop.toml. Look it over, then run: repurchase --config shop.toml check
    """
    left = max(len(one.column) for one in result.guesses)
    right = max(len(repr(one.source_column)) for one in result.guesses)
    lines = [f"Your columns, as guessed from {result.seen}:"]
    lines += [
        f"  {one.column:<{left}}  <- {one.source_column!r:<{right}}  {one.reason}" for one in result.guesses
    ]
    if result.cancellation:
        lines.append(
            f"Cancelled orders: their number begins with {result.cancellation!r}, their lines are negative."
        )
    lines += [result.grain] if result.grain else []
    lines += [f"Please check: {note}." for note in result.notes]
    named = "" if result.path == Path("repurchase.toml") else f"--config {shlex.quote(str(result.path))} "
    return [*lines, f"Written to {result.path}. Look it over, then run: repurchase {named}check"]
