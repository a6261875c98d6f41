"""Pseudonyms: the same wherever the key is, from a key that nobody else can read, and back by key and log."""

import csv
import json
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from features.errors import ContractError
from pipelines import pseudonym_file
from pipelines.cli import main
from pipelines.config import Config, load_config
from pipelines.pseudonym_file import write_names
from pipelines.pseudonyms import (
    DIGITS,
    KEY_FILE,
    PSEUDONYM,
    Pseudonyms,
    as_listed,
    how_listed,
    own_pseudonyms,
)
from tests.pipelines.conftest import AS_OF

SHOP = """\
[project]
name = "shop"
[tables.transactions]
source = "orders.csv"
columns = { customer_id = "who", ordered_at = "day", amount = "paid" }
[privacy]
lists = "pseudonyms"
"""
WHO = ["=1+1", 'Ann "the first", Lee', "17850", "khách 7"]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    pd.DataFrame({"who": WHO * 2, "day": "2024-01-31", "paid": 5}).to_csv(
        tmp_path / "orders.csv", index=False
    )
    (tmp_path / "repurchase.toml").write_text(SHOP, encoding="utf-8")
    return tmp_path / "repurchase.toml"


def with_key(shop: Path, name: str) -> Config:
    shop.write_text(f'{SHOP}key_file = "{name}"\n', encoding="utf-8")
    return load_config(shop)


def test_the_first_use_makes_a_key_that_only_its_owner_reads(shop: Path) -> None:
    config = load_config(shop)
    names = own_pseudonyms(config).of_all(WHO)
    key = shop.parent / KEY_FILE
    assert key.stat().st_mode & 0o777 == 0o600
    assert len(bytes.fromhex(key.read_text())) == 32
    assert own_pseudonyms(load_config(shop)).of_all(WHO) == names
    assert all(PSEUDONYM.fullmatch(name) for name in names)
    assert len(set(names)) == len(WHO)
    assert [file.name for file in shop.parent.glob(".repurchase*")] == [KEY_FILE]
    assert key.read_text().strip() not in repr(own_pseudonyms(config))


def test_another_machine_with_the_key_gives_the_same_names_and_one_without_others(shop: Path) -> None:
    names = own_pseudonyms(load_config(shop)).of_all(WHO)
    elsewhere = shop.parent / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(shop, elsewhere)
    other = load_config(elsewhere / "repurchase.toml")
    assert set(own_pseudonyms(other).of_all(WHO)) & set(names) == set()
    shutil.copy2(shop.parent / KEY_FILE, elsewhere)
    assert own_pseudonyms(other).of_all(WHO) == names


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_it_is_the_hmac_that_everyone_knows(shop: Path) -> None:
    names = own_pseudonyms(load_config(shop))
    done = subprocess.run(
        ["openssl", "dgst", "-sha256", "-hmac", names.key.decode()],
        input="khách 7".encode(), capture_output=True, check=True,
    )  # fmt: skip
    assert names.of("khách 7") == f"c_{done.stdout.decode().split()[-1][:DIGITS]}"


def test_no_two_of_100_million_customers_share_a_name() -> None:
    n = 100_000_000
    assert n * (n - 1) / 2 / 16**DIGITS < 1e-12  # the chance that any two do, at most


def test_many_at_once_make_one_key(shop: Path) -> None:
    config = load_config(shop)
    for _ in range(20):
        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(lambda _: own_pseudonyms(config).key_id, range(8)))
        assert len(set(found)) == 1
        (shop.parent / KEY_FILE).unlink()


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (lambda key: key.chmod(0o640), "others than its owner may use the key; hint: chmod 600"),
        (lambda key: key.chmod(0o604), "others than its owner may use the key; hint: chmod 600"),
        (lambda key: key.write_text("x" * 31), "has 31 bytes, fewer than 32"),
        (lambda key: key.write_text(" " * 99), "has 0 bytes"),
        (lambda key: key.unlink(), "there is no such key"),
        (lambda key: (key.rename(key.with_name("real")), key.symlink_to("real")), "the key is a link"),
        (lambda key: (key.unlink(), os.mkfifo(key, 0o600)), "the key is no plain file"),
        (lambda key: (key.unlink(), key.mkdir(0o700)), "the key is no plain file"),
    ],
)
def test_a_key_that_is_none_or_not_secret_is_refused(shop: Path, fault: Any, said: str) -> None:
    config = with_key(shop, "mine.key")
    key = shop.parent / "mine.key"
    key.write_text("k" * 40)
    key.chmod(0o600)
    assert own_pseudonyms(config).key == b"k" * 40
    fault(key)
    with pytest.raises(ContractError, match=re.escape(said)):
        own_pseudonyms(config)


