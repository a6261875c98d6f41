"""Where a PostgreSQL table is, and the way to its server.

The config names an environment variable, never an address: what the address holds (a password) stays out of
configs, logs, messages and everything that is published.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from features.errors import ContractError
from pipelines.failures import EnvironmentFailed

FORM = "postgres://ENV_NAME#schema.table, where the variable ENV_NAME holds the server's address"
_SOURCE = re.compile(r"postgres://([A-Za-z_]\w*)#(?:([^.]+)\.)?(.+)", re.ASCII)

# Appended to the address where it does not say otherwise: an unreachable or silent server is noticed.
_DEFAULTS = {
    "connect_timeout": "15",
    "keepalives_idle": "60",
    "keepalives_interval": "15",
    "keepalives_count": "4",
}

# Why a connection fails, of all that a driver may say: its own sentences can quote the address.
_REFUSED = (
    "password authentication failed", "no password supplied", "no pg_hba.conf entry", "certificate",
    "does not exist", "is not permitted to log in", "permission denied", "does not support SSL",
)  # fmt: skip
_UNREACHABLE = (
    "Connection refused", "timeout expired", "could not translate host name", "No such file or directory",
    "server closed the connection unexpectedly", "too many clients", "remaining connection slots",
    "the database system is", "connection to server",
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A table of a server.

    Parameters
    ----------
    source : str
        As the config has it.
    variable : str
        The environment variable that holds the server's address.
    schema, table : str
        Names, taken literally.
    """

    source: str
    variable: str
    schema: str
    table: str


def parse_place(source: str) -> Place:
    """Read ``postgres://ENV_NAME#schema.table``; the schema is ``public`` if left out.

    Raises
    ------
    ContractError
        If it has another form; it is not repeated then.

    Examples
    --------
    >>> parse_place("postgres://SHOP_DB#sales.scores").table
    'scores'
    """
    found = _SOURCE.fullmatch(source)
    if found is None:  # not shown: it may be an address with its password
        raise ContractError("a postgres table is named in the wrong form", hint=FORM)
    variable, schema, table = found.groups()
    return Place(source, variable, (schema or "public").strip('"'), table.strip('"'))


def require_driver(place: Place) -> None:
    """Refuse to go on without what a connection needs here.

    Raises
    ------
    ContractError
        If the driver is not installed, or the variable is not set.
    """
    if find_spec("adbc_driver_postgresql") is None:
        raise ContractError(
            f"{place.source}: the PostgreSQL driver is not installed",
            hint="install the project with its extra `postgres`",
        )
    _address(place)


@contextmanager
def connect(place: Place) -> Iterator[Any]:
    """Hold a connection of the driver; what is not committed is undone at the end.

    Raises
    ------
    ContractError
        If the driver, the variable or a permission is missing, or the address makes no sense.
    EnvironmentFailed
        If the server cannot be reached.
    """
    require_driver(place)
    import adbc_driver_postgresql.dbapi as driver

    address = _address(place)
    try:
        connection = driver.connect(address)
    except driver.Error as error:
        raise _no_connection(place, str(error)) from None
    with connection:
        yield connection


def _address(place: Place) -> str:
    address = os.environ.get(place.variable, "").strip()
    if not address:
        raise ContractError(
            f"{place.source}: the environment variable {place.variable} is not set",
            hint=f"{place.variable}=postgresql://user:password@host:5432/database, where the command runs",
        )
    extra = {name: value for name, value in _DEFAULTS.items() if name not in address}
    settings = [f"{name}={value}" for name, value in (extra | {"client_encoding": "UTF8"}).items()]
    if "://" not in address:
        return " ".join([address, *settings])
    return address + ("&" if "?" in address else "?") + "&".join(settings)


def _no_connection(place: Place, said: str) -> Exception:
    server = f"{place.source}: the server that {place.variable} names"
    for reason in _REFUSED:
        if reason in said:
            return ContractError(
                f"{server} refuses the connection ({reason})",
                hint=f"look at the user, password, database and certificate in {place.variable}",
            )
    for reason in _UNREACHABLE:
        if reason in said:
            return EnvironmentFailed(f"{server} cannot be reached ({reason}); a retry is safe")
    return ContractError(
        f"{place.source}: {place.variable} does not hold an address that the driver understands",
        hint="postgresql://user:password@host:5432/database, special characters as %XX",
    )
