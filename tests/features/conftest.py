"""A DuckDB connection for the tests, and the real logs where the machine has them."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ibis
import pytest

from tests.features.tables import forget_shops

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("REPURCHASE_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def con() -> Iterator[Any]:
    """One engine for all: starting one, and asking it anew, costs more than most of the queries."""
    connection = ibis.duckdb.connect()
    yield connection
    forget_shops()
    connection.disconnect()


def data_file(folder: str, name: str) -> Path:
    """A file of a real log; the test skips where there is none."""
    path = DATA / folder / name
    if not path.is_file():
        pytest.skip(f"no {path.name} in {path.parent}; REPURCHASE_DATA names the folder above it")
    return path


@pytest.fixture(scope="session")
def online_retail() -> Path:
    return data_file("online_retail", "online_retail.parquet")
