"""What a broken input is: a kind and a seed, from which it can be laid out again at any time."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from tests.fuzz.by_hand import Counted, Row

MAPPING = {
    "customer_id": "customer_id",
    "order_id": "order_id",
    "ordered_at": "ordered_at",
    "product_id": "product_id",
    "quantity": "quantity",
    "unit_price": "unit_price",
}
ORDINARY = frozenset({0, 2, 4})
"""How an input may end: with an answer, as one that is wrong, or as one that is not enough yet."""


@dataclass(frozen=True)
class Case:
    """One broken input, by what makes it."""

    kind: str
    seed: int

    def rng(self) -> random.Random:
        """Numbers that are the same each time."""
        return random.Random(f"{self.kind}:{self.seed}")  # noqa: S311 - no secret


@dataclass(frozen=True)
class Made:
    """A broken input that is laid out, and what is known of it.

    Parameters
    ----------
    config : Path
        The config file that leads to it.
    log : Path, optional
        The purchase log, for the independent reader.
    counted : Counted, optional
        What is in the log, where the generator knows it better than any reader.
    mapping : dict
        Standard column to the log's own.
    codes : frozenset of int
        How it may end.
    whole : bool
        Whether all of `check` is to look at it, and not only the door.
    command : tuple of str
        What is run on it.
    """

    config: Path
    log: Path | None = None
    counted: Counted | None = None
    mapping: dict[str, str] = field(default_factory=lambda: dict(MAPPING))
    codes: frozenset[int] = ORDINARY
    whole: bool = False
    command: tuple[str, ...] = ("check",)


Make = Callable[[random.Random, Path], Made]

KINDS: dict[str, Make] = {}
SHARES: dict[str, float] = {}


def kind(share: float) -> Callable[[Make], Make]:
    """Register a maker of broken inputs under its own name, with its share of a campaign."""

    def register(make: Make) -> Make:
        name = make.__name__
        KINDS[name], SHARES[name] = make, share
        return make

    return register


def lay_out(case: Case, folder: Path) -> Made:
    """Lay a case out in an empty folder."""
    return KINDS[case.kind](case.rng(), folder)


def sound_rows(rng: random.Random, n: int = 240) -> list[Row]:
    """A small log with nothing wrong: 17 months, customers who return, a few returned goods."""
    start, rows = datetime(2023, 1, 1), []
    for number in range(n):
        at = start + timedelta(seconds=rng.randrange(500 * 86_400))
        rows.append(
            {
                "customer_id": f"u{int(rng.paretovariate(0.6)) % 60}",
                "order_id": f"o{number // 2}",
                "ordered_at": at,
                "product_id": f"p{rng.randrange(9)}",
                "quantity": float(rng.choice([1, 1, 2, 3, -1])),
                "unit_price": rng.randrange(100, 9_999) / 100,
            }
        )
    return rows


def write_config(
    folder: Path,
    source: str,
    mapping: dict[str, str] | None = None,
    *,
    table: str = "",
    rest: str = "",
    project: str = "",
) -> Path:
    """Write a config for a log; texts are TOML of their own."""
    columns = "\n".join(f"{quoted(name)} = {quoted(own)}" for name, own in (mapping or MAPPING).items())
    text = (
        f'[project]\nname = "shop"\n{project}\n'
        f"[target]\nhorizons = [14, 45]\nprimary_horizon = 45\n"
        f"[tables.transactions]\nsource = {quoted(source)}\n{table}\n"
        f"[tables.transactions.columns]\n{columns}\n{rest}\n"
    )
    path = folder / "repurchase.toml"
    path.write_text(text, encoding="utf-8")
    return path


def quoted(text: str) -> str:
    """Write a text as TOML does, whatever is in it."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
