"""One catalogue of words: each in both languages, with the same places, and said somewhere."""

import re
from pathlib import Path
from string import Formatter

import pytest

from features.errors import ContractError
from pipelines.words import catalogue, say

ROOT = Path(__file__).resolve().parents[2]
CODE = "\n".join(
    path.read_text(encoding="utf-8")
    for folder in ("features", "models", "pipelines")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in (".py", ".j2")
)


def places(text: str) -> set[str]:
    return {name.partition(":")[0] for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", sorted(catalogue()))
def test_every_entry_speaks_both_languages(key: str) -> None:
    entry = catalogue()[key]
    assert set(entry) == {"en", "vi"}
    assert all(text.strip() for text in entry.values())
    assert places(entry["en"]) == places(entry["vi"])
    assert "" not in places(entry["en"])


def test_every_entry_is_said_by_its_key_or_its_section() -> None:
    """A key is written out, or made of its section and a name: ``segment.lifecycle.{name}``."""
    said = set(re.findall(r"[\"']([a-z_]+(?:\.[a-z0-9_]+)*)[\"']", CODE))
    sections = set(re.findall(r"[\"']([a-z_]+(?:\.[a-z0-9_]+)*)\.[\"{]", CODE))
    unsaid = [
        key for key in catalogue()
        if key not in said and not any(key.startswith(f"{section}.") for section in sections)
    ]  # fmt: skip
    assert not unsaid


def test_an_unknown_key_names_a_close_one() -> None:
    with pytest.raises(ContractError, match=r"did you mean 'segment.lifecycle.loyal'"):
        say("segment.lifecycle.royal", "en")
