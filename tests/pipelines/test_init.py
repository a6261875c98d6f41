"""`init` on files: what it reads, what it writes, and what it refuses."""

import gzip
import json
import os
import tomllib
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from features.errors import ContractError
from pipelines.cli import main
from pipelines.config import load_config
from pipelines.guess import Guess, Proposal
from pipelines.init import InitResult, as_data, explain, init, read_sample
from pipelines.new_config import render, toml_string

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("REPURCHASE_DATA", ROOT.parent / "shared" / "data"))
ORDERS = "Mã KH;Mã đơn;Ngày đặt;Số lượng;Đơn giá (VND)\n" + "".join(
    f"{n % 9:03};{'C' if n % 7 == 0 else ''}{n};{1 + n % 28:02}/{1 + n % 12:02}/2020 08:{n % 60:02};"
    f"{-1 if n % 7 == 0 else 2};{1000 * (1 + n)}\n"
    for n in range(70)
)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "đơn hàng.csv").write_text(ORDERS, encoding="utf-8")
    return tmp_path


def write_parquet(query: str, path: Path) -> None:
    with duckdb.connect() as connection:
        connection.sql(query).write_parquet(str(path))


def tables(path: Path) -> dict[str, Any]:
    return dict(tomllib.loads(path.read_text(encoding="utf-8"))["tables"]["transactions"])


def columns(result: InitResult) -> dict[str, str]:
    return {guess.column: guess.source_column for guess in result.guesses}


def test_an_odd_vietnamese_file_becomes_a_config_that_loads(shop: Path) -> None:
    result = init(str(shop / "đơn hàng.csv"), shop / "repurchase.toml")
    assert tables(result.path) == {
        "source": "đơn hàng.csv",
        "formats": {"ordered_at": "%d/%m/%Y %H:%M"},
        "columns": {
            "customer_id": "Mã KH",
            "ordered_at": "Ngày đặt",
            "order_id": "Mã đơn",
            "quantity": "Số lượng",
            "unit_price": "Đơn giá (VND)",
        },
    }
    config = load_config(result.path)
    assert config.project.name == "đơn-hàng"
    assert config.policy.cancellation is not None
    assert config.policy.cancellation.prefix == result.cancellation == "C"
    assert not list(shop.glob(".*"))  # no half-written file stays behind


def test_leading_zeros_are_kept_as_written(shop: Path) -> None:
    assert set(read_sample(str(shop / "đơn hàng.csv"))["Mã KH"]) == {f"00{n}" for n in range(9)}


def test_packed_files_globs_and_quotes_in_paths_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "it's here"
    folder.mkdir()
    for part in (1, 2):
        (folder / f"part{part}.csv.gz").write_bytes(gzip.compress(ORDERS.encode()))
    write_parquet(
        "select range as buyer, date '2020-02-13' as date, 2.5 as total from range(2)", folder / "a.parquet"
    )
    assert len(read_sample(str(folder / "part*.csv.gz"))) == 140
    (folder / "orders[1].csv").write_text(ORDERS, encoding="utf-8")
    assert len(read_sample(str(folder / "orders[1].csv"))) == 70
    result = init(str(folder / "*.parquet"), folder / "repurchase.toml", force=True)
    assert tables(result.path)["source"] == "*.parquet"
    assert list(tables(result.path)["columns"]) == ["customer_id", "ordered_at", "amount"]


def test_a_large_log_is_sampled_the_same_way_each_time(tmp_path: Path) -> None:
    log = str(tmp_path / "large.parquet")
    write_parquet("select range as n from range(150_000)", Path(log))
    first, second = read_sample(log), read_sample(log)
    assert len(first) == 50_000
    assert first.n.max() > 149_000  # from all over the file, not from its top
    assert first.equals(second)


def test_an_existing_config_is_kept_unless_forced(shop: Path) -> None:
    config = shop / "repurchase.toml"
    config.write_text("mine", encoding="utf-8")
    with pytest.raises(ContractError, match="--force"):
        init(str(shop / "đơn hàng.csv"), config)
    assert config.read_text(encoding="utf-8") == "mine"
    init(str(shop / "đơn hàng.csv"), config, force=True)
    assert load_config(config).tables.transactions.source == "đơn hàng.csv"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("absent.csv", None, "there is no such file"),
        ("orders.xlsx", b"PK", "of a known kind.*hint: one of .parquet, .csv"),
        ("broken.parquet", b"not parquet", "cannot be read"),
        ("latin.csv", "buyer,date\nJosé,2020-01-01\n".encode("latin-1"), "cannot be read"),
        ("empty.csv", b"buyer,date,total\n", "no rows"),
        ("none-*.csv", None, "there is no such file"),
        ("strange.csv", b"a,b\n1,2\n3,4\n", "no column looks like a customer"),
    ],
)
def test_a_log_that_cannot_be_used_is_refused_and_nothing_written(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ContractError, match=message) as caught:
        init(str(tmp_path / name), tmp_path / "repurchase.toml")
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "repurchase.toml").exists()


def test_a_config_in_no_folder_is_refused(shop: Path) -> None:
    with pytest.raises(ContractError, match="there is no folder"):
        init(str(shop / "đơn hàng.csv"), shop / "absent" / "repurchase.toml")


