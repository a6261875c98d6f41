"""The log of jobs: what is in it, what is not, and that nothing depends on it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipelines import job_log
from pipelines.cli import main
from pipelines.job_log import LOG, JobLog
from tests.pipelines.conftest import AS_OF, CONFIG

WRITE = """
import sys
from pathlib import Path
from pipelines import job_log
job_log.LARGEST, job_log.KEPT = 100_000, 1000
log = job_log.JobLog(Path(sys.argv[1]), "score")
for number in range(100):
    log.step(f"{number} " + "x" * 10_000, 0.5, number, failed=False)
"""


def lines_of(folder: Path, name: str = LOG) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / name).read_text("utf-8").splitlines()]


def test_a_job_is_told_from_start_to_end_even_the_first_and_a_quiet_one(run_shop: Path) -> None:
    lines = lines_of(run_shop.parent / "out")
    jobs = list(dict.fromkeys(line["job"] for line in lines))
    train, promote, score = ([line for line in lines if line["job"] == job] for job in jobs[:3])
    for job, command in ((train, "train"), (promote, "promote"), (score, "score")):
        assert {line["command"] for line in job} == {command}
        assert (job[0]["event"], job[-1]["event"]) == ("start", "end")
        assert job[-1]["exit_code"] == 0
        assert [line["at"] for line in job] == sorted(line["at"] for line in job)
    start, end = score[0], score[-1]
    assert start["arguments"] == {"quiet": True, "as_of": AS_OF}
    assert start["config"] == "repurchase.toml"
    assert start["code"]["sha256"]
    assert start["pid"] > 0
    run = json.loads((run_shop.parent / "out" / "latest" / "manifest.json").read_text())
    assert end["run_id"] == run["run_id"]
    assert end["customers"] == run["files"]["scores.parquet"]["rows"]
    assert end["peak_memory_with_children_mb"] >= end["peak_memory_mb"] > 50
    steps = {line["name"]: line for line in score if line["event"] == "step"}
    rows = run["inputs"]["transactions"]["rows_in"]
    customers, listed = (run["files"][name]["rows"] for name in ("scores.parquet", "risk_list.csv"))
    assert customers > listed > 0
    assert {
        name.replace(f"{customers:,}", "N"): line["rows"] for name, line in steps.items() if "rows" in line
    } == {
        "reading orders.parquet": rows,
        "looking at what the log says": run["inputs"]["transactions"]["rows_used"],
        f"features of all customers as of {AS_OF}": customers,
        "scoring N customers with version 1": customers,
        f"reasons for the {listed:,} customers on the list": listed,
        "putting customers into groups": customers,
        f"whom to contact of {listed:,} customers to act on": listed,
        "publishing": customers,
    }
    assert 0 < steps["publishing"]["seconds"] < end["seconds"]
    assert any(line.get("rows", 0) > rows for line in train)  # the panel has a row a customer and cutoff


def test_a_failure_says_why_without_what_stands_in_the_data(shop: Path, capsys: Any) -> None:
    import pandas as pd

    (shop.parent / "out").mkdir()
    rows = pd.read_parquet(shop.parent / "orders.parquet")
    rows.assign(ordered_at="13/13/2024").to_parquet(shop.parent / "orders.parquet")
    assert main(["--config", str(shop), "check"]) == 2
    assert "13/13/2024" in capsys.readouterr().err
    lines = lines_of(shop.parent / "out")
    assert [line["event"] for line in lines] == ["start", "step", "end"]
    assert lines[-1]["exit_code"] == 2
    assert "orders.parquet" in lines[-1]["message"]
    assert "13/13" not in json.dumps(lines)


def test_the_step_that_failed_is_told(tmp_path: Path) -> None:
    from pipelines.console import Console

    log = JobLog(tmp_path, "score")
    with pytest.raises(ZeroDivisionError), Console(quiet=True, log=log).step("dividing"):
        _ = 1 / 0
    assert [(line["name"], line["failed"]) for line in lines_of(tmp_path)] == [("dividing", True)]


def test_a_job_that_fails_makes_no_folder_for_its_log(shop: Path) -> None:
    assert main(["--config", str(shop), "--quiet", "promote"]) == 6
    assert not (shop.parent / "out").exists()


def test_a_config_that_cannot_be_read_has_no_log(shop: Path) -> None:
    (shop.parent / "out").mkdir()
    shop.write_text(CONFIG.replace("currency", "curency"))
    assert main(["--config", str(shop), "--quiet", "check"]) == 2
    assert list((shop.parent / "out").iterdir()) == []


def test_what_a_person_typed_is_not_written_down(shop: Path) -> None:
    (shop.parent / "out").mkdir()
    words = ["rollback", "--to", "3", "--reason", "Lan Nguyen rang up"]
    assert main(["--config", str(shop), "--quiet", *words]) == 6
    start = lines_of(shop.parent / "out")[0]
    assert start["arguments"] == {"quiet": True, "to": "3", "reason": "not written down"}


def test_warnings_are_in_it(tmp_path: Path, capsys: Any) -> None:
    from pipelines.console import Console

    log = JobLog(tmp_path, "score")
    Console(log=log).warn("look out")
    log.end(0, answer={"warnings": [{"code": "drift", "text": "it drifts"}, "a bare one"]})
    warnings = [(w.get("code"), w["text"]) for w in lines_of(tmp_path) if w["event"] == "warning"]
    assert warnings == [(None, "look out"), ("drift", "it drifts"), (None, "a bare one")]


def test_lines_of_jobs_beside_each_other_do_not_mix(tmp_path: Path) -> None:
    jobs = [subprocess.Popen([sys.executable, "-c", WRITE, str(tmp_path)]) for _ in range(4)]
    assert [job.wait() for job in jobs] == [0] * 4
    files = sorted(file.name for file in tmp_path.glob("log*.jsonl"))
    assert len(files) > 20  # so often was it set aside while others wrote
    lines = [line for file in files for line in lines_of(tmp_path, file)]
    assert len(lines) == 400
    assert len({(line["job"], line["rows"]) for line in lines}) == 400


def test_a_large_log_is_set_aside_and_the_oldest_goes(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(job_log, "LARGEST", 1000)
    for number in range(60):
        JobLog(tmp_path, "score").step("reading", 0.1, number, failed=False)
    found = sorted(file.name for file in tmp_path.glob("log*.jsonl"))
    assert found == ["log.1.jsonl", "log.2.jsonl", "log.3.jsonl", LOG]
    kept = [line["rows"] for name in ("log.3.jsonl", "log.2.jsonl", "log.1.jsonl", LOG)
            for line in lines_of(tmp_path, name)]  # fmt: skip
    assert kept == list(range(kept[0], 60))
    assert kept[0] > 0


@pytest.mark.parametrize("fault", ["full disk", "a folder of its name"])
def test_a_log_that_cannot_be_written_stops_nothing_and_is_told_once(
    shop: Path, capsys: Any, fault: str
) -> None:
    log = shop.parent / "out" / LOG
    log.parent.mkdir()
    if fault == "full disk":
        log.symlink_to("/dev/full")
    else:
        log.mkdir()
    assert main(["--config", str(shop), "--quiet", "check", "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["ready"] is True
    assert printed.err.count("the job's log is not written") == 1
    assert len(printed.err.splitlines()) == 1


def test_a_line_that_a_full_disk_has_cut_spoils_no_other(tmp_path: Path) -> None:
    (tmp_path / LOG).write_bytes(b'{"at": "half a li')
    JobLog(tmp_path, "score").write("start")
    _, whole, end = (tmp_path / LOG).read_text(encoding="utf-8").split("\n")
    assert (json.loads(whole)["event"], end) == ("start", "")


def test_an_output_folder_that_cannot_be_looked_at_is_no_traceback(shop: Path, capsys: Any) -> None:
    shop.write_text(CONFIG.replace('currency = "EUR"', f'output = "{"x" * 300}"'), encoding="utf-8")
    assert main(["--config", str(shop), "--quiet", "history"]) in (6, 7)
    assert "the job's log is not written" in capsys.readouterr().err


@pytest.mark.parametrize(("place", "code", "words"), [("/dev/full", 7, "No space left"), (None, 0, "")])
def test_an_answer_that_cannot_be_written_is_told_and_one_that_nobody_reads_is_not(
    run_shop: Path, place: str | None, code: int, words: str
) -> None:
    command = [sys.executable, "-m", "pipelines.cli", "--config", str(run_shop), "--quiet", "history"]
    if place is None:
        done = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert done.stdout is not None
        done.stdout.close()
        said = done.communicate(timeout=120)[1]
    else:
        with Path(place).open("w") as full:
            done = subprocess.Popen(command, stdout=full, stderr=subprocess.PIPE, text=True)
            said = done.communicate(timeout=120)[1]
    assert done.returncode == code
    assert words in said
    assert "Traceback" not in said
    assert "Exception ignored" not in said
