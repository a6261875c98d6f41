"""What `[sinks]` may name: tables that runs are delivered to."""

from dataclasses import dataclass

from features.errors import ContractError
from pipelines.postgres_address import Place, parse_place

REGISTER = "_runs"
"""Ending of the name of the table beside, which says whose rows the table shows."""
DUCKDB_FORM = (
    "scores.duckdb, a file beside the config, or duckdb:///scores.duckdb#table; "
    "a path that begins with / is taken from the root, as is duckdb:////srv/scores.duckdb#table"
)
_LONGEST = 63 - len(REGISTER)  # PostgreSQL cuts longer names short, and would mix tables up


@dataclass(frozen=True)
class DuckdbPlace:
    """A table of a DuckDB file.

    Parameters
    ----------
    file : str
        Its path starts at the config's folder, unless it is absolute.
    table : str
        Taken literally.
    """

    file: str
    table: str


def duckdb_place(text: str) -> DuckdbPlace:
    """Read where a DuckDB table is to be; it is called ``scores`` if nothing else is said.

    Raises
    ------
    ContractError
        If it has another form.

    Examples
    --------
    >>> duckdb_place("scores.duckdb")
    DuckdbPlace(file='scores.duckdb', table='scores')
    >>> duckdb_place("duckdb:///out/shop.duckdb#risk").table
    'risk'
    >>> duckdb_place("/srv/scores.duckdb") == duckdb_place("duckdb:////srv/scores.duckdb")
    True
    """
    # The third slash of an address parts the host, of which there is none, from the path.
    address = text.removeprefix("duckdb://").removeprefix("/") if text.startswith("duckdb://") else text
    path, separator, table = address.partition("#")
    if ":" in path or not path.strip() or (separator and not table):
        raise ContractError("a DuckDB table is named in the wrong form", hint=DUCKDB_FORM)
    return DuckdbPlace(path, table or "scores")


def postgres_place(text: str) -> Place:
    """Read where a PostgreSQL table is to be.

    Raises
    ------
    ContractError
        If it has another form, which is not repeated, or a name is too long.
    """
    place = parse_place(text)
    if len(place.table.encode()) > _LONGEST:
        raise ContractError(
            f"the table's name has more than {_LONGEST} bytes, and PostgreSQL cuts names short",
            hint="a shorter one",
        )
    return place
