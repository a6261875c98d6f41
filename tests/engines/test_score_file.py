"""What is asked of a file of scores is what pandas finds with all of them in memory."""

import json
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import score_file
from pipelines.differences import difference_line, differences
from pipelines.listing import Listing
from pipelines.outlook import Sums, outlook
from pipelines.piece_scorer import SUMS
from pipelines.published_runs import Run
from pipelines.score_file import to_act_on, write_scores
from tests.engines.plain_base import plain_rows, plain_scorer, plain_work
from tests.pipelines.plain_list import risk_list

PARTS = {"as_of": "a", "model": "m", "config": "c", "code": "v", "inputs.transactions": "t"}


@pytest.fixture(scope="module")
def piece() -> pa.Table:
    return plain_work()(plain_rows(2_000))


@pytest.fixture(scope="module")
def file(piece: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scored") / "scores.parquet"
    write_scores([piece], path)
    return path


def test_those_to_act_on(file: Path, tmp_path: Path) -> None:
    scores = pq.read_table(file).to_pandas(date_as_object=False)
    wanted = risk_list(scores, 90, 365)
    found = to_act_on(file, 90, 365, tmp_path)
    assert 100 < len(wanted) < 1_900
    pd.testing.assert_frame_equal(found.listed, wanted, check_dtype=False, check_exact=True)
    assert found.customers == len(wanted)
    assert found.value_at_risk == pytest.approx(wanted["value_at_risk"].sum())


def test_a_list_is_cut_where_a_spreadsheet_ends_and_that_is_said(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = to_act_on(file, 90, 365, tmp_path)
    monkeypatch.setattr(score_file, "MOST_LISTED", 7)
    found = to_act_on(file, 90, 365, tmp_path)
    pd.testing.assert_frame_equal(found.listed, whole.listed.head(7))
    assert (found.customers, found.value_at_risk) == (whole.customers, whole.value_at_risk)
    [said] = Listing(found, found.listed, pd.DataFrame(), {}).warnings()
    assert said.code == "list_cut"
    assert f"{whole.customers:,} customers to act on" in said.text
    assert "the first 7 of them" in said.text
    assert Listing(whole, whole.listed, pd.DataFrame(), {}).warnings() == []


def test_nobody_to_act_on(piece: pa.Table, tmp_path: Path) -> None:
    place = piece.schema.get_field_index("status")
    nobody = piece.set_column(place, "status", pa.array(["too_new"] * len(piece)))
    write_scores([nobody], tmp_path / "scores.parquet")
    found = to_act_on(tmp_path / "scores.parquet", 90, 365, tmp_path)
    assert (found.customers, found.value_at_risk, len(found.listed)) == (0, 0.0, 0)


def test_what_pieces_add_up_to_is_the_outlook_of_all(file: Path) -> None:
    rows = plain_rows(2_000)
    pieces = [plain_work()(rows.slice(start, 130)) for start in range(0, 2_000, 130)]
    sums = sum((Sums(**json.loads(one[SUMS][0].as_py())) for one in pieces), start=Sums())
    found, scores = outlook(sums, plain_scorer()), pd.read_parquet(file)
    assert found == pytest.approx(
        {
            "days": 90,
            "buyers": scores["p_purchase_90d"].sum(),
            "orders": scores["expected_orders_90d"].sum(),
            "recent_days": 90,
            "recent_orders": np.sum(rows["orders_90d"]),
            "spend": scores["expected_spend_90d"].sum(),
            "spend_lo": None,
            "spend_hi": None,
            "recent_spend": np.sum(rows["spend_90d"]) / 10_000,
        }
    )
    assert sums.oldest == max(rows["T"].to_pylist())


@pytest.mark.parametrize("cuts", [(1,), (1, 2), (0, 1, 1, 1_999)], ids=str)
def test_pieces_of_one_customer_or_none_are_pieces(
    cuts: tuple[int, ...], piece: pa.Table, file: Path, tmp_path: Path
) -> None:
    rows, ends = plain_rows(2_000).sort_by("customer_id"), (0, *cuts, 2_000)
    pieces = [
        plain_work()(rows.slice(start, end - start)) if end > start else piece.slice(0, 0)
        for start, end in pairwise(ends)
    ]
    sums = write_scores(pieces, tmp_path / "scores.parquet")
    assert (tmp_path / "scores.parquet").read_bytes() == file.read_bytes()
    assert sums.buyers == pytest.approx(pd.read_parquet(file)["p_purchase_90d"].sum())


@pytest.mark.parametrize("places", [(1, 0), (0, 0), (0, 2, 1), (1, 2, 0)], ids=str)
def test_pieces_of_one_customer_in_disorder_are_refused(
    places: tuple[int, ...], piece: pa.Table, tmp_path: Path
) -> None:
    with pytest.raises(RuntimeError, match="twice or in disorder"):
        write_scores((piece.slice(place, 1) for place in places), tmp_path / "scores.parquet")


# ---- what a run says differently from its predecessor ----------------------------------------------------


def published(folder: Path, scores: pd.DataFrame, parts: dict[str, str]) -> Run:
    """A run as far as a comparison looks at it."""
    import hashlib

    folder.mkdir()
    scores.to_parquet(folder / "scores.parquet")
    digest = hashlib.sha256((folder / "scores.parquet").read_bytes()).hexdigest()
    return Run(
        folder, {"run_id": "before", "key_parts": parts, "files": {"scores.parquet": {"sha256": digest}}}
    )


def test_differences(file: Path, tmp_path: Path) -> None:
    now = pd.read_parquet(file)
    was = now.iloc[3:].copy()  # three came
    was.loc[was.index[:2], "customer_id"] = ["zz1", "zz2"]  # two more came, and two went
    was.loc[was.index[10:14], "p_purchase_90d"] += [0.3, -0.2, 0.011, 0.009]
    was.loc[was.index[20:25], "risk_tier"] = "another"
    found = differences(published(tmp_path / "run", was, PARTS), file, PARTS | {"model": "x"}, 90, tmp_path)
    assert found == {
        "run_id": "before",
        "because": ["model"],
        "customers_new": 5,
        "customers_gone": 2,
        "probabilities_moved": 3,
        "largest_move": pytest.approx(0.3),
        "tiers_changed": 5,
        "sums": {
            column: [pytest.approx(table[column].sum(), abs=0.01) for table in (was, now)]
            for column in ("expected_spend_90d", "expected_orders_90d", "value_at_risk")
        },
    }
    assert difference_line(found).startswith(
        "takes the place of run before (another model): 5 customers more, 2 fewer, "
        "3 probabilities moved by more than 0.01, 5 changed tier"
    )


def test_money_that_has_moved_is_said_where_no_probability_has(file: Path, tmp_path: Path) -> None:
    now = pd.read_parquet(file)
    was = now.assign(expected_spend_90d=now["expected_spend_90d"] / 1.25, value_at_risk=0.0)
    line = difference_line(differences(published(tmp_path / "run", was, PARTS), file, PARTS, 90, tmp_path))
    spend = now["expected_spend_90d"].sum()
    assert "0 probabilities moved by more than 0.01, 0 changed tier; " in line
    assert f"expected_spend_90d adds up to {spend:,.0f} (was {spend / 1.25:,.0f}, +25.0%), " in line
    assert line.endswith(f"value_at_risk adds up to {now['value_at_risk'].sum():,.0f} (was 0)")
    assert "expected_orders_90d" not in line
    gone = was.drop(columns="expected_spend_90d").assign(value_at_risk=float("nan"))
    found = differences(published(tmp_path / "other", gone, PARTS), file, PARTS, 90, tmp_path)
    assert (found["sums"]["expected_spend_90d"][0], found["sums"]["value_at_risk"][0]) == (None, None)
    assert difference_line(found).endswith("0 changed tier")


def test_customers_under_other_names_have_not_come_or_gone(file: Path, tmp_path: Path) -> None:
    was = pd.read_parquet(file)
    found = differences(
        published(tmp_path / "run", was.iloc[1:], PARTS), file, PARTS | {"pseudonyms": "x"}, 90, tmp_path,
        {"lists": "pseudonyms", "key_id": "x"},
    )  # fmt: skip
    assert (found["customers"], found["customers_before"]) == (2_000, 1_999)
    assert not {"customers_new", "customers_gone", "probabilities_moved"} & set(found)
    assert (
        "customers have other names than in it, so that none can be told to be the same; 2,000 customers, "
        "and 1,999 in it"
    ) in difference_line(found)


def test_a_predecessor_of_another_horizon_or_none_of_whose_customers_are_left(
    file: Path, tmp_path: Path
) -> None:
    was = pd.read_parquet(file).drop(columns="p_purchase_90d")
    one = differences(published(tmp_path / "one", was, PARTS), file, PARTS, 90, tmp_path)
    assert (one["probabilities_moved"], one["largest_move"], one["tiers_changed"]) == (0, None, 0)
    others = was.assign(customer_id="x" + was["customer_id"])
    two = differences(published(tmp_path / "two", others, PARTS), file, PARTS, 90, tmp_path)
    assert (two["customers_new"], two["customers_gone"], two["tiers_changed"]) == (2_000, 2_000, 0)


@pytest.mark.parametrize("harm", ["changed", "gone"])
def test_scores_that_were_damaged_are_not_compared(file: Path, tmp_path: Path, harm: str) -> None:
    before = published(tmp_path / "run", pd.read_parquet(file), PARTS)
    scores = before.folder / "scores.parquet"
    scores.write_bytes(scores.read_bytes()[:-9]) if harm == "changed" else scores.unlink()
    found = differences(before, file, PARTS, 90, tmp_path)
    assert found == {"run_id": "before", "because": []}
    assert difference_line(found) == "takes the place of run before (its files were damaged)"


def test_the_columns_are_of_the_types_that_are_promised(file: Path) -> None:
    kinds = {field.name: str(field.type) for field in pq.read_schema(file)}
    assert kinds["customer_id"] == kinds["risk_tier"] == "string"
    assert kinds["as_of"] == kinds["next_order_p50"] == "date32[day]"
    assert kinds["frequency"] == "int64"
    assert kinds["p_purchase_90d"] == kinds["clv_365d_hi"] == "double"
    first: Any = pq.read_table(file).slice(0, 1).to_pylist()[0]
    assert (first["as_of"], first["model_version"]) == (date(2025, 3, 1), "1")
