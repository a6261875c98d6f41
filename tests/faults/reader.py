"""A reader of published runs that shares no code with the publisher, and a writer that is naive."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FILES = {"scores.parquet": 40_000, "risk_list.csv": 9_000, "quarantine/transactions.parquet": 100}


class Torn(Exception):
    """A reader was shown half a run."""


class Gone(Exception):
    """A run was cleaned up, as a whole, while a slow reader was at it."""


def text_of(tag: str, name: str) -> bytes:
    """Content of a file that says whose it is, of the size of a small shop's."""
    return (f"{tag} {name}\n" * FILES[name]).encode()[: FILES[name]]


def links(output: Path) -> list[Path]:
    """All links to runs."""
    dates = sorted((output / "scores").glob("as_of=*")) if (output / "scores").is_dir() else []
    latest = output / "latest"
    return [*dates, *([latest] if os.path.lexists(latest) else [])]


def seen(output: Path) -> dict[str, str]:
    """Read all that is published, as a loader would: link to the tag of its run.

    Raises
    ------
    Torn
        If a run is not whole: a file missing, more, short, or of another run.
    Gone
        If a run was cleaned up while it was read.
    """
    return {link.name: _tag(link) for link in links(output)}


def _tag(link: Path) -> str:
    manifest = whole(link, FILES)
    return str(manifest["tag"])


def whole(link: Path, tagged: Mapping[str, int] | None = None) -> dict[str, Any]:
    """Read the run behind a link: all files that its manifest lists, and no others; return the manifest.

    With `tagged`, the files are to be these, and each is to say whose it is (`text_of`).
    """
    folder = link.resolve()
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
        listed = manifest["files"]
        there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        if there - {"manifest.json"} != set(listed) or (tagged is not None and set(listed) != set(tagged)):
            raise Torn(f"{link.name}: files {sorted(there)}")
        for name, entry in listed.items():
            content = (folder / name).read_bytes()
            if hashlib.sha256(content).hexdigest() != entry["sha256"]:
                raise Torn(f"{link.name}: {name} is not what the manifest says")
            if tagged is not None and content != text_of(manifest["tag"], name):
                raise Torn(f"{link.name}: {name} is not of run {manifest['tag']}")
    except (OSError, ValueError, KeyError, TypeError, Torn) as error:
        if link.resolve() != folder and not folder.exists():
            raise Gone(folder.name) from None
        raise error if isinstance(error, Torn) else Torn(f"{link.name}: {error}") from error
    return manifest


def leftovers(output: Path) -> list[str]:
    """What lies there beside runs, links, locks and the log."""
    known = {"runs", "scores", "latest", ".locks", "log.jsonl"}
    odd = [path.name for path in output.iterdir() if path.name not in known]
    odd += [path.name for path in (output / "scores").iterdir() if not path.name.startswith("as_of=")]
    return odd + [path.name for path in (output / ".locks").iterdir() if path.name != "root"]


def naive_publish(output: Path, as_of: str, tag: str) -> None:
    """Write files where readers look for them, as scripts do."""
    folder = output / "scores" / f"as_of={as_of}"
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text_of(tag, name))
    files = {name: {"sha256": hashlib.sha256(text_of(tag, name)).hexdigest()} for name in FILES}
    (folder / "manifest.json").write_text(json.dumps({"tag": tag, "files": files}))
