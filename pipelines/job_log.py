"""The log of jobs: a JSON line for every start, step, warning and end, under the shop's output folder.

It names no customer, so that it may be sent where logs are sent.
"""

import argparse
import json
import os
import secrets
import sys
import time
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from features.errors import ContractError
from pipelines.locks import locked
from pipelines.peak_memory import peak_mb, peak_with_children_mb
from pipelines.surroundings import code_version

LOG = "log.jsonl"
LARGEST = 10_000_000
"""Bytes from which on a log is set aside as ``log.1.jsonl``, and that one as ``log.2.jsonl``."""
KEPT = 3
"""So many are kept beside the one that is written to."""

_UNSAID = ("command", "run", "config")
_NAMES = ("to", "versions")
"""Options whose text names a version; other text may name a person."""
_TOLD = ("run_id", "version", "verdict", "customers", "listed")
"""What an answer says of its work."""


class JobLog:
    """One job's lines in the log.

    Lines are held back until the output folder is there, which a job that fails must not make.

    Parameters
    ----------
    folder : Path, optional
        The shop's output folder; without it nothing is written.
    command : str
        What the job runs.
    """

    def __init__(self, folder: Path | None, command: str) -> None:
        now = datetime.now(UTC)
        self._folder, self._command, self._started = folder, command, time.perf_counter()
        self._held: list[str] = []
        self._is_broken = False
        self.job = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"

    def write(self, event: str, **facts: Any) -> None:
        """Add a line; if that fails, it is said once, and the job goes on.

        Parameters
        ----------
        event : str
            ``start``, ``step``, ``warning`` or ``end``.
        **facts
            As plain JSON values; those that are None are left out.
        """
        if self._folder is None or self._is_broken:
            return
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        known = {name: value for name, value in facts.items() if value is not None}
        line = {"at": now, "job": self.job, "command": self._command, "event": event, **known}
        self._held.append(json.dumps(line, ensure_ascii=False, default=str) + "\n")
        try:
            there = self._folder.is_dir()
        except OSError as error:  # a name too long, or a parent that may not be entered
            self._give_up(error)
            return
        if there:
            self._empty(self._folder / LOG)

    def start(self, args: argparse.Namespace) -> None:
        """Say what is run, by which code."""
        self.write(
            "start",
            arguments=_arguments(vars(args)),
            config=args.config.name,
            code=code_version(),
            pid=os.getpid(),
        )

    def step(self, name: str, seconds: float, rows: int | None, *, failed: bool) -> None:
        """Say what a step took; `rows` where it is known how many it was about."""
        self.write(
            "step",
            name=name,
            seconds=round(seconds, 3),
            rows=rows,
            peak_memory_mb=peak_mb(),
            failed=failed or None,
        )

    def warn(self, text: str, code: str | None = None) -> None:
        """Repeat a warning."""
        self.write("warning", code=code, text=text)

    def end(
        self, exit_code: int, message: str | None = None, answer: Mapping[str, Any] | None = None
    ) -> None:
        """Say how it ended; a job without such a line was killed.

        Parameters
        ----------
        exit_code : int
            Of the process.
        message : str, optional
            Why it failed.
        answer : mapping, optional
            Of a job that did not fail: ``pipelines.console.Answer.data``.
        """
        found = answer or {}
        for warning in found.get("warnings", ()):
            said = warning if isinstance(warning, Mapping) else {"text": warning}
            self.warn(str(said["text"]), said.get("code"))
        if self._folder is not None and exit_code == 0:
            self._make(self._folder)
        self.write(
            "end",
            exit_code=exit_code,
            seconds=round(time.perf_counter() - self._started, 3),
            peak_memory_mb=peak_mb(),
            peak_memory_with_children_mb=peak_with_children_mb(),
            message=message,
            **{name: found.get(name) for name in _TOLD},
        )

    def _make(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self._give_up(error)

    def _empty(self, file: Path) -> None:
        """Write what is held back, each line in one go, so that jobs beside each other do not mix."""
        try:
            _make_room(file)
            descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
            try:
                if _is_cut(descriptor):
                    _write_whole(descriptor, b"\n")
                while self._held:
                    _write_whole(descriptor, self._held[0].encode())
                    self._held.pop(0)
            finally:
                os.close(descriptor)
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self._is_broken = True
        sys.stderr.write(f"  warning: the job's log is not written: {error}\n")


NO_LOG = JobLog(None, "")
"""For work that is no job of a shop."""


def job_log(args: argparse.Namespace) -> JobLog:
    """Start the log of a command, unless its config cannot be read, which the command says itself."""
    from pipelines.config import load_config

    try:
        folder = load_config(args.config).output
    except ContractError:
        return NO_LOG
    log = JobLog(folder, args.command)
    log.start(args)
    return log


def _arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """Write down how a command was called; text that a person typed may name somebody."""
    said = {}
    for name, value in given.items():
        if name in _UNSAID or value is None or value is False:
            continue
        is_plain = isinstance(value, bool | int | date) or name in _NAMES
        said[name] = value if is_plain else "not written down"
    return said


def _write_whole(descriptor: int, line: bytes) -> None:
    if os.write(descriptor, line) != len(line):
        raise OSError("the disk took only a part of a line")


def _is_cut(descriptor: int) -> bool:
    """Tell whether a full disk has cut the last line; one that another job writes is whole a moment later."""
    size = _unended(descriptor)
    if size is None:
        return False
    time.sleep(0.05)
    return _unended(descriptor) == size


def _unended(descriptor: int) -> int | None:
    """Return the size of a log whose last line has no end; None where it has."""
    size = os.fstat(descriptor).st_size
    return None if not size or os.pread(descriptor, 1, size - 1) == b"\n" else size


def _make_room(file: Path) -> None:
    """Set a large log aside; one process does it, the others find it done."""
    if not _is_large(file):
        return
    with locked(file.with_name(f".{LOG}.lock")):
        if _is_large(file):
            for number in range(KEPT, 0, -1):
                older = _older(file, number - 1)
                if older.exists():
                    older.replace(_older(file, number))


def _is_large(file: Path) -> bool:
    return file.exists() and file.stat().st_size >= LARGEST


def _older(file: Path, number: int) -> Path:
    return file.with_name(f"{file.stem}.{number}{file.suffix}") if number else file
