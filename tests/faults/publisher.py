"""One publishing job as `repurchase score` does it, in a process that can be killed at any system call."""

import os
import random
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path

from pipelines.clean_up import clean_up
from pipelines.failures import EnvironmentFailed, Locked
from pipelines.publish import Writer, date_lock, publish, put_links_right
from pipelines.published_runs import current_run, faults
from tests.faults.reader import FILES, naive_publish, text_of


def publish_once(output: Path, as_of: str, tag: str, *, wait: bool = False) -> str:
    """Publish a run of a date, unless it is there."""
    day = date.fromisoformat(as_of)
    with date_lock(output, day, wait=wait):
        before = current_run(output, day)
        if before is not None and before.manifest["tag"] == tag and not faults(before):
            put_links_right(output, before)
            run = before
        else:
            run = publish(output, day, {"tag": tag}, {name: _writer(tag, name) for name in FILES})
        clean_up(output, keep=2)
    return run.run_id


def _writer(tag: str, name: str) -> Writer:
    def write(path: Path) -> int:
        path.write_bytes(text_of(tag, name))
        return 1

    return write


def job(output: Path, as_of: str, tag: str, ready: Connection, *, naive: bool = False) -> None:
    """Get ready, say so, wait for the word, and publish; exit as the command would."""
    act: Callable[[Path], object] = partial(naive_publish if naive else publish_once, as_of=as_of, tag=tag)
    act(output.with_name(f"{output.name}-warm"))  # so that what follows loads no module any more
    ready.send(os.getpid())
    ready.recv()
    try:
        act(output)
    except EnvironmentFailed:
        os._exit(EnvironmentFailed.exit_code)
    except Locked:
        os._exit(Locked.exit_code)
    except OSError:
        os._exit(EnvironmentFailed.exit_code)
    os._exit(0)


def forever(output: Path, days: Sequence[str], seed: int, ready: Connection) -> None:
    """Get ready, say so, wait for the word, and publish one run after another until killed."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    publish_once(output.with_name(f"{output.name}-warm"), days[0], "warm", wait=True)
    ready.send("ready")
    ready.recv()
    for n in count():
        publish_once(output, chance.choice(days), f"{seed}.{n}", wait=True)
