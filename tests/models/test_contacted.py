"""Training after lists: what customers would have done, found again although most were contacted."""

import numpy as np
import pandas as pd
import pytest

from models.contacted import Contacted, chances_to_be_left_alone, count_contacted, left_alone

CUTOFF = pd.Timestamp("2024-01-01")


def a_shop(rng: np.random.Generator, n: int, share: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Half are listed, for what they did in the window; contacts make one in two of those listed buy."""
    would = rng.random(n) < 0.3
    is_listed = ~would & (rng.random(n) < 0.7)
    is_contact = rng.random(n) >= share
    bought = would | (is_listed & is_contact & (rng.random(n) < 0.5))
    ids = np.arange(n).astype(str)
    panel = pd.DataFrame({"customer_id": ids, "cutoff": CUTOFF, "would": would, "bought": bought})
    lists = pd.DataFrame(
        {
            "customer_id": ids, "campaign": "list", "start": CUTOFF + pd.Timedelta(days=20),
            "end": CUTOFF + pd.Timedelta(days=110), "is_contact": is_contact, "share": share,
        }
    )  # fmt: skip
    return panel, lists[is_listed]


@pytest.mark.parametrize("share", [0.1, 0.15, 0.5])
def test_those_left_alone_speak_for_all(share: float) -> None:
    rng = np.random.default_rng(8)
    panel, lists = a_shop(rng, 100_000, share)
    alone = chances_to_be_left_alone(panel, lists, 90)
    has_label = pd.Series(True, index=panel.index)
    found = left_alone(panel, alone, has_label, seed=1)
    assert panel["bought"].mean() > panel["would"].mean() + 0.05
    assert found["bought"].mean() == pytest.approx(panel["would"].mean(), abs=0.01)
    assert len(found) == pytest.approx(len(panel), rel=0.02)
    counted = count_contacted(alone, ~has_label, has_label)
    assert counted.contacts == lists["is_contact"].sum()
    assert counted.controls == (~lists["is_contact"]).sum()


def test_only_lists_in_the_window_count_and_campaigns_multiply() -> None:
    panel = pd.DataFrame({"customer_id": [*"abcdef"], "cutoff": CUTOFF})
    day = pd.Timedelta(days=1)
    rows = [
        ("a", "x", -40, -1, True, 0.1),  # over before
        ("b", "x", -40, 1, True, 0.1),  # reaches into it
        ("c", "x", 89, 150, False, 0.1),  # begins on the last day
        ("d", "x", 90, 150, True, 0.1),  # begins when it is over
        ("e", "x", 5, 50, False, 0.1), ("e", "y", 5, 50, False, 0.5),
        ("f", "x", 5, 50, False, 0.1), ("f", "y", 5, 50, True, 0.5),
    ]  # fmt: skip
    lists = pd.DataFrame(rows, columns=["customer_id", "campaign", "start", "end", "is_contact", "share"])
    lists = lists.assign(start=CUTOFF + lists["start"] * day, end=CUTOFF + lists["end"] * day)
    assert chances_to_be_left_alone(panel, lists, 90).tolist() == pytest.approx([1, 0, 0.1, 1, 0.05, 0])


def test_rows_without_a_label_stay() -> None:
    panel, lists = a_shop(np.random.default_rng(2), 500, 0.1)
    alone = chances_to_be_left_alone(panel, lists, 90)
    found = left_alone(panel, alone, pd.Series(False, index=panel.index), seed=1)
    pd.testing.assert_frame_equal(found, panel)


def test_what_is_said() -> None:
    assert Contacted(1_000, 50, 5).finding(left_out=False) is None
    kept = Contacted(1_000, 51, 5).finding(left_out=False)
    assert kept is not None
    assert "51 of 1,000 labels" in kept.text
    assert "leave_out" in kept.text
    few = Contacted(1_000, 500, 50).finding(left_out=True)
    assert few is not None
    assert few.code == "few_controls"
    assert Contacted(10_000, 5_000, 500).finding(left_out=True) is None
    assert Contacted(10_000, 0, 0).finding(left_out=True) is None