@pytest.mark.parametrize(
    "text", ['say "so"', "back\\slash", "two\nlines", "\x7f\x01\t", "ngày 😀", "it's", "{0}", ""]
)
def test_any_name_comes_back_from_the_config(text: str) -> None:
    assert tomllib.loads(f"key = {toml_string(text)}") == {"key": text}
    guess = Guess("customer_id", text, f"reason of {text}")
    notes = (f"note on {text}",)
    written = render(Proposal((guess,), {"ordered_at": "%d"}, "C", notes), "9 rows", "shop", text)
    table = tomllib.loads(written)["tables"]["transactions"]
    assert table == {"source": text, "formats": {"ordered_at": "%d"}, "columns": {"customer_id": text}}


def test_the_written_keys_are_the_ones_the_config_knows(shop: Path) -> None:
    init(str(shop / "đơn hàng.csv"), shop / "repurchase.toml")
    written = tomllib.loads((shop / "repurchase.toml").read_text(encoding="utf-8"))
    sections = load_config(shop / "repurchase.toml").model_dump(mode="json")
    for section in ("target", "training"):  # every setting a newcomer may turn stands there with its default
        assert written[section] == sections[section]


def test_the_defaults_that_are_switched_off_are_the_defaults(shop: Path) -> None:
    config = shop / "repurchase.toml"
    init(str(shop / "đơn hàng.csv"), config)
    plain, text = load_config(config), config.read_text(encoding="utf-8")
    rest = text[text.index("# [gate]") :]
    on = text + "\n".join(line.removeprefix("# ") for line in rest.splitlines())
    config.write_text(on, encoding="utf-8")
    sections = tomllib.loads(on)
    assert {*sections["gate"]} == {*plain.gate.model_dump()}
    assert {*sections["limits"]} == {*plain.limits.model_dump()}
    examples = {"campaign": ("capacity", "budget"), "segments": ("new_days", "loyal_orders", "churned_days")}
    found = load_config(config)
    for section, keys in examples.items():
        assert {*sections[section]} == {*getattr(plain, section).model_dump()}
        without = getattr(found, section).model_copy(update=dict.fromkeys(keys))
        found = found.model_copy(update={section: without})
    assert found == plain


def test_the_terminal_tells_what_was_guessed_and_what_is_doubtful(shop: Path) -> None:
    text = "\n".join(explain(init(str(shop / "đơn hàng.csv"), shop / "my shop.toml")))
    assert "guessed from 70 rows" in text
    assert "ordered_at   <- 'Ngày đặt'" in text
    assert "begins with 'C'" in text
    assert f"--config '{shop}/my shop.toml' check" in text


def test_a_program_gets_the_same_as_json(shop: Path) -> None:
    result = init(str(shop / "đơn hàng.csv"), shop / "repurchase.toml")
    told = json.loads(json.dumps(as_data(result)))
    assert {one["column"]: one["source_column"] for one in told["guesses"]} == columns(result)
    assert (told["path"], told["formats"]) == (str(result.path), result.formats)


needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"no sample logs in {DATA}; REPURCHASE_DATA names them"
)


@needs_data
def test_online_retail_is_read_without_help(tmp_path: Path) -> None:
    result = init(str(DATA / "online_retail" / "online_retail.parquet"), tmp_path / "repurchase.toml")
    assert columns(result) == {
        "customer_id": "customer_id",
        "ordered_at": "invoice_date",
        "order_id": "invoice",
        "quantity": "quantity",
        "unit_price": "unit_price",
        "product_id": "stock_code",
    }
    assert (result.cancellation, result.formats, result.notes) == ("C", {}, ())


def test_a_vietnamese_shop_with_a_status_needs_no_hand(tmp_path: Path, capsys: Any) -> None:
    days = [f"{1 + n % 28:02}/{1 + n % 9:02}/2025 10:{n % 60:02}" for n in range(400)]
    rows = [
        (f"KH{n % 40}", f"DH{n}", day, 1 + n % 3, 189_000 + n, "Hoàn thành" if n % 10 else "Đã hủy")
        for n, day in enumerate(days)
    ]
    names = ["Mã KH", "Mã đơn hàng", "Ngày đặt", "so_luong", "Thành tiền", "Trạng thái"]
    pd.DataFrame(rows, columns=names).to_csv(tmp_path / "don.csv", index=False)
    result = init(str(tmp_path / "don.csv"), tmp_path / "repurchase.toml")
    assert columns(result)["quantity"] == "so_luong"
    config = load_config(tmp_path / "repurchase.toml")
    assert (config.project.language, config.project.currency) == ("vi", "VND")
    assert config.project.timezone == "Asia/Ho_Chi_Minh"
    assert config.policy.leave_out is not None
    assert config.policy.leave_out.values == ["Đã hủy"]
    assert any("40 of the rows looked at say 'Đã hủy' in 'Trạng thái'" in note for note in result.notes)
    main(["--config", str(tmp_path / "repurchase.toml"), "--quiet", "check", "--json"])
    said = json.loads(capsys.readouterr().out)
    assert said["rows"]["rows_quarantined"] == {"left_out": 40}
    assert {f["code"]: f["severity"] for f in said["findings"]}["left_out"] == "ok"
    assert {f["code"]: f["severity"] for f in said["findings"]}["amount_sizes"] == "ok"


@needs_data
def test_complete_journey_is_read_without_help(tmp_path: Path) -> None:
    result = init(str(DATA / "complete_journey" / "transactions.parquet"), tmp_path / "repurchase.toml")
    assert columns(result) == {
        "customer_id": "customer_id",
        "ordered_at": "ts",
        "order_id": "order_id",
        "amount": "amount",
        "quantity": "quantity",
        "product_id": "product_id",
        "discount": "retail_disc",
    }
    assert result.cancellation is None
