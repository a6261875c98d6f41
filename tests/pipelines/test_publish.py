import errno
import json
from datetime import date
from pathlib import Path

import pytest

from pipelines.failures import EnvironmentFailed
from pipelines.publish import publish
from tests.pipelines.conftest import everything

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)


def writer(text: str):
    def write(path: Path) -> int:
        path.write_text(text)
        return len(text)

    return write


def visible(output: Path) -> dict[str, bytes | None]:
    return {k: v for k, v in everything(output).items() if k != ".lock"}


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
    before = visible(tmp_path)

    def fails(path: Path) -> int:
        path.write_text("half")
        raise error

    with pytest.raises(EnvironmentFailed if isinstance(error, OSError) else ValueError):
        publish(tmp_path, MONDAY, {}, {"a.txt": writer("new"), "b.txt": fails})
    assert visible(tmp_path) == before


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
