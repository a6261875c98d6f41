import os
import subprocess
import sys
import time

import pytest

from pipelines.failures import Locked
from pipelines.locks import locked

HOLD = """
import sys, time
from pathlib import Path
from pipelines.locks import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def test_a_lock_is_waited_for_and_a_dead_owner_frees_it(tmp_path):
    lock = tmp_path / "x.lock"
    for seconds, kill in ((0.5, False), (60, True)):
        owner = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(lock), str(seconds)], stdout=subprocess.PIPE
        )
        with owner:
            assert owner.stdout is not None
            assert owner.stdout.readline() == b"held\n"
            start = time.monotonic()
            if kill:
                owner.kill()
            with locked(lock):
                waited = time.monotonic() - start
        assert waited < 30
        assert kill or waited > 0.2


def test_who_holds_a_lock_is_said(tmp_path):
    said = rf"another run is at work on this \(process {os.getpid()} on "
    with (
        locked(tmp_path / "x.lock"),
        pytest.raises(Locked, match=said),
        locked(tmp_path / "x.lock", wait=False),
    ):
        pass
    with locked(tmp_path / "x.lock", wait=False):
        pass


COUNT = """
import sys
from pathlib import Path
from pipelines.locks import locked
lock, counter = Path(sys.argv[1]), Path(sys.argv[2])
for _ in range(200):
    with locked(lock, remove=True):
        counter.write_text(str(int(counter.read_text()) + 1))
"""


def test_a_lock_file_that_its_owners_remove_still_lets_in_one_at_a_time(tmp_path):
    counter = tmp_path / "counter"
    counter.write_text("0")
    command = [sys.executable, "-c", COUNT, str(tmp_path / "x.lock"), str(counter)]
    workers = [subprocess.Popen(command) for _ in range(4)]
    assert [worker.wait() for worker in workers] == [0] * 4
    assert counter.read_text() == "800"
    assert not (tmp_path / "x.lock").exists()
