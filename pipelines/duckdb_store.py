"""Where DuckDB keeps tables: in memory while they are small, beyond that in a file."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ibis.expr.types as ir

IN_MEMORY = 0.25
"""Share of the engine's memory limit that kept tables may take; the rest is for the work."""

_FILE = "kept"
_NO_HEARSAY = ("disabled_optimizers", "statistics_propagation")


class DuckdbStore:
    """The tables a connection keeps.

    In memory they lie as they are, and are written in half the time. In a file they are compressed, and leave
    the memory to joins and groups.

    Parameters
    ----------
    connection : ibis Backend
        An in-memory DuckDB.
    folder : Path
        For the file.
    """

    def __init__(self, connection: Any, folder: Path) -> None:
        self._connection, self._folder = connection, folder
        self._kept: dict[str, tuple[str, str | None]] = {}
        self._numbers = itertools.count(1)
        self._has_file = False
        self._most = self._memory_limit()
        self.is_limited = False

    def limit(self, room: int) -> None:
        """Take no more memory than `room` bytes, nor than there is, and at most four times that on disk."""
        self.is_limited = room < self._most
        for name, size in (("memory_limit", room), ("max_temp_directory_size", 4 * room)):
            self._connection.raw_sql(f"set {name} = '{size}B'" if self.is_limited else f"reset {name}")

    def keep(self, expression: ir.Table, name: str, *, in_order: bool) -> ir.Table:
        """Compute a table, and let go of its namesake."""
        table = f"{name}_{next(self._numbers)}"
        place = self._file() if self._is_full() else None
        # Whether rows stay in order costs time. What a broken file says of its least and greatest values is
        # not believed: the engine would leave out the comparison that finds a date of the year 269129.
        with self._with("preserve_insertion_order", str(in_order)), self._with(*_NO_HEARSAY):
            # Ibis makes typed columns first: the engine's own sums are 128 bits wide and would stay so.
            self._connection.create_table(table, expression, database=place)
        if name in self._kept:
            before, where = self._kept.pop(name)
            self._connection.drop_table(before, database=where)
        if place is None and self._is_full():
            place = self._moved(table)
        self._kept[name] = (table, place)
        kept: ir.Table = self._connection.table(table, database=place)
        return kept

    @contextmanager
    def _with(self, name: str, value: str) -> Iterator[None]:
        """Give the engine another setting for a while; then put its own back."""
        [(before,)] = self._connection.raw_sql(f"select current_setting('{name}')").fetchall()
        self._connection.raw_sql(f"set {name} = '{value}'")
        try:
            yield
        finally:
            self._connection.raw_sql(f"set {name} = '{before}'")

    def _moved(self, table: str) -> str:
        """Take a table that does not fit to the file."""
        place = self._file()
        self._connection.create_table(table, self._connection.table(table), database=place)
        self._connection.drop_table(table)
        return place

    def _is_full(self) -> bool:
        [(used,)] = self._connection.raw_sql(
            "select sum(memory_usage_bytes + temporary_storage_bytes) from duckdb_memory()"
            " where tag = 'IN_MEMORY_TABLE'"
        ).fetchall()
        return bool(used > IN_MEMORY * self._memory_limit())

    def _memory_limit(self) -> int:
        [(limit,)] = self._connection.raw_sql(
            "select parse_formatted_bytes(current_setting('memory_limit'))"
        ).fetchall()
        return int(limit)

    def _file(self) -> str:
        if not self._has_file:
            self._connection.attach(self._folder / f"{_FILE}.duckdb", _FILE)
            self._has_file = True
        return f"{_FILE}.main"
