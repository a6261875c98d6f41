"""A DuckDB connection for each test file, and the real log where the machine has it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ibis
import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("REPURCHASE_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="module")
def con() -> Iterator[Any]:
    """One engine for a file: starting one costs more than most of the queries."""
    connection = ibis.duckdb.connect()
    yield connection
    connection.disconnect()


@pytest.fixture(scope="session")
def online_retail() -> Path:
    path = DATA / "online_retail" / "online_retail.parquet"
    if not path.is_file():
        pytest.skip(f"no {path.name} in {path.parent}; REPURCHASE_DATA names the folder above it")
    return path
