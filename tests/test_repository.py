"""What the repository may not carry (index addresses, machine paths), and what its lock must."""

import re
import subprocess
import tomllib
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


@pytest.mark.parametrize("text", ["https://py" + "pi.org/simple", "source = '/wor" + "k/log.csv'"])
def test_an_address_or_path_would_be_noticed(text: str) -> None:
    assert MACHINE.search(text)


def lock_entries() -> list[str]:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def test_every_locked_requirement_is_pinned_and_hashed() -> None:
    loose = [
        line
        for line in lock_entries()
        if not re.match(r"[\w.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}(\s|$)", line)
    ]
    assert loose == []


def test_the_lock_satisfies_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [Requirement(text) for text in project["dependencies"] + project["optional-dependencies"]["dev"]]
    locked = [Requirement(line.split("--hash")[0]) for line in lock_entries()]
    versions = {(canonicalize_name(r.name), str(s).removeprefix("==")) for r in locked for s in r.specifier}
    unmet = [
        str(r)
        for r in wanted
        if not any(n == canonicalize_name(r.name) and r.specifier.contains(v) for n, v in versions)
    ]
    assert unmet == []
