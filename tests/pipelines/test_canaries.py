"""Fifty canaries, every command, thirty forced failures: nobody is named outside the declared outputs."""

import json
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipelines import training
from tests.pipelines.canaries import (
    CANARIES,
    COMMON,
    PEOPLE,
    SINK,
    as_text,
    found_in,
    is_declared,
    plant,
    written,
)
from tests.pipelines.forced_failures import FAILURES, SCORE, TRAIN, Shop

pytestmark = pytest.mark.heavy


@pytest.fixture
def shop(tmp_path: Path, capfd: Any, monkeypatch: pytest.MonkeyPatch) -> Shop:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(training, "choose_trees_weight", lambda *_: 1.0)  # only trees ask for every feature
    return Shop(plant(tmp_path / "shop"), capfd)


COMMANDS: tuple[tuple[tuple[str, ...], tuple[int, ...]], ...] = (
    (("check", "--leaks"), (0,)),
    (("check", "--json"), (0,)),
    (TRAIN, (0,)),
    (("compare",), (0,)),
    (("promote", "--dry-run"), (0, 3)),
    (("promote", "--force", "--reason", "a canary shop"), (0,)),
    (SCORE, (0,)),
    (("--quiet", "--json", *SCORE), (0,)),
    (("outcomes", "--as-of", "2024-09-27"), (4,)),
    (("outcomes", "--as-of", "2024-10-27"), (0,)),
    (("replay", "latest"), (0,)),
    (("compare", "--json"), (0,)),
    (("history", "--json"), (0,)),
    (("doctor", "--repair"), (0, 6, 7)),
    (("rollback",), (6,)),
    (("refresh", "--as-of", "2024-10-24"), (0, 3)),
    (("history",), (0,)),
    (("identify", "c_" + "0" * 24), (2,)),
    (("show", "somebody else"), (2,)),
)


def test_nobody_is_named_outside_the_declared_outputs(shop: Shop) -> None:
    assert len(CANARIES) == len(set(CANARIES)) == 50
    for words, codes in COMMANDS:
        assert shop.run(" ".join(words), *words) in codes, shop.said[" ".join(words)]
    orders = str(shop.folder / "tables" / "orders.parquet")
    assert shop.run("init", "init", orders, config=shop.folder / "guess.toml") == 0
    commands = len(shop.said)

    for name, (words, break_it) in FAILURES.items():
        with ExitStack() as until:
            own = shop.folder / "own.toml"
            own.write_text(break_it(shop, until), encoding="utf-8")
            shop.run(name, *words, config=own)
    bare = str(shop.folder / "tables" / "headless.csv")
    shop.run("init without a header", "init", bare, config=shop.folder / "none.toml")

    failed = {name for name in [*FAILURES, "init without a header"] if shop.codes[name]}
    codes = ", ".join(f"{n} with {code}" for code, n in sorted(Counter(shop.codes.values()).items()))
    print(f"{commands} commands, {len(failed)} forced failures; of all, {codes} ended")
    print("only warned of:", sorted({*FAILURES} - failed))
    spoken = {name: found for name, text in shop.said.items() if (found := found_in(text))}
    declared: Counter[str] = Counter()
    leaked, looked_at = {}, 0
    for folder in (shop.folder, Path(tempfile.gettempdir())):
        for name, path in written(folder):
            found = found_in(as_text(path))
            looked_at += 1
            if is_declared(name):
                declared += found
            elif found:
                leaked[name] = found
    traces = list(Path(tempfile.gettempdir()).glob("repurchase-*.log"))
    print(f"{looked_at} files read, {len(traces)} of them tracebacks")
    hits = [declared.total(), *(sum(map(Counter.total, of.values())) for of in (spoken, leaked))]
    print("hits in declared outputs, on the screen, in other files:", *hits)
    assert len(failed) >= 30
    assert len(traces) >= 5
    assert spoken == {}
    assert leaked == {}
    # The search does find them, where people are to find them.
    assert set(PEOPLE) <= {*declared}
    assert set(PEOPLE) <= {*found_in(as_text(shop.folder / SINK))}
    assert list(shop.folder.glob("out/outcomes/*/closed.parquet"))


def test_a_model_holds_of_texts_only_values_of_many_customers(shop: Shop) -> None:
    assert shop.run("train", *TRAIN) == 0
    places = {name for name, path in written(shop.folder) if found_in(as_text(path), [COMMON])}
    print("an attribute's value that a third of the customers have is in:", sorted(places))
    assert {Path(name).name for name in places} == {"scorer.json"}
    [state] = {path.read_text("utf-8") for name, path in written(shop.folder) if name.endswith("scorer.json")}
    categories = json.loads(state)["categories"]
    customers = pd.read_csv(shop.folder / "tables" / "customers.csv", dtype=str)
    holders = customers.groupby("came_by")["id"].nunique()
    assert set(categories["acquisition_channel"]) == set(holders[holders >= 50].index) - {"N/A"}
