"""A reader of published runs that shares no code with the publisher, and a writer that is naive."""

import hashlib
import json
import os
from pathlib import Path

FILES = {"scores.parquet": 40_000, "risk_list.csv": 9_000, "quarantine/transactions.parquet": 100}


class Torn(Exception):
    """A reader was shown half a run."""


class Gone(Exception):
    """A run was cleaned up, as a whole, while a slow reader was at it."""


def text_of(tag: str, name: str) -> bytes:
    """Content of a file that says whose it is, of the size of a small shop's."""
    return (f"{tag} {name}\n" * FILES[name]).encode()[: FILES[name]]


def seen(output: Path) -> dict[str, str]:
    """Read all that is published, as a loader would: link to the tag of its run.

    Raises
    ------
    Torn
        If a run is not whole: a file missing, more, short, or of another run.
    """
    links = sorted((output / "scores").glob("as_of=*")) if (output / "scores").is_dir() else []
    latest = output / "latest"
    return {link.name: _tag(link) for link in [*links, *([latest] if os.path.lexists(latest) else [])]}


def _tag(link: Path) -> str:
    folder = link.resolve()
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        tag, listed = manifest["tag"], manifest["files"]
        there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        if there - {"manifest.json"} != set(FILES) or set(listed) != set(FILES):
            raise Torn(f"{link.name}: files {sorted(there)}")
        for name, entry in listed.items():
            content = (folder / name).read_bytes()
            if content != text_of(tag, name) or hashlib.sha256(content).hexdigest() != entry["sha256"]:
                raise Torn(f"{link.name}: {name} is not of run {tag}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, FileNotFoundError) and link.resolve() != folder and not folder.exists():
            raise Gone(folder.name) from None
        raise Torn(f"{link.name}: {error}") from error
    return str(tag)


def leftovers(output: Path) -> list[str]:
    """What lies there beside runs, links and locks."""
    known = {"runs", "scores", "latest", ".locks"}
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
