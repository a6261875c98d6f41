import subprocess
import sys
import time

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
