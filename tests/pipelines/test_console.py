import contextlib
import json
import os
import sys
import threading
import time

import pytest

from pipelines.cli import main
from pipelines.console import Answer, Console, show
from pipelines.job_log import LOG, JobLog
from pipelines.progress import CLOCK


def test_a_quiet_console_says_nothing(capsys):
    with Console(quiet=True).step("reading"):
        Console(quiet=True).say("hello")
    assert capsys.readouterr() == ("", "")


def test_a_warning_is_said_however_quiet_it_is_to_be(capsys):
    for quiet in (True, False):
        Console(quiet=quiet).warn("look out")
        assert capsys.readouterr() == ("", "  warning: look out\n")


def test_progress_goes_to_stderr_and_the_answer_to_stdout(capsys):
    with Console().step("reading"):
        pass
    show(Answer({"a": "khách"}, ["one", "two"]), as_json=False)
    show(Answer({"a": "khách"}, []), as_json=True)
    printed = capsys.readouterr()
    assert printed.err.startswith("  reading …")
    text, _, data = printed.out.partition("two\n")
    assert text == "one\n"
    assert json.loads(data) == {"a": "khách"}


def test_options_work_before_and_after_the_command(shop, capsys):
    for words in (
        ["--json", "--quiet", "--config", str(shop), "check"],
        ["check", "--json", "--quiet", "--config", str(shop)],
        ["--quiet", "check", "--config", str(shop), "--json"],
    ):
        assert main(words) == 0
        printed = capsys.readouterr()
        assert json.loads(printed.out)["ready"] is True
        assert printed.err == ""


def test_a_step_tells_its_rows_to_the_log(tmp_path):
    with Console(quiet=True, log=JobLog(tmp_path, "score")).step("reading") as step:
        step.rows = 17
    assert json.loads((tmp_path / LOG).read_text())["rows"] == 17


def on_a_terminal(columns, monkeypatch, work):
    """What a terminal of so many columns is sent while `work` is done on a console there."""
    ours, theirs = os.openpty()
    monkeypatch.setenv("COLUMNS", str(columns))
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        work(Console())
        monkeypatch.undo()
    sent = b""
    with contextlib.suppress(OSError):  # so a terminal ends whose other side was closed
        while part := os.read(ours, 10_000):
            sent += part
    os.close(ours)
    return sent.decode()


def test_on_a_terminal_the_seconds_count_up_in_place(monkeypatch):
    def work(console):
        with console.step("reading"):
            time.sleep(1.3)

    sent = on_a_terminal(80, monkeypatch, work)
    assert sent.startswith("  reading …\r  reading … 1 s\r  reading … 1.")
    assert sent.endswith(" s\r\n")
    assert sent.count("\n") == 1


def test_on_a_terminal_a_line_is_cut_to_its_width(monkeypatch):
    def work(console):
        with console.step("reading " + "x" * 100):
            pass

    sent = on_a_terminal(40, monkeypatch, work)
    assert max(len(part) for part in sent.split("\r")) < 40


def test_on_a_terminal_a_step_that_fails_leaves_no_clock_running(monkeypatch):
    def work(console):
        with pytest.raises(ZeroDivisionError), console.step("dividing"):
            _ = 1 / 0
        assert not [t for t in threading.enumerate() if t.name == CLOCK]

    assert on_a_terminal(80, monkeypatch, work) == "  dividing …"
