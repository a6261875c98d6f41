"""Orders that a status tells to be none: left out as asked, by words that are there; or said to count."""

import json
import tomllib
import unicodedata
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from models.findings import Finding
from pipelines.cli import main
from pipelines.config import load_config
from pipelines.console import Console
from pipelines.engine import open_engine
from pipelines.log_findings import judge_all_rows
from pipelines.purchase_log import open_log
from pipelines.row_count import RowCount
from tests.pipelines.vietnamese_shop import (
    AMOUNT,
    CANCELLED,
    CONFIG,
    CUSTOMER,
    DONE,
    LEAVE_OUT,
    STATUS,
    lay_out,
    orders,
)

LOG = orders()
N, N_CANCELLED = len(LOG), int((LOG[STATUS] == CANCELLED).sum())


def looked_at(config: Path) -> tuple[RowCount, dict[str, Finding]]:
    """Where the rows went, and what is found in them by its code."""
    read = load_config(config)
    with open_engine(read) as engine:
        log = open_log(engine, read, Console(quiet=True))
        return log.rows, {finding.code: finding for finding in judge_all_rows(engine, log, read)}


def refused(config: Path, capsys: Any) -> str:
    assert main(["--config", str(config), "--quiet", "check"]) == 2
    return str(capsys.readouterr().err)


@pytest.mark.parametrize(("in_log", "in_config"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_a_word_is_the_same_in_another_form_of_unicode(in_log: Any, in_config: Any, tmp_path: Path) -> None:
    log = LOG.assign(**{STATUS: [unicodedata.normalize(in_log, word) for word in LOG[STATUS]]})
    word = unicodedata.normalize(in_config, CANCELLED)
    rows, found = looked_at(lay_out(tmp_path, log, CONFIG + LEAVE_OUT.replace(CANCELLED, word)))
    assert rows.rows_quarantined == {"left_out": N_CANCELLED}
    assert found["left_out"].severity == "ok"


def test_a_word_that_no_row_says_is_held_against_those_there_are(tmp_path: Path) -> None:
    _, said = looked_at(lay_out(tmp_path, LOG, CONFIG + LEAVE_OUT.replace(CANCELLED, "da huy")))
    found = said["left_out"]
    assert found.severity == "warning"
    assert "don.csv: no row says 'da huy' in 'Trạng thái', which [policy] leave_out names" in found.text
    assert f"'{DONE}' ({N - N_CANCELLED:,}), '{CANCELLED}' ({N_CANCELLED:,})" in found.text
    assert found.text.endswith(f"did you mean '{CANCELLED}'?")
    assert found.numbers["words"] == {DONE: N - N_CANCELLED, CANCELLED: N_CANCELLED}


def test_a_column_that_is_not_there_is_held_against_the_logs_own(tmp_path: Path, capsys: Any) -> None:
    config = lay_out(tmp_path, LOG, CONFIG + LEAVE_OUT.replace(STATUS, "Trang thai"))
    said = refused(config, capsys)
    assert "missing among 5 columns" in said
    assert f"did you mean '{STATUS}'?" in said
    assert "door_parsed" not in said


def test_rows_that_are_left_out_are_not_broken(tmp_path: Path, capsys: Any) -> None:
    strict = CONFIG + LEAVE_OUT + "max_quarantined = 0.05\n"
    rows, said = looked_at(lay_out(tmp_path, LOG, strict))
    assert (rows.left_out, rows.rows_wanted, rows.broken) == (N_CANCELLED, N - N_CANCELLED, {})
    assert (said["rows"].severity, said["rows"].numbers["set_aside"]) == ("ok", 0)
    assert f" + {N_CANCELLED:,} left out by [policy] leave_out + 0 set aside (none)" in rows.lines()[0]

    broken = LOG.assign(**{CUSTOMER: LOG[CUSTOMER].where(LOG.index % 5 > 0)})
    wanted = broken[broken[STATUS] != CANCELLED]
    n = int(wanted[CUSTOMER].isna().sum())
    line = refused(lay_out(tmp_path, broken, strict), capsys)
    assert f"{n:,} of {len(wanted):,} rows ({N_CANCELLED:,} more are left out) break the contract" in line
    assert f"{n:,} of them for 'no_customer'" in line


def test_words_that_leave_out_most_rows_are_doubted(tmp_path: Path) -> None:
    log = pd.concat([LOG, *[LOG.assign(**{STATUS: "x"})] * 2])
    _, said = looked_at(lay_out(tmp_path, log, CONFIG + LEAVE_OUT.replace(CANCELLED, "X")))
    assert said["left_out"].severity == "warning"
    assert f"{2 * N:,} of {3 * N:,} rows (66.7%) say 'X'" in said["left_out"].text


def test_cancelled_orders_that_count_are_told_with_the_key_to_write(tmp_path: Path, capsys: Any) -> None:
    log = LOG.assign(**{STATUS: LOG[STATUS].mask(LOG.index % 50 == 0, "Trả hàng")})
    config, counts = lay_out(tmp_path, log, CONFIG), log[STATUS].value_counts()
    assert main(["--config", str(config), "--quiet", "check", "--json"]) == 0
    (found,) = [f for f in json.loads(capsys.readouterr().out)["findings"] if f["code"] == "left_out"]
    assert found["severity"] == "warning"
    assert found["numbers"]["words"] == {word: int(counts[word]) for word in (CANCELLED, "Trả hàng")}
    key = found["text"].partition("write under [policy]: ")[2]
    assert tomllib.loads(key) == {"leave_out": {"column": STATUS, "values": [CANCELLED, "Trả hàng"]}}
    config.write_text(CONFIG + key, encoding="utf-8")
    rows, after = looked_at(config)
    assert after["left_out"].severity == "ok"
    assert rows.rows_quarantined == {"left_out": found["numbers"]["rows"]}


@pytest.mark.parametrize(
    "log",
    [
        pytest.param(LOG.assign(**{STATUS: DONE}), id="no such word"),
        pytest.param(
            LOG.assign(**{AMOUNT: LOG[AMOUNT].where(LOG[STATUS] == DONE, -LOG[AMOUNT])}), id="refunds"
        ),
        pytest.param(
            LOG.assign(**{STATUS: [f"{word} {n}" for n, word in enumerate(LOG[STATUS])]}), id="too many words"
        ),
        pytest.param(LOG.rename(columns={STATUS: "Ghi chú"}), id="a column of another name"),
    ],
)
def test_a_status_that_marks_no_such_orders_is_not_spoken_of(log: pd.DataFrame, tmp_path: Path) -> None:
    assert "left_out" not in looked_at(lay_out(tmp_path, log, CONFIG))[1]


def test_where_all_is_left_out_nothing_can_be_said(tmp_path: Path, capsys: Any) -> None:
    config = lay_out(tmp_path, LOG.assign(**{STATUS: CANCELLED}))
    assert main(["--config", str(config), "--quiet", "check"]) == 4
    assert "no purchase is left" in capsys.readouterr().err
