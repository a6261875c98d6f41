"""What the repository may not carry (index addresses, machine paths), and what its lock must."""

import re
import subprocess
import tomllib
from collections import defaultdict
from importlib import metadata
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
MACHINE = re.compile(r"https?://[^\s\"']*(?:pypi|pythonhosted)|(?<![\w.])/(?:home|root|work|opt)/")


def tracked() -> list[Path]:
    """List the files of the repository; where git is absent, those of its known folders."""
    try:
        done = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        names = [name for name in done.stdout.split("\0") if name]
    except FileNotFoundError:
        names = []
    if "pyproject.toml" in names:
        return [ROOT / name for name in names if (ROOT / name).is_file()]
    folders = ["features", "models", "pipelines", "tests", "notebooks", "benchmarks", "docs", ".ci"]
    top = ["pyproject.toml", "requirements.lock", "Makefile", "MLproject", "python_env.yaml", "README.md"]
    inside = (path for folder in folders for path in (ROOT / folder).rglob("*"))
    candidates = [*inside, *(ROOT / name for name in top)]
    return [path for path in candidates if path.is_file() and "__pycache__" not in path.parts]


def test_no_file_names_an_index_or_a_machine() -> None:
    texts = {path: path.read_text(encoding="utf-8", errors="replace") for path in tracked()}
    assert ROOT / "pyproject.toml" in texts
    assert [str(path) for path, text in texts.items() if MACHINE.search(text)] == []


def test_no_merge_was_left_half_done() -> None:
    marks = re.compile("^(?:" + "<" * 7 + "|" + ">" * 7 + ") ", re.MULTILINE)
    assert marks.search("a\n" + "<" * 7 + " HEAD\nb")
    left = [str(path) for path in tracked() if marks.search(path.read_text("utf-8", errors="replace"))]
    assert left == []


@pytest.mark.parametrize("text", ["https://py" + "pi.org/simple", "source = '/wor" + "k/log.csv'"])
def test_an_address_or_path_would_be_noticed(text: str) -> None:
    assert MACHINE.search(text)


LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def lock_entries(text: str = LOCK) -> list[str]:
    lines = text.replace("\\\n", " ").splitlines()
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


def locked(text: str = LOCK) -> list[Requirement]:
    """What the lock installs here."""
    found = [Requirement(line.split("--hash")[0]) for line in lock_entries(text)]
    return [r for r in found if holds(r, "")]


def extras_of(requirements: list[Requirement]) -> dict[str, set[str]]:
    """The extras that are named of each distribution."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for requirement in requirements:
        found[canonicalize_name(requirement.name)] |= set(map(canonicalize_name, requirement.extras))
    return found


def required_by(name: str, extras: set[str]) -> list[Requirement]:
    """What an installed distribution requires here, with these of its extras; nothing if not installed."""
    try:
        asked = [Requirement(text) for text in metadata.requires(name) or []]
    except metadata.PackageNotFoundError:
        return []
    return [r for r in asked if holds(r, "", *extras)]


def holds(requirement: Requirement, *extras: str) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in extras)


def test_every_locked_requirement_is_pinned_and_hashed() -> None:
    loose = [
        line
        for line in lock_entries()
        if not re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}(\s|$)", line)
    ]
    assert loose == []


def test_the_lock_satisfies_the_project() -> None:
    wanted = [Requirement(text) for text in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]]
    versions = {(canonicalize_name(r.name), str(s).removeprefix("==")) for r in locked() for s in r.specifier}
    unmet = [
        str(r)
        for r in wanted
        if not any(n == canonicalize_name(r.name) and r.specifier.contains(v) for n, v in versions)
    ]
    assert unmet == []


def unnamed_extras(text: str) -> set[str]:
    """List the extras that the project or a locked distribution requires, and the lock does not name."""
    named = extras_of(locked(text))
    ours = chain(PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    theirs = chain.from_iterable(required_by(name, extras) for name, extras in named.items())
    wanted = extras_of([*map(Requirement, ours), *theirs])
    return {f"{name}[{e}]" for name, extras in wanted.items() for e in extras - named.get(name, set())}


def test_the_lock_names_the_extras_that_are_required() -> None:
    """An older pip takes the newest `coverage[toml]` past `coverage==…`, and then lacks a hash for it."""
    assert unnamed_extras(LOCK) == set()
    bare = re.sub(r"^([\w.-]+)\[[\w,-]+\]==", r"\1==", LOCK, flags=re.MULTILINE)
    assert {"coverage[toml]", "ibis-framework[duckdb]", "optype[numpy]"} <= unnamed_extras(bare)
