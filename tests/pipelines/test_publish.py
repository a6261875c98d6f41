import errno
import json
import os
import shutil
from datetime import date
from pathlib import Path

import pytest

from features.errors import ContractError
from pipelines.clean_up import clean_up, dead_stages
from pipelines.failures import EnvironmentFailed, Refused
from pipelines.publish import STAGE, content_hash, date_lock, publish, put_links_right, require_places
from pipelines.published_runs import current_dates, current_run, current_runs, faults, find_run, read_run
from tests.pipelines.conftest import everything

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)


def writer(text: str):
    def write(path: Path) -> int:
        path.write_text(text)
        return len(text)

    return write


def test_a_run_appears_whole_with_its_manifest(tmp_path):
    made = publish(
        tmp_path, MONDAY, {"model": {"version": "3"}}, {"a.txt": writer("abc"), "q/b.txt": writer("")}
    )
    assert (tmp_path / "latest" / "a.txt").read_text() == "abc"
    assert (tmp_path / "latest" / "q" / "b.txt").exists()
    manifest = json.loads((tmp_path / "latest" / "manifest.json").read_text())
    assert manifest == made.manifest
    assert manifest["as_of"] == "2026-03-02"
    assert manifest["files"]["a.txt"]["rows"] == 3
    assert manifest["model"] == {"version": "3"}


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), ValueError("bug")])
def test_a_failing_writer_leaves_the_old_run_and_nothing_else(tmp_path, error):
    publish(tmp_path, MONDAY, {}, {"a.txt": writer("old")})
    before = everything(tmp_path)

    def fails(path: Path) -> int:
        path.write_text("half")
        raise error

    with pytest.raises(EnvironmentFailed if isinstance(error, OSError) else ValueError):
        publish(tmp_path, MONDAY, {}, {"a.txt": writer("new"), "b.txt": fails})
    assert everything(tmp_path) == before


def test_publishing_a_date_again_keeps_the_old_run_and_moves_the_links(tmp_path):
    first = publish(tmp_path, MONDAY, {}, {"a.txt": writer("one")})
    second = publish(tmp_path, MONDAY, {}, {"a.txt": writer("two")})
    assert first.run_id != second.run_id
    assert (first.folder / "a.txt").read_text() == "one"
    assert (tmp_path / "scores" / "as_of=2026-03-02" / "a.txt").read_text() == "two"
    assert (tmp_path / "latest" / "a.txt").read_text() == "two"


def test_latest_never_goes_back_in_time(tmp_path):
    publish(tmp_path, TUESDAY, {}, {"a.txt": writer("tuesday")})
    publish(tmp_path, MONDAY, {}, {"a.txt": writer("monday, late")})
    assert (tmp_path / "latest" / "a.txt").read_text() == "tuesday"
    assert (tmp_path / "scores" / "as_of=2026-03-02" / "a.txt").read_text() == "monday, late"


def test_an_output_that_cannot_be_written_is_the_environments_fault(tmp_path):
    (tmp_path / "out").write_text("a file where the folder should be")
    with pytest.raises(EnvironmentFailed, match="cannot publish"):
        publish(tmp_path / "out", MONDAY, {}, {"a.txt": writer("x")})


def test_the_content_is_that_of_the_files_whatever_the_attempt(tmp_path):
    one = publish(tmp_path, MONDAY, {}, {"a": writer("1"), "b": writer("2")})
    again = publish(tmp_path, MONDAY, {"note": "x"}, {"b": writer("2"), "a": writer("1")})
    other = publish(tmp_path, MONDAY, {}, {"a": writer("2"), "b": writer("1")})
    assert one.manifest["content"] == again.manifest["content"] != other.manifest["content"]
    assert content_hash({"ab": {"sha256": "c"}}) != content_hash({"a": {"sha256": "bc"}})


def test_runs_are_read_back_by_id_date_and_as_the_latest(tmp_path):
    monday = publish(tmp_path, MONDAY, {}, {"a.txt": writer("m")})
    tuesday = publish(tmp_path, TUESDAY, {}, {"a.txt": writer("t")})
    assert current_dates(tmp_path) == [MONDAY, TUESDAY]
    assert [run.run_id for run in current_runs(tmp_path)] == [monday.run_id, tuesday.run_id]
    for name, wanted in ((monday.run_id, monday), ("2026-03-02", monday), ("latest", tuesday)):
        assert find_run(tmp_path, name).folder == wanted.folder
    assert current_run(tmp_path, date(2026, 3, 4)) is None
    with pytest.raises(Refused, match="no run 'nonesuch'"):
        find_run(tmp_path, "nonesuch")
    for name in ("../x", "", ".", "/etc", ".locks"):
        with pytest.raises(ContractError, match="no name of a run"):
            find_run(tmp_path, name)


def test_a_run_that_was_touched_says_where(tmp_path):
    run = publish(tmp_path, MONDAY, {}, {"a.txt": writer("a"), "q/b.txt": writer("b"), "c.txt": writer("c")})
    assert faults(run) == []
    (run.folder / "a.txt").write_text("x")
    (run.folder / "q" / "b.txt").unlink()
    (run.folder / "new.txt").write_text("")
    assert faults(run) == ["q/b.txt is missing", "new.txt does not belong to it", "a.txt was changed"]
    (run.folder / "manifest.json").write_text("{")
    with pytest.raises(Refused, match=r"manifest\.json: cannot be read"):
        read_run(run.folder)


