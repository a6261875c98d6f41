"""Tables and answers on the engine of the tests: each question is compiled once, the logs change."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa

from features.build import build_features
from features.history import History, make_history
from features.records import Records
from features.snapshot import take_snapshot
from tests.features.logs import raw_frames, records
from tests.features.rows import ORDERS_ONLY, Drawn, Row

_SQL: dict[str, str] = {}


def _sql(key: str, build: Callable[[], ir.Table]) -> str:
    """Compile once: Hypothesis changes what the tables hold, not what is asked of them."""
    if key not in _SQL:
        _SQL[key] = str(ibis.to_sql(build(), dialect="duckdb"))
    return _SQL[key]


def run(con: Any, key: str, build: Callable[[], ir.Table]) -> list[dict[str, Any]]:
    """Fetch rows as the engine has them, whole numbers as whole numbers; one key, one question."""
    cursor = con.raw_sql(_sql(key, build))
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


class Bench:
    """A history on an engine: asked once, filled with one set of records after the other.

    Parameters
    ----------
    con
        The engine.
    name : str
        In front of the names of its tables.
    like : Records
        Of the same tables and columns as all that are to come.
    at : date, optional
        The only cutoff that will be asked for (`features.history.make_history`).
    """

    def __init__(self, con: Any, name: str, like: Records, at: date | None = None) -> None:
        self.con, self.name = con, name
        self._refills: list[tuple[str, str]] = []
        self.records: Records = like.changed(self._keep)
        self._made = len(self._refills)
        self.history: History = make_history(self.records, self._keep, at)
        assert dict(self.history.parts)  # all made now, so that all are refilled

    def _keep(self, table: ir.Table, name: str) -> ir.Table:
        kept = f"{self.name} {name}"
        self.con.create_table(kept, schema=table.schema(), overwrite=True)
        self._refills.append((kept, _sql(kept, lambda: table)))
        return self.con.table(kept)

    def _refill(self, refills: Iterable[tuple[str, str]]) -> None:
        for name, sql in refills:
            self.con.raw_sql(f'TRUNCATE "{name}"; INSERT INTO "{name}" BY NAME {sql}')

    def hold(self, records: Records) -> "Bench":
        """Replace what the tables hold by these records and their history."""
        tables = records.tables().items()
        made = [(f"{self.name} {name}", str(ibis.to_sql(table, dialect="duckdb"))) for name, table in tables]
        self._refill([*made, *self._refills[self._made :]])
        return self

    def features(
        self, cutoffs: Sequence[date], horizons: Sequence[int] = (), names: Sequence[str] | None = None
    ) -> list[dict[str, Any]]:
        """The feature rows of every cutoff."""
        return run(self.con, *self._asked(cutoffs, horizons, names))

    def frame(self, cutoffs: Sequence[date], horizons: Sequence[int] = ()) -> pd.DataFrame:
        """The same as a frame."""
        frame: pd.DataFrame = self.con.raw_sql(_sql(*self._asked(cutoffs, horizons))).df()
        return frame

    def table(
        self, cutoffs: Sequence[date], horizons: Sequence[int] = (), names: Sequence[str] | None = None
    ) -> ir.Table:
        """The same as a table of the engine, there until the next one."""
        sql, name = _sql(*self._asked(cutoffs, horizons, names)), f"{self.name} features"
        self.con.raw_sql(f'CREATE OR REPLACE TABLE "{name}" AS {sql}')
        return self.con.table(name)

    def _asked(
        self, cutoffs: Sequence[date], horizons: Sequence[int], names: Sequence[str] | None = None
    ) -> tuple[str, Callable[[], ir.Table]]:
        key = f"{self.name} {[str(cutoff) for cutoff in cutoffs]} {horizons} {names}"
        return key, lambda: build_features(take_snapshot(self.history, cutoffs), horizons, names)


class Shop(Bench):
    """The same, from raw rows.

    Parameters
    ----------
    con, name
        As for `Bench`.
    without : frozenset of str
        What its tables lack (`Drawn.without`).
    """

    def __init__(self, con: Any, name: str, without: frozenset[str] = frozenset()) -> None:
        self.con, self.name = con, name + "".join(f" -{gone}" for gone in sorted(without))
        super().__init__(con, self.name, records(self._open, Drawn([], without=without)))

    def _open(self, name: str, table: pa.Table) -> ir.Table:
        return self.con.create_table(f"{self.name} raw {name}", table, overwrite=True)

    def fill(self, drawn: Drawn) -> "Shop":
        """Replace what the tables hold."""
        for name, table in raw_frames(drawn).items():
            self._open(name, table)
        return self.rebuilt()

    def rebuilt(self) -> "Shop":
        """Compute the history anew from the raw tables."""
        self._refill(self._refills)
        return self


_shop = cache(Shop)
forget_shops = _shop.cache_clear


def shop(con: Any, drawn: Drawn, name: str = "shop") -> Shop:
    """The shop of this name, with these rows."""
    return _shop(con, name, drawn.without).fill(drawn)


def orders_shop(con: Any, log: Iterable[Row], name: str = "log") -> Shop:
    """A shop that has written down nothing but orders."""
    return shop(con, Drawn([*log], without=ORDERS_ONLY), name)


def line_table(con: Any, log: Iterable[Row], name: str = "log") -> ir.Table:
    """The line grain of a log."""
    return orders_shop(con, log, name).records.lines


def ledger_table(con: Any, log: Iterable[Row], name: str = "log") -> ir.Table:
    """The ledger of a log."""
    return orders_shop(con, log, name).history.parts["entries"]


def bits(rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Rows in a fixed order, floats to the last bit."""

    def text(value: Any) -> str:
        return value.hex() if isinstance(value, float) else repr(value)

    return sorted(tuple(f"{name}={text(value)}" for name, value in row.items()) for row in rows)


def tuples(table: ir.Table, *columns: str) -> list[tuple[Any, ...]]:
    """The rows of a table as plain tuples, sorted."""
    kept = table.select(*columns) if columns else table
    return sorted((tuple(row.values()) for row in kept.to_pyarrow().to_pylist()), key=repr)


def assert_same_bits(one: pd.DataFrame, other: pd.DataFrame, keys: Sequence[str]) -> None:
    """The same rows in any order, floats compared by their bits."""
    pd.testing.assert_frame_equal(_as_bits(one, keys), _as_bits(other, keys), check_exact=True)


def _as_bits(frame: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    ordered = frame.sort_values(list(keys)).reset_index(drop=True)
    floats = ordered.select_dtypes("float64").columns
    return ordered.assign(**{c: ordered[c].to_numpy().view("int64") for c in floats})