def test_lists_have_ids_unless_pseudonyms_are_asked_for(shop: Path) -> None:
    frame = pd.DataFrame({"customer_id": WHO, "p": 0.5})
    listed = as_listed(frame, load_config(shop))
    assert set(listed["customer_id"]) & set(WHO) == set()
    assert list(frame["customer_id"]) == WHO
    own = own_pseudonyms(load_config(shop))
    assert how_listed(load_config(shop)) == {"lists": "pseudonyms", "key_id": own.key_id}
    shop.write_text(SHOP.replace('"pseudonyms"', '"ids"'))
    (shop.parent / KEY_FILE).unlink()
    assert as_listed(frame, load_config(shop)) is frame
    assert how_listed(load_config(shop)) == {"lists": "ids"}
    assert not (shop.parent / KEY_FILE).exists()


def test_who_has_the_key_and_the_log_can_name_a_list_again(shop: Path, capsys: Any) -> None:
    config = load_config(shop)
    listed = as_listed(pd.DataFrame({"rank": range(1, 5), "customer_id": WHO}), config)
    listed.loc[4] = [5, own_pseudonyms(config).of("gone")]
    path, named = shop.parent / "list.csv", shop.parent / "named.csv"
    listed.to_csv(path, index=False, quoting=csv.QUOTE_NONNUMERIC)
    run = ["--config", str(shop), "--quiet", "--json", "identify"]
    assert main([*run, str(path), "--into", str(named)]) == 0
    assert json.loads(capsys.readouterr().out) == {"into": str(named), "named": 4, "unknown": 1}
    with named.open(encoding="utf-8", newline="") as lines:
        rows = [row["customer_id"] for row in csv.DictReader(lines)]
    assert rows == ["'=1+1", *WHO[1:], listed.loc[4, "customer_id"]]
    assert named.stat().st_mode & 0o777 == 0o600
    assert main([*run, listed.loc[1, "customer_id"]]) == 0
    assert json.loads(capsys.readouterr().out) == {"customer_id": WHO[1]}


def test_what_cannot_be_named_is_refused(shop: Path, capsys: Any) -> None:
    run = ["--config", str(shop), "--quiet", "identify"]
    somebody = Pseudonyms(b"another key, of another shop....").of("17850")
    (shop.parent / "list.csv").write_text(f'"customer_id"\n"{somebody}"\n')
    (shop.parent / "there.csv").touch()
    listed, there, new = (str(shop.parent / f"{name}.csv") for name in ("list", "there", "new"))

    def refused(*words: str) -> str:
        assert main([*run, *words]) == 2
        return str(capsys.readouterr().err)

    assert "there is no such key" in refused(somebody)
    own_pseudonyms(load_config(shop))
    assert "none is of a customer of the log" in refused(somebody)
    assert "made with another key" in refused(listed, "--into", new)
    assert "is no pseudonym" in refused("17850")
    assert "is there already" in refused(listed, "--into", there)
    assert "no such file" in refused("nowhere.csv", "--into", new)
    assert "there is no folder" in refused(listed, "--into", f"{shop.parent}/nowhere/new.csv")
    assert not Path(new).exists()


def test_a_file_is_named_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pseudonym_file, "BATCH", 7)
    names, ids = Pseudonyms(b"not a secret: an example of a key"), [f"c{n}" for n in range(20)]
    pd.DataFrame({"customer_id": ids, "p": 0.5}).to_parquet(tmp_path / "scores.parquet")
    write_names(tmp_path / "scores.parquet", names, tmp_path / "named.parquet")
    written = pq.ParquetFile(tmp_path / "named.parquet")
    assert [written.metadata.row_group(n).num_rows for n in range(written.num_row_groups)] == [7, 7, 6]
    assert written.read().to_pydict() == {"own_id": ids, "listed": names.of_all(ids)}


@pytest.mark.heavy
def test_a_run_under_pseudonyms_names_nobody_and_can_be_named_again(own_shop: Path, capsys: Any) -> None:
    latest = own_shop.parent / "out" / "latest"
    ids = pd.read_parquet(latest / "scores.parquet")
    listed = (latest / "risk_list.csv").read_text("utf-8")
    own_shop.write_text(f'{own_shop.read_text()}[privacy]\nlists = "pseudonyms"\n')
    assert main(["--config", str(own_shop), "--quiet", "score", "--as-of", AS_OF]) == 0
    config = load_config(own_shop)
    assert json.loads((latest / "manifest.json").read_text("utf-8"))["privacy"] == how_listed(config)
    scores = pd.read_parquet(latest / "scores.parquet")
    assert list(scores["customer_id"]) == sorted(own_pseudonyms(config).of_all(ids["customer_id"]))
    for path in latest.resolve().rglob("*"):
        text = pd.read_parquet(path).to_csv() if path.suffix == ".parquet" else path.read_text("utf-8")
        assert not any(customer in text for customer in ids["customer_id"]), path.name
    named = own_shop.parent / "named.csv"
    run = ["--config", str(own_shop), "--quiet", "identify", str(latest / "risk_list.csv")]
    assert main([*run, "--into", str(named)]) == 0
    assert sorted(named.read_text("utf-8").splitlines()) == sorted(listed.splitlines())
