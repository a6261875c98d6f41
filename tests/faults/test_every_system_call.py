"""Whatever system call of publishing fails or is the last, readers see a whole run, and a rerun mends all."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.faults.injected import Point, available, harmed, points
from tests.faults.publisher import publish_once
from tests.faults.reader import Torn, leftovers, naive_publish, seen

MONDAY, TUESDAY = "2026-03-02", "2026-03-03"
SCENARIOS = {
    "first": ([], MONDAY),
    "again": ([(MONDAY, "old")], MONDAY),
    "again_and_clean_up": ([(MONDAY, "older"), (MONDAY, "x"), (MONDAY, "old")], MONDAY),
    "next_day": ([(MONDAY, "old")], TUESDAY),
    "backfill": ([(TUESDAY, "old")], MONDAY),
    "nothing_to_do": ([(TUESDAY, "old"), (MONDAY, "new")], MONDAY),
}

pytestmark = pytest.mark.skipif(not available(), reason="strace is not installed")


def prepare(output: Path, before: list[tuple[str, str]]) -> Path:
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir()
    for as_of, tag in before:
        publish_once(output, as_of, tag)
    return output


def check_point(folder: Path, scenario: str, point: Point) -> str:
    """Harm one publishing and say how it ended; raises where a reader or the rerun finds anything amiss."""
    before, as_of = SCENARIOS[scenario]
    output = prepare(folder / "out", before)
    old = seen(output)
    code = harmed(output, as_of, "new", point)
    assert code in (0, 7, -9), (scenario, point, code)
    now, link = seen(output), f"as_of={as_of}"
    if code == 0:
        assert now[link] == "new", (scenario, point)
    assert {k: v for k, v in now.items() if k not in (link, "latest")} == {
        k: v for k, v in old.items() if k not in (link, "latest")
    }
    assert now.get(link) in (old.get(link), "new"), (scenario, point)
    publish_once(output, as_of, "new")
    after = seen(output)
    assert after[link] == "new", (scenario, point)
    assert after["latest"] == after[max(k for k in after if k != "latest")], (scenario, point)
    assert leftovers(output) == [], (scenario, point)
    return str(code)


def campaign(folder: Path, scenario: str, every: int) -> Counter[str]:
    before, as_of = SCENARIOS[scenario]
    all_points = points(prepare(folder / "out", before), as_of, "new", folder / "log")
    endings: Counter[str] = Counter()
    for point in all_points[::every]:
        endings[f"{point[1]} -> {check_point(folder, scenario, point)}"] += 1
    return endings


def test_a_few_of_them(tmp_path):
    endings = campaign(tmp_path, "again_and_clean_up", every=25)
    assert endings["signal=SIGKILL -> -9"] > 2
    assert endings["error=EIO -> 7"] > 0


@pytest.mark.heavy
def test_every_one(tmp_path, capsys):
    total: Counter[str] = Counter()
    for scenario in SCENARIOS:
        endings = campaign(tmp_path, scenario, every=1)
        total += endings
        with capsys.disabled():
            print(f"\n{scenario}: {sum(endings.values())} points, {dict(endings)}")
    with capsys.disabled():
        print(f"in all: {sum(total.values())} points, 0 invalid reads, every rerun recovered: {dict(total)}")
    assert sum(total.values()) >= 118


@pytest.mark.heavy
def test_a_naive_writer_is_caught(tmp_path, capsys):
    def ready(tag: str) -> Path:
        output = tmp_path / "out"
        shutil.rmtree(output, ignore_errors=True)
        naive_publish(output, MONDAY, tag)
        return output

    kills = [
        p
        for p in points(ready("old"), MONDAY, "new", tmp_path / "log", naive=True)
        if p[1].startswith("signal")
    ]
    torn = 0
    for point in kills:
        harmed(ready("old"), MONDAY, "new", point, naive=True)
        try:
            seen(tmp_path / "out")
        except Torn:
            torn += 1
    with capsys.disabled():
        print(f"\nnaive writer: torn in {torn} of {len(kills)} kills")
    assert torn >= 0.8 * len(kills)
