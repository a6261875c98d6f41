"""The scorer as files without pickle: parameters as JSON, trees as LightGBM's text, one digest over all."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from features.errors import ContractError
from models.classifier import trees_from_text, trees_to_text
from models.scorer import Scorer
from pipelines.failures import Refused

STATE = "scorer.json"
TREES = ".trees.txt"


def to_files(scorer: Scorer) -> dict[str, bytes]:
    """Write a scorer as named bytes."""
    state, trees = scorer.to_state()
    files = {STATE: json.dumps(state, indent=1, sort_keys=True).encode()}
    return files | {f"{name}{TREES}": trees_to_text(one).encode() for name, one in sorted(trees.items())}


def digest(files: Mapping[str, bytes]) -> str:
    """Digest names and contents together.

    Examples
    --------
    >>> digest({"scorer.json": b"{}"})[:14]
    'sha256:fc7b5e0'
    """
    listing = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    return "sha256:" + hashlib.sha256(json.dumps(listing, sort_keys=True).encode()).hexdigest()


def write_files(files: Mapping[str, bytes], folder: Path) -> None:
    """Write the files into a new folder."""
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


def read_files(folder: Path) -> dict[str, bytes]:
    """Read every file of a folder, refusing links and anything that is not a plain file.

    Raises
    ------
    Refused
        If the folder is absent or holds something else.
    """
    if not folder.is_dir():
        raise Refused(f"the model's files are missing: {folder}")
    found = {}
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or not path.is_file():
            raise Refused(f"the model holds {path.name!r}, which is no plain file")
        found[path.name] = path.read_bytes()
    return found


def from_files(files: Mapping[str, bytes], expected_digest: str) -> Scorer:
    """Check the digest, then load from the very bytes that were checked.

    Raises
    ------
    Refused
        If the digest differs, or the files cannot be loaded.
    """
    found = digest(files)
    if found != expected_digest:
        raise Refused(
            f"the model's files were changed: digest {found[:19]}… instead of {expected_digest[:19]}…"
        )
    trees = {
        name.removesuffix(TREES): trees_from_text(data.decode())
        for name, data in files.items()
        if name.endswith(TREES)
    }
    try:
        return Scorer.from_state(json.loads(files[STATE]), trees)
    except ContractError as error:
        raise Refused(str(error)) from None
