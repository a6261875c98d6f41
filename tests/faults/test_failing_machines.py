"""Disks that are full or closed, and inputs that are cut off: nothing half is left, and a rerun recovers."""

import os
import shutil
import subprocess

import numpy as np
import pytest

from pipelines.cli import main
from pipelines.published_runs import find_run
from tests.faults.full_jobs import score
from tests.faults.reader import leftovers, links, whole
from tests.pipelines.conftest import AS_OF

CUTS = 40

pytestmark = pytest.mark.heavy
as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a disk")


@as_root
def test_a_full_disk(own_shop, tmp_path, capsys):
    small, out = tmp_path / "small", own_shop.parent / "out"
    small.mkdir()
    shutil.rmtree(out)
    out.symlink_to(small)
    for size in ("40k", "100k", "200k", "300k"):
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(small)], check=True)
        try:
            full = score(own_shop, AS_OF)
            assert (full.returncode, "Traceback" in full.stderr) == (7, False), full.stderr
            assert "No space left" in full.stderr
            assert links(small) == []
            assert not list(small.glob(".stage-*"))
            subprocess.run(["mount", "-o", "remount,size=64m", str(small)], check=True)
            again = score(own_shop, AS_OF)
            assert again.returncode == 0, again.stderr
            assert len([whole(link) for link in links(small)]) == 2
            assert leftovers(small) == []
        finally:
            subprocess.run(["umount", str(small)], check=True)
    with capsys.disabled():
        print("\n4 full disks: exit 7, nothing published; 4 of 4 reruns recovered")


@as_root
def test_an_output_that_cannot_be_written(own_shop):
    """A mount, because a folder's mode does not stop root."""
    out = own_shop.parent / "out"
    before = find_run(out, "latest").run_id
    own_shop.write_text(own_shop.read_text().replace('"EUR"', '"USD"'))
    subprocess.run(["mount", "--bind", str(out), str(out)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(out)], check=True)
        closed = score(own_shop, AS_OF)
        assert (closed.returncode, "Traceback" in closed.stderr) == (7, False), closed.stderr
        assert find_run(out, "latest").run_id == before
        assert [whole(link)["run_id"] for link in links(out)] == [before] * 2
    finally:
        subprocess.run(["umount", str(out)], check=True)
    again = score(own_shop, AS_OF)
    assert again.returncode == 0, again.stderr
    assert find_run(out, "latest").run_id != before


def test_inputs_cut_off_anywhere(own_shop, capsys):
    log, out, rng = own_shop.parent / "orders.parquet", own_shop.parent / "out", np.random.default_rng(5)
    content, before = log.read_bytes(), find_run(out, "latest").run_id
    call = ["--config", str(own_shop), "--quiet", "score", "--as-of", AS_OF]
    for end in rng.integers(0, len(content), CUTS):
        log.write_bytes(content[:end])
        code, said = main(call), capsys.readouterr().err
        assert (code, "Traceback" in said, "orders.parquet" in said) == (2, False, True), said
        assert [whole(link)["run_id"] for link in links(out)] == [before] * 2
    log.write_bytes(content)
    assert main(call) == 0
    with capsys.disabled():
        print(f"\n{CUTS} logs cut off anywhere: exit 2, the run before stays; the rerun recovered")
