"""A sample of the campaign, and planted faults: each kind of bad ending is noticed."""

import dataclasses
import json
import os
import tempfile
import warnings
from pathlib import Path

import ibis
import pytest

import pipelines.check
from tests.fuzz import kinds, watch
from tests.fuzz.campaign import ending_of, plan
from tests.fuzz.cases import Case, Made
from tests.fuzz.oracle import Outcome, problem_with
from tests.fuzz.run_case import Ending, emptied, run_case

QUICK = (
    "parquet_footer", "parquet_cut", "text_bytes", "text_signs", "gzip_bytes", "config_values", "sources",
    "special_files", "mappings", "column_types", "numbers", "encodings",
)  # fmt: skip
SOUND = Case("column_names", 6)
"""A log that is read right."""


def run(case: Case, folder: Path) -> Ending:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in the campaign: what libraries warn of is not judged
        return run_case(case, emptied(folder / "case"))


@pytest.mark.parametrize("kind", QUICK)
def test_a_broken_input_is_refused_or_read_right(kind, tmp_path):
    ended = run(Case(kind, 3), tmp_path)
    assert ended.problem is None
    assert ended.peak < watch.MAX_BYTES


def test_a_plan_has_every_kind_and_as_many_cases_as_asked_for():
    cases = plan(10_000)
    assert {case.kind for case in cases} == set(kinds.SHARES)
    assert len(set(cases)) == len(cases) == pytest.approx(10_000, abs=len(kinds.SHARES))


def raises(_log):
    raise RuntimeError("a bug")


def leaves_a_file(log):
    tempfile.mkstemp(suffix=".spill")
    return log


def with_lines(change):
    def planted(log):
        return dataclasses.replace(log, records=dataclasses.replace(log.records, lines=change(log.lines)))

    return planted


FAULTS = {
    "exit code 1: ": raises,
    "a traceback: ": leaves_a_file,
    "rows are lost: ": with_lines(lambda lines: lines.limit(7)),
    "1 customers, by hand ": with_lines(lambda lines: lines.mutate(customer_id=ibis.literal("u1"))),
    "amounts sum to ": with_lines(lambda lines: lines.mutate(amount=lines.amount * 2)),
}


@pytest.mark.parametrize("said", FAULTS)
def test_a_planted_fault_is_found(said, tmp_path, monkeypatch):
    before = pipelines.check.open_log
    monkeypatch.setattr(pipelines.check, "open_log", lambda *given: FAULTS[said](before(*given)))
    ended = run(SOUND, tmp_path)
    assert str(ended.problem).startswith(said)  # at its start: a traceback would quote these lines, too
    assert ended.code == int("exit code" in said)
    assert ending_of(ended) == "findings"


def test_the_same_without_a_fault_is_right(tmp_path):
    assert ending_of(run(SOUND, tmp_path)) == "right"


SCREENS = {
    "a traceback": "Traceback (most recent call last)\nrepurchase: broken",
    "not one line": "repurchase: broken\nrepurchase: and again",
    "unprintable": "repurchase: \x1b[31mred",
    "a line of": "repurchase: " + "x" * 5_000,
}


@pytest.mark.parametrize("said", SCREENS)
def test_a_message_that_cannot_be_read_is_found(said, tmp_path):
    made = Made(tmp_path / "repurchase.toml")
    assert said in str(problem_with(Outcome(2, SCREENS[said]), made)[0])
    assert problem_with(Outcome(2, "repurchase: broken"), made)[0] is None


def publish(out: Path, digest: str) -> None:
    folder = out / "runs" / "r1"
    folder.mkdir(parents=True)
    (folder / "a").write_bytes(b"")
    manifest = {"run_id": "r1", "as_of": "2025-03-01", "files": {"a": {"sha256": digest}}}
    (folder / "manifest.json").write_text(json.dumps(manifest))


EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
LEFT = {
    "half-written": (0, lambda out: (out / ".stage-20250301-x").mkdir(parents=True)),
    "refused, but published": (2, lambda out: publish(out, EMPTY)),
    "published, but not whole": (0, lambda out: publish(out, "0" * 64)),
}


@pytest.mark.parametrize("said", LEFT)
def test_half_a_result_is_found(said, tmp_path):
    made = Made(tmp_path / "repurchase.toml", command=("score", "--as-of", "2025-03-01"))
    code, leave = LEFT[said]
    outcome = Outcome(code, "" if code == 0 else "repurchase: broken")
    assert problem_with(outcome, made)[0] is None
    leave(tmp_path / "out")
    assert said in str(problem_with(outcome, made)[0])


def test_a_process_that_swells_or_goes_on_for_ever_is_found(monkeypatch):
    assert watch.Watch(os.getpid()).broken() is None
    with monkeypatch.context() as patch:
        patch.setattr(watch, "MAX_BYTES", 1 << 20)
        assert "more than 2 MiB" in str(watch.Watch(os.getpid()).broken())
    monkeypatch.setattr(watch, "MAX_SECONDS", -1.0)
    assert "no end" in str(watch.Watch(os.getpid()).broken())
