"""docs/features.md is what the catalogue says, and what it shows works."""

import re
import tomllib
from pathlib import Path
from typing import get_args

from features.catalogue import visible_features
from features.contracts import TransactionsContract
from features.doors import COLUMNS, TableContract
from features.feature import Grain
from pipelines.catalogue_page import ANY, GRAINS, catalogue_page
from pipelines.config import Config

PAGE = Path(__file__).resolve().parents[1] / "docs" / "features.md"
COMMAND = ".venv/bin/python -m pipelines.catalogue_page docs/features.md"


def test_the_page_is_what_the_catalogue_says() -> None:
    same = PAGE.is_file() and PAGE.read_text(encoding="utf-8") == catalogue_page()
    assert same, f"docs/features.md is out of date: run `make docs`, or `{COMMAND}`"


def feature_rows() -> list[list[str]]:
    lines = [line for line in catalogue_page().splitlines() if line.startswith("| `") and line.count("|") > 5]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_it_lists_every_feature_once_in_column_order() -> None:
    names = [row[0].strip("`") for row in feature_rows()]
    assert names == [f.name for f in visible_features(has=None, attributes=[(ANY, "number")])]
    assert len(names) >= 60


def test_every_row_is_full() -> None:
    for row in feature_rows():
        assert len(row) == 7
        assert all(row), row


def test_the_counts_of_its_first_lines_are_those_of_its_tables() -> None:
    every, numbers, text = map(int, re.findall(r"\b(\d+) (?:features|are)\b", catalogue_page())[:3])
    units = [row[2] for row in feature_rows() if ANY not in row[0]]
    assert (every, text) == (len(units), units.count("category"))
    assert numbers == every - text


def test_the_config_it_shows_switches_everything_on() -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", catalogue_page(), flags=re.DOTALL)
    tables = Config.model_validate(tomllib.loads(block)).tables
    has = set(TransactionsContract(tables.transactions.columns).has)
    for kind in COLUMNS:
        section = getattr(tables, kind)
        has |= TableContract(kind, section.columns, section.source).has()
    assert [f.name for f in visible_features(has=has)] == [f.name for f in visible_features(has=None)]


def test_every_grain_is_explained() -> None:
    assert set(GRAINS) == set(get_args(Grain))


def test_the_files_it_names_exist() -> None:
    page = catalogue_page()
    named = re.findall(r"features/\w+\.py", page) + [
        f"docs/{link}" for link in re.findall(r"\]\(([^)]+)\)", page)
    ]
    assert len(named) > 8
    for name in named:
        assert (PAGE.parents[1] / name).is_file(), name
