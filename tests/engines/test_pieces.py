"""A base is scored in pieces, here or by executors, and comes out as the same file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import engine as engines
from pipelines import score_file
from pipelines.engine import Engine
from pipelines.failures import EnvironmentFailed
from pipelines.outlook import Sums
from pipelines.pieces import in_threads
from pipelines.score_file import write_scores
from tests.engines.conftest import Opened
from tests.engines.plain_base import plain_rows, plain_work

N = 2_000


@pytest.fixture(scope="module")
def rows() -> pa.Table:
    return plain_rows(N)


@pytest.fixture(scope="module")
def whole(rows: pa.Table) -> pa.Table:
    """All customers as one piece."""
    return plain_work()(rows)


def numbers_of(sums: Sums) -> dict[str, float]:
    return {name: value for name, value in vars(sums).items() if name != "counts"}


def scored(engine: Engine, opened: Any, file: Path) -> Sums:
    return write_scores(engine.pieces(plain_work(), opened, "customer_id"), file)


def test_small_pieces_give_the_file_of_one_large_one(
    duckdb_engine: Engine, laid_out: Opened, rows: pa.Table, whole: pa.Table, tmp_path: Path, monkeypatch: Any
) -> None:
    wanted = write_scores([whole], tmp_path / "whole.parquet")
    monkeypatch.setattr(engines, "PIECE", 300)
    found = scored(duckdb_engine, laid_out(duckdb_engine, "plain", rows), tmp_path / "pieces.parquet")
    assert (tmp_path / "pieces.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert numbers_of(found) == pytest.approx(numbers_of(wanted), rel=1e-12)
    assert pq.read_metadata(tmp_path / "pieces.parquet").num_rows == N


def test_executors_give_the_file_that_this_process_gives(
    spark: Engine, laid_out: Opened, rows: pa.Table, whole: pa.Table, tmp_path: Path, monkeypatch: Any
) -> None:
    """In two sorted files, brought here one after the other, each in batches."""
    monkeypatch.setattr(score_file, "ROWS", 700)
    wanted = write_scores([whole], tmp_path / "here.parquet")
    found = scored(spark, laid_out(spark, "plain", rows), tmp_path / "there.parquet")
    assert (tmp_path / "there.parquet").read_bytes() == (tmp_path / "here.parquet").read_bytes()
    assert numbers_of(found) == pytest.approx(numbers_of(wanted), rel=1e-12)
    assert pq.read_metadata(tmp_path / "there.parquet").num_row_groups == 3
    assert list(spark.folder.glob("part-*")) == []


class Told:
    """Work that tells of the process it is done in, or fails there."""

    schema = pa.schema([("customer_id", pa.string()), ("where", pa.string())])

    def __init__(self, fails: str = "") -> None:
        self.fails = fails

    def __call__(self, piece: pa.Table) -> pa.Table:
        import os
        import sys

        import pipelines.piece_scorer

        if self.fails == "library":
            import a_library_that_is_missing  # type: ignore[import-not-found]  # noqa: F401
        if self.fails == "bug":
            raise KeyError("bug")
        found = f"{os.getpid()} {'mlflow' in sys.modules} {pipelines.piece_scorer.__file__}"
        where = pa.repeat(pa.scalar(found), len(piece))
        return pa.table([piece["customer_id"].cast(pa.string()), where], schema=self.schema)


def test_executors_run_the_code_that_was_sent_and_know_no_model_store(
    spark: Engine, laid_out: Opened, rows: pa.Table
) -> None:
    import os

    opened = laid_out(spark, "plain", rows)
    pieces = list(spark.pieces(Told(), opened, "customer_id"))
    assert sum(map(len, pieces)) == N
    for place in {place for piece in pieces for place in piece["where"].to_pylist()}:
        process, has_mlflow, file = place.split(" ", 2)
        assert int(process) != os.getpid()
        assert has_mlflow == "False"
        assert ".zip/pipelines/piece_scorer.py" in file


@pytest.mark.heavy  # Spark tries four times
@pytest.mark.parametrize(
    ("fails", "kind", "said"),
    [
        ("library", EnvironmentFailed, "No module named 'a_library_that_is_missing'; hint: executors need"),
        ("bug", RuntimeError, "scoring failed on an executor: KeyError: 'bug'"),
    ],
)
def test_what_fails_on_an_executor_is_told_here(
    spark: Engine, laid_out: Opened, rows: pa.Table, fails: str, kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said):
        list(spark.pieces(Told(fails), laid_out(spark, "plain", rows), "customer_id"))


@pytest.mark.parametrize("ids", [["b", "a"], ["a", "a"], ["a", "é", "z"]])
def test_customers_in_disorder_are_a_bug(whole: pa.Table, tmp_path: Path, ids: list[str]) -> None:
    pieces = [whole.slice(k, 1).set_column(0, "customer_id", pa.array([one])) for k, one in enumerate(ids)]
    with pytest.raises(RuntimeError, match="twice or in disorder"):
        write_scores(pieces, tmp_path / "scores.parquet")


def test_threads_keep_the_order_and_few_pieces_in_memory() -> None:
    taken = []

    def pieces() -> Iterator[pa.Table]:
        for k in range(40):
            taken.append(k)
            yield pa.table({"k": [k]})

    class Same:
        schema = pa.schema([("k", pa.int64())])

        def __call__(self, piece: pa.Table) -> pa.Table:
            return piece

    for k, piece in enumerate(in_threads(Same(), pieces(), 2)):
        assert piece["k"].to_pylist() == [k]
        assert len(taken) <= k + 3