def test_a_publisher_killed_between_the_links_is_finished_by_the_next(tmp_path):
    old = publish(tmp_path, MONDAY, {}, {"a.txt": writer("old")})
    new = publish(tmp_path, MONDAY, {}, {"a.txt": writer("new")})
    (tmp_path / "latest").unlink()
    (tmp_path / "latest").symlink_to(f"runs/{old.run_id}")
    put_links_right(tmp_path, new)
    assert (tmp_path / "latest" / "a.txt").read_text() == "new"


def test_what_a_killed_run_has_written_is_swept_and_what_a_living_one_writes_is_not(tmp_path):
    publish(tmp_path, MONDAY, {}, {"a.txt": writer("old")})
    dead, alive = (tmp_path / f"{STAGE}{day}-20260302T000000-abc" for day in ("20260303", "20260304"))
    for stage in (dead, alive):
        stage.mkdir()
        (stage / "half").write_text("h")
    (tmp_path / ".link-abc").symlink_to("runs")
    (tmp_path / "scores" / ".link-abc").symlink_to("runs")
    (tmp_path / ".trash-x").mkdir()
    with date_lock(tmp_path, date(2026, 3, 4)):
        clean_up(tmp_path, keep=1)
        assert not dead.exists()
        assert alive.exists()
    with date_lock(tmp_path, date(2026, 3, 4)):
        publish(tmp_path, date(2026, 3, 4), {}, {"a.txt": writer("w")})
    assert sorted(p.name for p in tmp_path.iterdir()) == [".locks", "latest", "runs", "scores"]
    assert [p.name for p in (tmp_path / ".locks").iterdir()] == ["root"]


def test_cleaning_up_keeps_the_newest_and_every_current_run(tmp_path):
    made = [publish(tmp_path, MONDAY, {}, {"a.txt": writer(str(n))}) for n in range(4)]
    kept = publish(tmp_path, TUESDAY, {}, {"a.txt": writer("t")})
    later = [publish(tmp_path, date(2026, 3, 4), {}, {"a.txt": writer(str(n))}) for n in range(3)]
    for age, run in enumerate([*made, kept, *later]):
        os.utime(run.folder, ns=(age * 10**9, age * 10**9))
    gone = clean_up(tmp_path, keep=2)
    assert sorted(gone) == sorted(run.run_id for run in [*made[:3], later[0]])
    assert {p.name for p in (tmp_path / "runs").iterdir()} == {
        run.run_id for run in (made[3], kept, later[1], later[2])
    }
    assert all(faults(run) == [] for run in current_runs(tmp_path))


def test_a_link_to_a_run_that_someone_removed_is_no_date(tmp_path):
    publish(tmp_path, MONDAY, {}, {"a.txt": writer("m")})
    gone = publish(tmp_path, TUESDAY, {}, {"a.txt": writer("t")})
    shutil.rmtree(gone.folder)
    assert current_dates(tmp_path) == [MONDAY]
    publish(tmp_path, MONDAY, {}, {"a.txt": writer("again")})
    assert (tmp_path / "latest" / "a.txt").read_text() == "again"


@pytest.mark.parametrize("name", ["as_of=2026-03-02.bak", "as_of=2026-03-02 (1)", "as_of=20260302", "as_of="])
def test_a_stray_name_beside_the_dates_is_passed_over(tmp_path, name):
    run = publish(tmp_path, MONDAY, {}, {"a.txt": writer("m")})
    (tmp_path / "scores" / name).symlink_to(f"../runs/{run.run_id}")
    assert current_dates(tmp_path) == [MONDAY]
    publish(tmp_path, MONDAY, {}, {"a.txt": writer("again")})
    assert clean_up(tmp_path, keep=1) == [run.run_id]


def test_a_folder_in_place_of_a_link_is_no_run_and_its_date_is_refused(tmp_path):
    publish(tmp_path, MONDAY, {}, {"a.txt": writer("m")})
    shutil.copytree(tmp_path / "latest", tmp_path / "scores" / "as_of=2026-03-03")
    assert current_dates(tmp_path) == [MONDAY]
    assert current_run(tmp_path, TUESDAY) is None
    publish(tmp_path, MONDAY, {}, {"a.txt": writer("again")})
    assert len(clean_up(tmp_path, keep=1)) == 1
    require_places(tmp_path, MONDAY)
    with pytest.raises(ContractError, match=r"as_of=2026-03-03 is no link to a run.* hint: move it"):
        require_places(tmp_path, TUESDAY)


def test_the_lock_of_a_dead_stage_is_free_while_it_is_removed(tmp_path):
    for day in ("20260302", "20260303"):
        (tmp_path / f"{STAGE}{day}-20260302T000000-abc").mkdir()
    found = []
    for stage in dead_stages(tmp_path):
        with date_lock(tmp_path, MONDAY), date_lock(tmp_path, TUESDAY):
            found.append(stage.name)
    assert len(found) == 2
