"""The promotion ledger is only ever added to, and shows it where it was not."""

import json
import multiprocessing
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.config import Config
from pipelines.failures import Refused
from pipelines.promotions import (
    Promotion,
    champion_before,
    ledger_path,
    promoted_digest,
    read_promotions,
    write_promotion,
)

ENTRY = Promotion("repurchase", "promote", None, "1", "sha256:aa", "first", "beats the rule")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    raw = {
        "project": {"name": "shop"},
        "tables": {"transactions": {"source": "x.csv", "columns": {}}},
        "folder": tmp_path,
    }
    return Config.model_validate(raw)


def test_what_is_written_is_read_with_user_and_time(config: Config) -> None:
    assert read_promotions(config) == []
    first = write_promotion(config, ENTRY)
    second = write_promotion(config, replace(ENTRY, before="1", version="2", digest="sha256:bb"))
    assert read_promotions(config) == [first, second]
    assert all(entry.who and entry.at for entry in (first, second))
    assert promoted_digest([first, second], "2") == "sha256:bb"
    assert promoted_digest([first, second], "3") is None


def test_other_models_have_lines_of_their_own_in_one_chain(config: Config) -> None:
    write_promotion(config, ENTRY)
    write_promotion(config, replace(ENTRY, model="other"))
    write_promotion(config, replace(ENTRY, version="2", before="1"))
    assert [entry.version for entry in read_promotions(config)] == ["1", "2"]


@pytest.mark.parametrize("harm", ["a changed line", "a line taken out", "two lines swapped", "rubbish"])
def test_a_line_that_was_touched_shows(config: Config, harm: str) -> None:
    for number in range(1, 5):
        write_promotion(config, replace(ENTRY, version=str(number)))
    path = ledger_path(config)
    lines = path.read_text("utf-8").splitlines()
    if harm == "a changed line":
        lines[1] = lines[1].replace("sha256:aa", "sha256:ab")
    elif harm == "a line taken out":
        del lines[1]
    elif harm == "two lines swapped":
        lines[1], lines[2] = lines[2], lines[1]
    else:
        lines[1] = "{"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    before = path.read_bytes()
    with pytest.raises(Refused, match=r"line [23] is not what was written"):
        read_promotions(config)
    with pytest.raises(Refused):
        write_promotion(config, ENTRY)
    assert path.read_bytes() == before


def test_a_torn_last_line_was_never_written(config: Config) -> None:
    write_promotion(config, ENTRY)
    path = ledger_path(config)
    whole = path.read_bytes()
    path.write_bytes(whole + '{"model": "repurchase", "reason": "±'.encode()[:-1])
    assert len(read_promotions(config)) == 1
    write_promotion(config, replace(ENTRY, version="2"))
    assert path.read_bytes().startswith(whole)
    assert [entry.version for entry in read_promotions(config)] == ["1", "2"]
    assert all(json.loads(line) for line in path.read_text("utf-8").splitlines())


def test_a_later_versions_line_is_read_and_a_poorer_one_refused(config: Config) -> None:
    write_promotion(config, ENTRY)
    path = ledger_path(config)
    line = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(line | {"approved_by": "a"}) + "\n", "utf-8")
    assert read_promotions(config)[0].version == "1"
    del line["digest"]
    path.write_text(json.dumps(line) + "\n", "utf-8")
    with pytest.raises(Refused):
        read_promotions(config)


def _write_ten(config: Config, who: int) -> None:
    for number in range(10):
        write_promotion(config, replace(ENTRY, version=f"{who}{number}", reason="được giữ lại"))


def test_four_processes_lose_no_line(config: Config) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write_ten, args=(config, who)) for who in range(1, 5)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    found = [entry.version for entry in read_promotions(config)]
    assert sorted(found) == sorted(f"{who}{number}" for who in range(1, 5) for number in range(10))


def test_going_back_and_back_again() -> None:
    ledger = [replace(ENTRY, before=b, version=v) for b, v in ((None, "1"), ("1", "2"), ("2", "5"))]
    assert [champion_before(ledger, v) for v in ("5", "2", "1")] == ["2", "1", None]
    back = [*ledger, replace(ENTRY, action="rollback", before="5", version="2")]
    assert champion_before(back, "2") == "1"
    broken_off = [*ledger, replace(ENTRY, action="found", before="5", version="2")]
    assert champion_before(broken_off, "2") == "1"
    again = [*back, replace(ENTRY, before="2", version="5")]
    assert champion_before(again, "5") == "2"
