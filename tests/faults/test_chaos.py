"""Publishers killed at random moments, many at once, and machines that fail: readers see whole runs only."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from pipelines.published_runs import current_runs, faults, find_run
from tests.faults.publisher import publish_once
from tests.faults.reader import Gone, leftovers, seen
from tests.pipelines.conftest import AS_OF

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.faults.publisher"])
DAYS = ("2026-03-02", "2026-03-03", "2026-03-04")
KILLS, FULL_KILLS = 1000, 100

pytestmark = pytest.mark.heavy


def forever(output: Path, seed: int) -> None:
    """Publish one run after another, of one date or another, until killed."""
    rng = np.random.default_rng(seed)
    for n in range(10**6):
        publish_once(output, str(rng.choice(DAYS)), f"{seed}.{n}", wait=True)


def test_publishing_killed_at_random_moments(tmp_path, capsys):
    output, rng, reads = tmp_path / "out", np.random.default_rng(7), 0
    for day in DAYS:
        publish_once(output, day, "first")
    for kill in range(KILLS):
        process = CONTEXT.Process(target=forever, args=(output, kill))
        process.start()
        end = time.monotonic() + rng.uniform(0.02, 0.12)
        while time.monotonic() < end:  # a reader at work meanwhile
            reads += read_by_the_way(output)
        process.kill()
        process.join()
        assert len(seen(output)) == len(DAYS) + 1
        if kill % 20 == 0:
            publish_once(output, DAYS[0], f"after {kill}", wait=True)
            assert seen(output)[f"as_of={DAYS[0]}"] == f"after {kill}"
            assert leftovers(output) == []
    with capsys.disabled():
        print(f"\n{KILLS} kills, {reads:,} reads meanwhile: all of whole runs")
    assert reads > KILLS


def read_by_the_way(output: Path) -> int:
    """Read what is published while others publish; return 1, or 0 where a run was cleaned up meanwhile."""
    try:
        assert len(seen(output)) == len(DAYS) + 1
    except Gone:
        return 0
    return 1


def one(output: Path, as_of: str, tag: str, at: float) -> None:
    time.sleep(max(0.0, at - time.time()))
    publish_once(output, as_of, tag, wait=True)


def together(calls: list[tuple[Path, str, str]]) -> list[int | None]:
    at = time.time() + 3
    workers = [CONTEXT.Process(target=one, args=(*call, at)) for call in calls]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return [worker.exitcode for worker in workers]


def test_sixty_four_publishers_of_one_key(tmp_path):
    output = tmp_path / "out"
    assert together([(output, DAYS[0], "same")] * 64) == [0] * 64
    assert seen(output) == {f"as_of={DAYS[0]}": "same", "latest": "same"}
    assert len(list((output / "runs").iterdir())) == 1
    assert leftovers(output) == []


def test_sixty_four_publishers_of_as_many_keys(tmp_path):
    output = tmp_path / "out"
    days = [str(np.datetime64("2026-01-01") + n) for n in range(64)]
    assert together([(output, day, f"tag {day}") for day in days]) == [0] * 64
    wanted = {f"as_of={day}": f"tag {day}" for day in days}
    assert seen(output) == wanted | {"latest": f"tag {days[-1]}"}
    assert leftovers(output) == []


def command(config: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "pipelines.cli", "--config", str(config), "--quiet", *arguments]


def whole(config: Path) -> None:
    runs = current_runs(config.parent / "out")
    assert runs
    assert [faults(run) for run in runs] == [[]] * len(runs)


def test_the_full_job_killed_at_random_moments(own_shop, capsys):
    out, rng = own_shop.parent / "out", np.random.default_rng(11)
    wanted = find_run(out, "latest").manifest["content"]
    start = time.monotonic()
    shutil.rmtree(out / "runs")
    subprocess.run(command(own_shop, "score", "--as-of", AS_OF), check=True)
    lasts, killed = time.monotonic() - start, 0
    while killed < FULL_KILLS:
        if killed % 10 == 0:  # else there would be nothing to do
            shutil.rmtree(out, ignore_errors=True)
            subprocess.run(command(own_shop, "score", "--as-of", "2025-02-01"), check=True)
        with subprocess.Popen(command(own_shop, "score", "--as-of", AS_OF), start_new_session=True) as job:
            time.sleep(rng.uniform(0.3, lasts))
            if job.poll() is None:
                os.killpg(job.pid, signal.SIGKILL)
                killed += 1
        whole(own_shop)
        if killed % 10 == 9:
            subprocess.run(command(own_shop, "score", "--as-of", AS_OF), check=True)
            assert find_run(out, AS_OF).manifest["content"] == wanted
            assert not list(out.glob(".stage-*"))
    with capsys.disabled():
        print(f"\n{killed} kills of the full job, which takes {lasts:.1f} s: readers saw whole runs only")


def test_eight_full_jobs_at_once(own_shop):
    out = own_shop.parent / "out"
    wanted = find_run(out, AS_OF).manifest["content"]
    shutil.rmtree(out)
    days = ["2025-01-01", "2025-01-15", "2025-02-01", AS_OF]
    calls = [command(own_shop, "score", "--as-of", day, "--wait") for day in days * 2]
    jobs = [subprocess.Popen(call, stderr=subprocess.PIPE, text=True) for call in calls]
    said = [job.communicate()[1] for job in jobs]
    assert [job.returncode for job in jobs] == [0] * 8, said
    whole(own_shop)
    assert [run.as_of.isoformat() for run in current_runs(out)] == days
    assert len(list((out / "runs").iterdir())) == 4
    assert find_run(out, "latest").manifest["content"] == wanted


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk(own_shop, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    out = own_shop.parent / "out"
    kept = tmp_path / "kept"
    shutil.move(out, kept)
    for size, code in (("40k", 7), ("300k", 7), ("64m", 0)):
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(small)], check=True)
        try:
            out.symlink_to(small)
            done = subprocess.run(
                command(own_shop, "score", "--as-of", AS_OF), capture_output=True, text=True, check=False
            )
            assert done.returncode == code, done.stderr
            if code:
                assert "No space left" in done.stderr
                assert not (small / "latest").exists()
            else:
                whole(own_shop)
        finally:
            out.unlink()
            subprocess.run(["umount", str(small)], check=True)


def test_an_output_that_cannot_be_written(own_shop):
    out = own_shop.parent / "out"
    before = find_run(out, "latest").run_id
    own_shop.write_text(own_shop.read_text().replace('"EUR"', '"USD"'))
    subprocess.run(["mount", "--bind", str(out), str(out)], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", str(out)], check=True)
    try:
        done = subprocess.run(
            command(own_shop, "score", "--as-of", AS_OF), capture_output=True, text=True, check=False
        )
        assert (done.returncode, "Traceback" in done.stderr) == (7, False), done.stderr
        assert find_run(out, "latest").run_id == before
    finally:
        subprocess.run(["umount", str(out)], check=True)
    subprocess.run(command(own_shop, "score", "--as-of", AS_OF), check=True)
    assert find_run(out, "latest").run_id != before


def test_inputs_cut_off_anywhere(own_shop, capsys):
    log, out, rng = own_shop.parent / "orders.parquet", own_shop.parent / "out", np.random.default_rng(5)
    content, before = log.read_bytes(), find_run(out, "latest").run_id
    from pipelines.cli import main

    for end in rng.integers(0, len(content), 40):
        log.write_bytes(content[:end])
        assert main(["--config", str(own_shop), "--quiet", "score", "--as-of", AS_OF]) == 2
        assert "Traceback" not in capsys.readouterr().err
        assert find_run(out, "latest").run_id == before
    log.write_bytes(content)
    assert main(["--config", str(own_shop), "--quiet", "score", "--as-of", AS_OF]) == 0
