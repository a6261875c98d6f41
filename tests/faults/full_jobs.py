"""Whole scoring jobs, as a scheduler starts them, and a reader that is at work while they are."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults.reader import Gone, links, whole


def command(config: Path, as_of: str, *options: str) -> list[str]:
    """Words that score a date."""
    arguments = ("--config", str(config), "--quiet", "score", "--as-of", as_of, *options)
    return [sys.executable, "-m", "pipelines.cli", *arguments]


def score(config: Path, as_of: str) -> subprocess.CompletedProcess[str]:
    """Score a date and wait for the end, whatever it is."""
    return subprocess.run(command(config, as_of), capture_output=True, text=True, check=False)


def read_while(output: Path, busy: Callable[[], bool]) -> int:
    """Read all that is published again and again; return how often a whole run was read."""
    reads = 0
    while busy():
        time.sleep(0.002)  # else the reader takes the jobs' own core
        for link in links(output):
            try:
                whole(link)
            except Gone:
                continue
            reads += 1
    return reads
