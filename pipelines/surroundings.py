"""What a training ran with: our code to the byte, and every installed package."""

import hashlib
import platform
from functools import cache
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("features", "models", "pipelines")


@cache
def code_version() -> dict[str, str]:
    """Say which code runs: the release, the SHA-256 over all our files, and the commit of a checkout."""
    state = hashlib.sha256()
    for path in sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        state.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    found = {"repurchase": version("repurchase"), "sha256": state.hexdigest()}
    commit = _commit(ROOT / ".git")
    return found | ({"commit": commit} if commit else {})


def _commit(git: Path) -> str:
    """Read the commit of a checkout without git; empty where there is none, or it is a linked one."""
    try:
        head = (git / "HEAD").read_text("utf-8").strip()
        if not head.startswith("ref: "):
            return head
        name = head.removeprefix("ref: ")
        if (git / name).exists():
            return (git / name).read_text("utf-8").strip()
        packed = (git / "packed-refs").read_text("utf-8").splitlines()
        return next((line.split(" ")[0] for line in packed if line.endswith(f" {name}")), "")
    except OSError:
        return ""


def environment() -> dict[str, Any]:
    """Say which Python, machine and packages there are."""
    packages = {str(one.metadata["Name"]).lower(): one.version for one in distributions()}
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": dict(sorted(packages.items())),
    }
