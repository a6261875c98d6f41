"""Texts are read alike: dates, numbers, ids, kinds of events; and times keep their wall clock."""

import pandas as pd
import pyarrow as pa
import pytest

from features.errors import ContractError
from pipelines.engine import Engine
from pipelines.spark_times import java_pattern
from tests.engines.both import assert_same, fetched
from tests.engines.conftest import Opened
from tests.engines.texts import Read


def test_texts_are_read_alike(texts_on_duckdb: Read, texts_on_spark: Read) -> None:
    assert_same(texts_on_duckdb.rows, texts_on_spark.rows)


def test_what_is_no_date_has_none(texts_on_spark: Read) -> None:
    """Spark alone takes 12:30 for today at half past twelve: a clock in the features."""
    dated = texts_on_spark.rows.set_index("date")["door_ordered_at"].dropna()
    assert not {"12:30", "T12:30", "now", "today", "2024", "2024-01", "10:05:06"} & set(dated.index)
    assert dated["2024-01-02T20:05:06Z"] == "2024-01-03 03:05:06"
    assert dated["2024-01-02 1:5"] == "2024-01-02 01:05:00"
    assert dated["2024-01-02 10:05:06 GMT+7"] == dated["2024-01-02 10:05:06 +7"] == "2024-01-02 10:05:06"
    assert dated["2024-01-02 10:05:06-3"] == "2024-01-02 20:05:06"
    assert not {"2024-01-02 10:05:06 7", "2024-01-02 10:05:06 Z+7"} & set(dated.index)


def test_a_letter_is_no_blank(texts_on_spark: Read) -> None:
    """Ibis' own Spark strips the letters v and f."""
    ids = texts_on_spark.rows.drop_duplicates("id").set_index("id")["door_customer_id"]
    assert (ids["v1f"], ids["f"], ids["\tc\n"], ids["\x0bx\x0c"]) == ("v1f", "f", "c", "x")


def test_a_word_is_left_out_in_each_of_unicodes_forms(texts_on_spark: Read) -> None:
    rows = texts_on_spark.rows
    left_out = set(rows.loc[rows["door_reason"] == "left_out", "id"])
    assert left_out == {"é", "e\u0301", "Đặng Văn", "đặng văn"}


PARSED = {
    "%d/%m/%Y": ["1/2/2024", "01/02/2024", "31/02/2024", "1-2-2024", "", None],
    "%Y%m%d": ["20240131", "20241301", "2024131", "20240131 ", " 20240131"],
    "%Y-%m-%dT%H:%M:%S.%f": ["2024-01-02T03:04:05.123456", "2024-01-02T03:04:05.5", "2024-01-02T03:04:05"],
    "%b %d, %Y %I:%M %p": ["Jan 2, 2024 03:04 PM", "Feb 12, 2024 12:00 AM", "Foo 2, 2024 03:04 PM"],
    "ngày %d-%m-%Y": ["ngày 2-1-2024", "2-1-2024"],
    "%Y-%m-%d %H:%M:%S": ["2024-01-02 03:04:05", "2024-1-2 3:4:5", "2024-01-02", "2024-01-02 24:00:00"],
}


def test_dates_with_a_pattern_are_read_alike(duckdb_engine: Engine, spark: Engine, laid_out: Opened) -> None:
    table = pa.table({"text": pa.array([text for some in PARSED.values() for text in some])})

    def parsed(engine: Engine) -> pd.DataFrame:
        raw = laid_out(engine, "parsed", table)
        return fetched(engine, raw.mutate(**{p: engine.parsed(raw.text, p).cast("string") for p in PARSED}))

    here, there = parsed(duckdb_engine), parsed(spark)
    assert_same(here, there)
    assert here.notna().sum().drop("text").gt(0).all()


def test_a_pattern_that_spark_does_not_know_is_refused() -> None:
    with pytest.raises(
        ContractError, match=r"formats: '%y' in '%d.%m.%y' cannot be read by Spark.*known there"
    ):
        java_pattern("%d.%m.%y")
