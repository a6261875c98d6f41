"""The files of a registered model: read once, refused if anything is odd, and known by one digest.

Nothing here looks into a file. What was hashed is what is loaded: the bytes are read once and handed on.
"""

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from errno import ELOOP, ENOENT, ENXIO
from pathlib import Path

from pipelines.failures import Refused

SCORER = "artifacts/scorer/"
"""Where the scorer's own files lie in a model's folder; the others are MLflow's."""
BELONGS = re.compile(
    r"MLmodel|conda\.yaml|python_env\.yaml|requirements\.txt|pyfunc_model\.py"
    r"|artifacts/scorer/(scorer\.json|[\w]+\.trees\.txt)"
)
"""Names of all files that a model of ours has."""
OF_LOADING = re.compile(r"registered_model_meta|__pycache__/pyfunc_model\.[\w-]+\.pyc")
"""What MLflow and Python leave there when somebody loads the model their way. It is not read by ours."""
FOLDERS = ("artifacts", "artifacts/scorer", "__pycache__")
"""Folders that may be below a model's."""
MOST_BYTES = 2**31
"""A model of all horizons has some megabytes."""


def read_model(folder: Path) -> dict[str, bytes]:
    """Read every file under a model's folder.

    Parameters
    ----------
    folder : Path
        Where MLflow keeps it.

    Returns
    -------
    dict of str to bytes
        Path from the folder, with slashes, to content; in order of the paths.

    Raises
    ------
    Refused
        If the folder is absent; if it, or anything in it, is a link or neither a file nor a folder; if it
        holds a file that is none of a model's (`BELONGS`), be it code or a pickle; if it is too large.
    """
    if folder.is_symlink() or not folder.is_dir():
        raise Refused(f"the model's files are missing: {folder} is no folder")
    paths = dict(sorted(_walk(folder)))
    paths = {name: path for name, path in paths.items() if OF_LOADING.fullmatch(name) is None}
    strange = [name for name in paths if BELONGS.fullmatch(name) is None]
    if strange:
        raise Refused(f"the model holds {_some(strange)} that do not belong to it")
    total = sum(path.lstat().st_size for path in paths.values())
    if total > MOST_BYTES:
        raise Refused(f"the model's files have {total:,} bytes, more than any model of this project")
    return {name: _read(name, path) for name, path in paths.items()}


def _walk(folder: Path, within: str = "") -> Iterator[tuple[str, Path]]:
    """Yield the plain files below a folder with their names, without following a link."""
    with os.scandir(folder) as entries:
        for entry in entries:
            name = f"{within}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                if name not in FOLDERS:
                    raise Refused(f"the model holds the folder {name!r} that does not belong to it")
                yield from _walk(Path(entry.path), f"{name}/")
            elif entry.is_file(follow_symlinks=False):
                yield name, Path(entry.path)
            else:
                raise Refused(f"the model holds {name!r}, which is no plain file")


def _read(name: str, path: Path) -> bytes:
    """Read a file that is still no link, and still not too large."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno not in (ELOOP, ENOENT, ENXIO):  # the disk's fault, not the model's
            raise
        raise Refused(f"the model's file {name!r} cannot be read: {error.strerror}") from None
    with os.fdopen(descriptor, "rb") as handle:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Refused(f"the model holds {name!r}, which is no plain file")
        data = handle.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise Refused(f"the model's file {name!r} is larger than any of this project")
    return data


def listing(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the SHA-256 of every file: the manifest of a model."""
    return {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)}


def digest(files: Mapping[str, bytes]) -> str:
    """Digest names and contents together.

    Examples
    --------
    >>> digest({"scorer.json": b"{}"})[:14]
    'sha256:fc7b5e0'
    """
    return digest_of(listing(files))


def digest_of(manifest: Mapping[str, str]) -> str:
    """Digest a manifest (`listing`)."""
    return "sha256:" + hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def check_digest(
    files: Mapping[str, bytes], expected: str, manifest: Mapping[str, str] | None = None
) -> None:
    """Refuse files that are not those that were registered.

    Parameters
    ----------
    files : mapping of str to bytes
        From `read_model`.
    expected : str
        The digest at registration.
    manifest : mapping of str to str, optional
        What the manifest at registration is said to have been: it names what differs, and only where it has
        the expected digest itself.
    """
    found = digest(files)
    if found == expected:
        return
    which = ""
    if manifest is not None and digest_of(manifest) == expected:
        now = listing(files)
        gone, new = sorted(set(manifest) - set(now)), sorted(set(now) - set(manifest))
        changed = [name for name in now if name in manifest and now[name] != manifest[name]]
        parts = [(changed, "changed"), (gone, "gone"), (new, "new")]
        which = ": " + "; ".join(f"{_some(names)} {what}" for names, what in parts if names)
    raise Refused(f"the model's files were changed{which}: digest {found[:19]}… instead of {expected[:19]}…")


def scorer_part(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the scorer's own files, by their bare names."""
    return {name.removeprefix(SCORER): data for name, data in files.items() if name.startswith(SCORER)}


def write_files(files: Mapping[str, bytes], folder: Path) -> None:
    """Write the files into a new folder."""
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


def _some(names: list[str]) -> str:
    return f"{names[0]!r}" + (f" and {len(names) - 1} more files" if len(names) > 1 else "")
