"""What a job writes on its way goes with it, or with the next job if it was killed."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pipelines.scratch import ALIVE, GRACE, PREFIX, scratch_folder
from pipelines.signals import terminated_like_interrupted

JOB = """\
import sys, time
from pipelines.scratch import scratch_folder
from pipelines.signals import terminated_like_interrupted
try:
    with terminated_like_interrupted(), scratch_folder() as folder:
        (folder / "rows").write_text("somebody")
        print(folder, flush=True)
        time.sleep(60)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.fixture(autouse=True)
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for temporary ones."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


@contextmanager
def job() -> Iterator[tuple[Any, Path]]:
    """A job at work, and its folder."""
    with subprocess.Popen([sys.executable, "-c", JOB], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process, Path(str(process.stdout and process.stdout.readline().strip()))
        finally:
            process.kill()


def grow_old(folder: Path) -> None:
    then = time.time() - GRACE - 10
    os.utime(folder / ALIVE, (then, then))


def test_a_job_that_is_terminated_cleans_up_as_if_it_were_interrupted() -> None:
    with job() as (process, folder):
        assert (folder / "rows").exists()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 130
        assert not folder.exists()


def test_what_a_killed_job_leaves_is_swept_by_the_next_and_what_a_living_one_has_is_not() -> None:
    with job() as (killed, dead), job() as (_, alive):
        killed.kill()
        killed.wait(30)
        grow_old(alive)
        with scratch_folder():
            assert (dead / "rows").exists()  # for some minutes
        grow_old(dead)
        with scratch_folder() as own:
            assert not dead.exists()
            assert (alive / "rows").exists()
        assert not own.exists()


def test_folders_that_are_none_of_ours_stay(temp: Path) -> None:
    (temp / f"{PREFIX}backup").mkdir()
    real = temp / "elsewhere"
    real.mkdir()
    (real / ALIVE).touch()
    grow_old(real)
    (temp / f"{PREFIX}link").symlink_to(real)
    with scratch_folder():
        pass
    assert (temp / f"{PREFIX}backup").exists()
    assert (real / ALIVE).exists()


def test_a_signal_that_somebody_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with terminated_like_interrupted():
            os.kill(os.getpid(), signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)
