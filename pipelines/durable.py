"""Files, folders and links that are there after a power failure, too."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.failures import EnvironmentFailed
from pipelines.plain_words import words_of

FRESH = ".link-"
"""How names begin of links and files that have not taken their place yet."""


@contextmanager
def on_disk(output: Path) -> Iterator[None]:
    """Turn what the disk says into a clear error."""
    try:
        yield
    except OSError as error:
        said = error.strerror or words_of(error)  # not its files: a name may be that of a customer
        raise EnvironmentFailed(f"{output}: cannot publish: {said}") from error


def make_folder(folder: Path) -> None:
    """Make a folder so that it is there after a power failure, too."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync(folder.parent)


def sync_tree(folder: Path) -> None:
    """Write a folder, and all in it, through to the disk."""
    for path in [*folder.rglob("*"), folder]:
        sync(path)


def sync(path: Path) -> None:
    """Write a file, or the names in a folder, through to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def point(link: Path, target: Path) -> None:
    """Replace a link by a rename, which readers see as one step."""
    if link.is_symlink() and link.readlink() == target:
        return
    fresh = link.with_name(f"{FRESH}{secrets.token_hex(3)}")
    fresh.symlink_to(target)
    fresh.replace(link)
    sync(link.parent)
