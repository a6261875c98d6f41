"""Scoring jobs killed at random moments, and eight at once: readers see whole runs, and a rerun recovers."""

import os
import shutil
import signal
import subprocess
import time

import numpy as np
import pytest

from pipelines.published_runs import current_runs, find_run
from tests.faults.full_jobs import command, read_while, score
from tests.faults.reader import leftovers, links, whole
from tests.pipelines.conftest import AS_OF

BEFORE = "2025-02-01"
KILLS, RERUN_EVERY = 100, 5

pytestmark = pytest.mark.heavy


def test_the_full_job_killed_at_random_moments(own_shop, capsys):
    out, rng = own_shop.parent / "out", np.random.default_rng(11)
    wanted = find_run(out, "latest").manifest["content"]
    kept = own_shop.parent / "kept"
    shutil.rmtree(out)
    start = time.monotonic()
    assert score(own_shop, BEFORE).returncode == 0
    lasts = time.monotonic() - start
    shutil.copytree(out, kept, symlinks=True)
    killed, reads, reruns, published = 0, 0, 0, 0
    while killed < KILLS:
        with subprocess.Popen(
            command(own_shop, AS_OF), stderr=subprocess.DEVNULL, start_new_session=True
        ) as job:
            end = time.monotonic() + rng.uniform(0.1, lasts)
            reads += read_while(out, lambda end=end, job=job: time.monotonic() < end and job.poll() is None)
            running = job.poll() is None
            if running:
                os.killpg(job.pid, signal.SIGKILL)
        killed += running
        names = [link.name for link in links(out) if whole(link)]
        assert names in ([f"as_of={BEFORE}", "latest"], [f"as_of={BEFORE}", f"as_of={AS_OF}", "latest"])
        published += running and len(names) == 3
        if not running or killed % RERUN_EVERY == 0:
            done = score(own_shop, AS_OF)
            assert done.returncode == 0, done.stderr
            assert find_run(out, AS_OF).manifest["content"] == wanted
            assert find_run(out, "latest").run_id == find_run(out, AS_OF).run_id
            assert leftovers(out) == []
            reruns += 1
            shutil.rmtree(out)  # else there would be nothing to do for the next one
            shutil.copytree(kept, out, symlinks=True)
    with capsys.disabled():
        print(
            f"\n{killed} kills of the full job, which takes {lasts:.1f} s; {published} had published; "
            f"{reads:,} reads meanwhile, 0 invalid; {reruns} of {reruns} reruns recovered"
        )
    assert reads > KILLS


def test_eight_full_jobs_at_once(own_shop, capsys):
    out = own_shop.parent / "out"
    wanted = find_run(out, AS_OF).manifest["content"]
    shutil.rmtree(out)
    days = ["2025-01-01", "2025-01-15", BEFORE, AS_OF]
    calls = [command(own_shop, day, "--wait") for day in days * 2]
    jobs = [subprocess.Popen(call, stderr=subprocess.DEVNULL) for call in calls]
    reads = read_while(out, lambda: any(job.poll() is None for job in jobs))
    assert [job.returncode for job in jobs] == [0] * 8
    assert [run.as_of.isoformat() for run in current_runs(out)] == days
    assert len(list((out / "runs").iterdir())) == len(days)
    assert find_run(out, "latest").manifest["content"] == wanted
    assert leftovers(out) == []
    assert len([whole(link) for link in links(out)]) == len(days) + 1
    with capsys.disabled():
        print(f"\n8 full jobs of 4 dates at once: 4 runs, {reads:,} reads meanwhile, 0 invalid")
