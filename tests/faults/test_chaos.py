"""Publishers killed at random moments, and many at once: who reads meanwhile sees whole runs only."""

import multiprocessing
import time
from pathlib import Path

import numpy as np
import pytest

from tests.faults.publisher import forever, publish_once
from tests.faults.reader import Gone, leftovers, seen

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.faults.publisher"])
DAYS = ("2026-03-02", "2026-03-03", "2026-03-04")
KILLS = 1000
TOGETHER = 64

pytestmark = pytest.mark.heavy


def test_publishing_killed_at_random_moments(tmp_path, capsys):
    """A rerun comes after every second kill only, so that it finds what several have left."""
    output, rng = tmp_path / "out", np.random.default_rng(7)
    reads, midway, reruns = 0, 0, 0
    for day in DAYS:
        publish_once(output, day, "first")
    for kill in range(KILLS):
        ours, theirs = CONTEXT.Pipe()
        process = CONTEXT.Process(target=forever, args=(output, DAYS, kill, theirs))
        process.start()
        assert ours.recv() == "ready"
        ours.send("go")
        end = time.monotonic() + rng.uniform(0.0, 0.1)
        while time.monotonic() < end:
            reads += read_by_the_way(output, len(DAYS) + 1)
        process.kill()
        process.join()
        assert len(seen(output)) == len(DAYS) + 1
        midway += bool(leftovers(output))
        if kill % 2:
            for day in DAYS:
                publish_once(output, day, f"after {kill}")
            assert set(seen(output).values()) == {f"after {kill}"}
            assert leftovers(output) == []
            reruns += 1
    with capsys.disabled():
        print(
            f"\n{KILLS} kills, {midway} of them midway; {reads:,} reads meanwhile, 0 invalid; "
            f"{reruns} of {KILLS // 2} reruns recovered"
        )
    assert reads > KILLS
    assert midway > KILLS / 4


def read_by_the_way(output: Path, most: int) -> int:
    """Read what is published while others publish; return 1, or 0 where a run was cleaned up meanwhile."""
    try:
        found = seen(output)
    except Gone:
        return 0
    assert len(found) <= most
    return 1


def one(output: Path, as_of: str, tag: str, at: float) -> None:
    time.sleep(max(0.0, at - time.time()))
    publish_once(output, as_of, tag, wait=True)


def together(output: Path, days: list[str], tags: list[str]) -> int:
    """Let publishers begin at one moment and read until the last has ended; return the number of reads."""
    at, reads = time.time() + 3, 0
    workers = [CONTEXT.Process(target=one, args=(output, *what, at)) for what in zip(days, tags, strict=True)]
    for worker in workers:
        worker.start()
    while any(worker.is_alive() for worker in workers):
        reads += read_by_the_way(output, len(set(days)) + 1)
    assert [worker.exitcode for worker in workers] == [0] * len(workers)
    return reads


def test_sixty_four_publishers_of_one_key(tmp_path, capsys):
    output = tmp_path / "out"
    reads = together(output, [DAYS[0]] * TOGETHER, ["same"] * TOGETHER)
    assert seen(output) == {f"as_of={DAYS[0]}": "same", "latest": "same"}
    assert len(list((output / "runs").iterdir())) == 1
    assert leftovers(output) == []
    with capsys.disabled():
        print(f"\n{TOGETHER} publishers of one run of one date: 1 run, {reads:,} reads meanwhile, 0 invalid")


def test_sixty_four_publishers_of_one_date(tmp_path, capsys):
    """Each has a run of its own to publish: the last one stays, as a whole."""
    output, tags = tmp_path / "out", [f"tag {n}" for n in range(TOGETHER)]
    reads = together(output, [DAYS[0]] * TOGETHER, tags)
    found = seen(output)
    assert set(found) == {f"as_of={DAYS[0]}", "latest"}
    assert len(set(found.values())) == 1
    assert set(found.values()) < set(tags)
    assert leftovers(output) == []
    with capsys.disabled():
        print(f"\n{TOGETHER} publishers of as many runs of one date: {reads:,} reads meanwhile, 0 invalid")


def test_sixty_four_publishers_of_as_many_dates(tmp_path, capsys):
    output = tmp_path / "out"
    days = [str(np.datetime64("2026-01-01") + n) for n in range(TOGETHER)]
    reads = together(output, days, [f"tag {day}" for day in days])
    wanted = {f"as_of={day}": f"tag {day}" for day in days}
    assert seen(output) == wanted | {"latest": f"tag {days[-1]}"}
    assert leftovers(output) == []
    with capsys.disabled():
        print(f"\n{TOGETHER} publishers of as many dates: {reads:,} reads meanwhile, 0 invalid")
