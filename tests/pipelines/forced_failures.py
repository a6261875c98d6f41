"""Commands that fail, in every way that can show a row of a shop's tables."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from pipelines import listing, promote, purchase_log, reasons, training
from pipelines import scoring as work
from pipelines.cli import main
from pipelines.locks import locked
from pipelines.publish import LOCKS
from tests.pipelines.canaries import CONFIG, NAMES, ORDERS, PEOPLE

AS_OF = "2024-09-25"
SCORE, CHECK, TRAIN = ("score", "--as-of", AS_OF), ("check",), ("train", "--as-of", AS_OF)


@dataclass
class Shop:
    """The planted shop, and all that its commands have said."""

    config: Path
    capture: Any
    said: dict[str, str] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.config.parent

    def run(self, name: str, *words: str, config: Path | None = None) -> int:
        """Run a command and keep what it says, whoever says it."""
        self.capture.readouterr()
        code = main(["--config", str(config or self.config), *words])
        out, err = self.capture.readouterr()
        self.said[name] = f"{out}{err}"
        self.codes[name] = code
        return code


Break = Callable[[Shop, ExitStack], str]
"""Breaks something until the stack is closed; returns the config to use."""


def slip(old: str, new: str) -> Break:
    """A slip in the config, such as a column that is mapped wrongly."""

    def break_it(_shop: Shop, _until: ExitStack) -> str:
        assert old in CONFIG
        return CONFIG.replace(old, new, 1)

    return break_it


def log(name: str, write: Callable[[Path, pd.DataFrame], object]) -> Break:
    """Another log in place of the orders."""

    def break_it(shop: Shop, _until: ExitStack) -> str:
        tables = shop.folder / "tables"
        write(tables / name, pd.read_parquet(tables / "orders.parquet"))
        source = f"duckdb:///tables/{name}#log" if name.endswith(".duckdb") else f"tables/{name}"
        return CONFIG.replace("tables/orders.parquet", source)

    return break_it


def headless(path: Path, rows: pd.DataFrame) -> None:
    rows.to_csv(path, index=False, header=False)


def torn(path: Path, rows: pd.DataFrame) -> None:
    lines = rows.to_csv(index=False).splitlines()
    lines[900:900] = [f'{name},"torn,,,,{PEOPLE[0]}' for name in NAMES]
    path.write_text("\n".join(lines), encoding="utf-8")


def truncated(path: Path, rows: pd.DataFrame) -> None:
    path.write_bytes(rows.to_parquet()[:-900])


def names_alone(path: Path, _rows: pd.DataFrame) -> None:
    path.write_text("\n".join([*PEOPLE, *NAMES]), encoding="utf-8")


def failing_view(path: Path, rows: pd.DataFrame) -> None:
    with duckdb.connect(str(path)) as store:
        store.register("frame", rows)
        store.execute("create table kept as select * from frame")
        store.execute(
            "create view log as select * replace (cast(customer_id as integer) as customer_id) from kept"
        )


def lists(path: Path, rows: pd.DataFrame) -> None:
    rows.assign(customer_id=[[one] for one in rows["customer_id"]]).to_parquet(path)


def structures(path: Path, rows: pd.DataFrame) -> None:
    rows.assign(unit_price=[{"of": one} for one in rows["customer_id"]]).to_parquet(path)


def few(path: Path, rows: pd.DataFrame) -> None:
    rows.assign(customer_id=rows["customer_id"].where(rows.index % 9 == 0)).to_parquet(path)


def bug(module: Any, name: str, error: Callable[[], Exception]) -> Break:
    """A function that raises, with a canary in what it says."""
    assert hasattr(module, name)  # now, so that no rename waits for the heavy tests

    def break_it(_shop: Shop, until: ExitStack) -> str:
        def broken(*_args: Any, **_options: Any) -> Any:
            raise error()

        until.enter_context(pytest.MonkeyPatch.context()).setattr(module, name, broken)
        return CONFIG

    return break_it


def bug_in_a_process(_shop: Shop, until: ExitStack) -> str:
    def run_folds(*_args: Any) -> Any:
        return training.in_parallel(float, [("1",), (PEOPLE[0],)])

    until.enter_context(pytest.MonkeyPatch.context()).setattr(training, "run_folds", run_folds)
    return CONFIG


def after_another() -> Exception:
    error = RuntimeError(f"row of {PEOPLE[1]} ({NAMES[0]})")
    error.__cause__ = KeyError(PEOPLE[0])
    return error


def changed(pattern: str, change: Callable[[bytes], bytes]) -> Break:
    """A file of the store or the output that is not what it was."""

    def break_it(shop: Shop, until: ExitStack) -> str:
        for file in shop.folder.glob(pattern):
            before = file.read_bytes()
            until.callback(file.write_bytes, before)
            file.write_bytes(change(before))
        return CONFIG

    return break_it


def held(shop: Shop, until: ExitStack) -> str:
    until.enter_context(locked(shop.folder / "out" / LOCKS / f"as_of={AS_OF}"))
    return CONFIG


def taken(shop: Shop, _until: ExitStack) -> str:
    (shop.folder / "taken").write_text("a file where the output should be")
    return CONFIG.replace("[project]\n", '[project]\noutput = "taken"\n')


DATE, TARGET = 'ordered_at = "ordered_at"', "[target]\n"
ENGINE = "[engine]\noptions = {{ {} }}\n[target]\n"
LEFT_OUT = '[policy]\nleave_out = {{ column = "{}", values = ["nothing"] }}\n[target]\n'
FAILURES: dict[str, tuple[tuple[str, ...], Break]] = {
    "an e-mail for a date": (CHECK, slip(DATE, 'ordered_at = "email"')),
    "a customer for a date": (CHECK, slip(DATE, 'ordered_at = "customer_id"')),
    "an order for a day of record": (CHECK, slip(DATE, f'{DATE}\nrecorded_at = "order_id"')),
    "a name for a price": (TRAIN, slip('"unit_price"\n', '"full_name"\n')),
    "a product for a quantity": (CHECK, slip('quantity = "quantity"', 'quantity = "product_id"')),
    "no such column": (CHECK, slip('"unit_price"\n', '"unit_prise"\n')),
    "no header": (CHECK, log("headless.csv", headless)),
    "a torn file": (CHECK, log("torn.csv", torn)),
    "a truncated file": (CHECK, log("truncated.parquet", truncated)),
    "no table": (CHECK, log("names.parquet", names_alone)),
    "names in place of a table": (CHECK, log("names.csv", names_alone)),
    "a view that fails on its rows": (CHECK, log("shop.duckdb", failing_view)),
    "customers in lists": (CHECK, log("lists.parquet", lists)),
    "prices in structures": (CHECK, log("structures.parquet", structures)),
    "hardly a customer": (CHECK, log("few.parquet", few)),
    "a channel for a time": (CHECK, slip('occurred_at = "lúc"', 'occurred_at = "kênh"')),
    "a campaign for a day": (CHECK, slip('sent_at = "sent"', 'sent_at = "campaign"')),
    "an e-mail for when a row counts": (CHECK, slip('valid_from = "since"', 'valid_from = "email"')),
    "no such attribute": (CHECK, slip('"city", ', '"city", "towm", ')),
    "words of customers left out": (CHECK, slip(TARGET, LEFT_OUT.format("customer_id"))),
    "names left out": (CHECK, slip(TARGET, LEFT_OUT.format("full_name"))),
    "strangers in the events": (SCORE, slip('customer_id = "Khách"', 'customer_id = "kênh"')),
    "an attribute that is gone": (SCORE, slip('"city", ', "")),
    "another target": (SCORE, slip("[30, 60]", "[20, 60]")),
    "a date before the log": (("score", "--as-of", "2019-01-01"), slip("VND", "VND")),
    "no memory": (CHECK, slip(TARGET, ENGINE.format('memory_limit = "1MB"'))),
    "no such option": (CHECK, slip(TARGET, ENGINE.format('nonsense = "1"'))),
    "no store": (SCORE, slip(TARGET, '[mlflow]\ntracking_uri = "sqlite:///nowhere/m.db"\n[target]\n')),
    "a changed model": (SCORE, changed("mlartifacts/**/scorer.json", lambda data: data.replace(b"0", b"1"))),
    "a changed ledger": (SCORE, changed("out/promotions.jsonl", lambda data: data.replace(b"1", b"2"))),
    "a broken store": (("doctor",), changed("mlflow.db", lambda data: data[:100] + bytes(4000) + data[4:])),
    "another run": (SCORE, held),
    "no room for the output": (SCORE, taken),
    "a bug at the door": (CHECK, bug(purchase_log, "at_the_door", lambda: KeyError(PEOPLE[0]))),
    "a bug after another": (TRAIN, bug(training, "run_folds", after_another)),
    "a bug in a process of its own": (TRAIN, bug_in_a_process),
    "a bug in the features": (SCORE, bug(work, "build_features", lambda: ValueError(f"no number: {NAMES}"))),
    "a bug in the reasons": (SCORE, bug(reasons, "reason_texts", lambda: IndexError(repr(PEOPLE)))),
    "a bug in the list": (SCORE, bug(listing, "write_risk_list", lambda: TypeError(f"{ORDERS[0]!r}: none"))),
    "a bug in the gate": (("promote",), bug(promote, "_already", lambda: ValueError(f"{PEOPLE[9]}!"))),
    "a disk without a number": (SCORE, bug(work, "outlook", lambda: OSError(f"cannot write {PEOPLE[3]!r}"))),
}  # fmt: skip
