"""What is said and kept of an error names nobody, whatever a library shows."""

import re
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from features.errors import ContractError
from pipelines.endings import FULL, ending_of
from pipelines.engine import reading
from pipelines.failures import Refused
from pipelines.proof import LeakFound
from pipelines.training import in_parallel

WHO = "lan.nguyen@shop.vn"


def raised(call: Any) -> BaseException:
    try:
        call()
    except Exception as error:
        return error
    raise AssertionError("it did not fail")


def read_as_number(text: str) -> float:
    return float(text)


def nested() -> None:
    try:
        {}[WHO]
    except KeyError as error:
        raise RuntimeError(f"no row of {WHO}") from error


BUGS = {
    "a key": lambda: {}[WHO],
    "a number": lambda: float(WHO),
    "a date": lambda: pd.to_datetime(pd.Series([WHO])),
    "a label": lambda: pd.Series([1], index=["a"]).loc[WHO],
    "an engine": lambda: duckdb.sql(f"select cast('{WHO}' as integer)").fetchall(),
    "another process": lambda: in_parallel(read_as_number, [("1",), (WHO,)]),
    "one after another": nested,
}


@pytest.mark.parametrize(
    "bug",
    [pytest.param(b, marks=pytest.mark.heavy if b == "another process" else ()) for b in BUGS],
)
def test_a_bug_is_told_and_kept_without_the_values_of_the_data(bug: str, capsys: Any) -> None:
    error = raised(BUGS[bug])
    assert WHO in repr(error)  # else there is nothing to see here
    ending = ending_of(error)
    trace = Path(re.search(r"traceback in (\S+)", ending.said)[1])  # type: ignore[index]
    kept = trace.read_text("utf-8")
    trace.unlink()
    assert ending.exit_code == 1
    assert type(error).__name__ in ending.said
    assert f'{Path(__file__).name}", line' in kept
    for text in (ending.said, ending.logged, kept):
        assert WHO not in text.replace(repr(WHO), "")


def test_a_developer_can_ask_for_all_of_it(monkeypatch: Any) -> None:
    monkeypatch.setenv(FULL, "1")
    ending = ending_of(raised(BUGS["a number"]))
    trace = Path(re.search(r"traceback in (\S+)", ending.said)[1])  # type: ignore[index]
    assert f"could not convert string to float: '{WHO}'" in trace.read_text("utf-8")
    trace.unlink()


def test_our_own_words_are_told_whole() -> None:
    leak = ending_of(LeakFound("features see the future (deleted): n_orders"))
    assert leak.logged == "a bug: LeakFound: features see the future (deleted): n_orders"
    Path(leak.said.rpartition(" ")[2]).unlink()
    assert ending_of(Refused("there is no champion")).said == "there is no champion"
    wrong = ending_of(ContractError("7 dates cannot be read", example="31/31/2024", hint="set formats"))
    assert wrong.said == "7 dates cannot be read; for example '31/31/2024'; hint: set formats"
    assert wrong.logged == "7 dates cannot be read"


def test_a_failing_disk_is_told_with_its_file() -> None:
    ending = ending_of(raised(lambda: Path("/nowhere/at/all").read_text("utf-8")))
    assert ending.exit_code == 7
    assert "/nowhere/at/all" in ending.said


def test_what_an_engine_cannot_read_is_told_without_the_row() -> None:
    with pytest.raises(ContractError) as refused, reading("orders.csv"):
        duckdb.sql(f"select cast('{WHO}' as integer)").fetchall()
    assert str(refused.value).startswith("orders.csv: cannot be read: Could not convert string …; hint: ")
