"""Attributes of customers: which version counts when, and which names are sensitive."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations
from typing import Any
from unicodedata import normalize

import pytest

from features.attributes import attributes, is_sensitive
from features.build import build_features
from features.calendar import day_number
from features.history import make_history
from features.leaks import prove_no_leak
from features.records import Records
from features.snapshot import take_snapshot
from tests.features.logs import ORDERS_ONLY, START, Drawn, Person, Row, on, seeded_shop
from tests.features.tables import shop

FIRST = START.date()
DAYS = range(1, 17)
TIER, POINTS = "attr_tier", "attr_points"
CAME = ("acquisition_channel", "acquisition_cost", "was_referred")
NAMES = (*CAME, "days_since_signup", TIER, POINTS, "attr_is_member")
UNDATED = ("customers.valid_from",)


def known(con: Any, *people: Person, lacking: tuple[str, ...] = ()) -> dict[int, dict[str, Any]]:
    """What is known of customer a, who bought on the first day, on each of the days after it."""
    drawn = Drawn([Row("a", on(0), 100)], people=[*people], without=ORDERS_ONLY - {"customers"})
    cutoffs = [FIRST + timedelta(days=day) for day in DAYS]
    rows = shop(con, drawn.lacking(*lacking), "people").features(cutoffs, names=NAMES)
    return {row["cutoff"] - day_number(FIRST): row for row in rows}


def test_the_newest_version_strictly_before_the_cutoff_counts(con: Any) -> None:
    versions = (
        Person("a", on(1), tier="new", points=1.0),
        Person("a", on(5), tier="gold", points=2.0),
        Person("a", on(9), tier=None, points=3.0),
        Person("b", on(2), tier="vip", points=9.0),
    )
    for order in (versions, versions[::-1]):
        found = known(con, *order)
        assert [found[day][TIER] for day in (1, 2, 5, 6, 9, 10, 16)] == [
            None, "new", "new", "gold", "gold", None, None,
        ]  # fmt: skip
        assert [found[day][POINTS] for day in (1, 2, 5, 6, 9, 10, 16)] == [None, 1, 1, 2, 2, 3, 3]


def test_of_two_rows_of_one_day_each_column_counts_with_its_largest_value(con: Any) -> None:
    same = (
        Person("a", on(3, 8), tier="new", points=5.0, referrer="b"),
        Person("a", on(3, 17), tier="gold", points=7.0),
        Person("a", on(3, 12), tier=None, points=None),
    )
    for order in permutations(same):
        found = known(con, *order)[4]
        assert (found[TIER], found[POINTS], found["was_referred"]) == ("new", 7.0, 1)


def test_a_row_without_a_date_counts_only_where_no_row_has_one(con: Any) -> None:
    undated = Person("a", None, tier="gold")
    assert known(con, undated)[9][TIER] is None
    assert known(con, undated, Person("a", on(1), tier="new"))[9][TIER] == "new"
    assert known(con, undated, lacking=UNDATED)[1][TIER] == "gold"


@pytest.mark.parametrize("lacking", [(), UNDATED])
def test_a_sign_up_at_or_after_the_cutoff_is_not_shown(con: Any, lacking: tuple[str, ...]) -> None:
    """Not even where the table knew of it before, as one with a date put forward would."""
    found = known(con, Person("a", on(1), signed_up=on(5)), lacking=lacking)
    assert [found[day]["days_since_signup"] for day in (4, 5, 6, 15)] == [None, None, 1, 10]


def test_how_a_customer_came(con: Any) -> None:
    came = Person("a", on(1), channel="bạn bè", cents=450, referrer="b", is_member=True)
    found = known(con, came)
    assert [found[2][name] for name in (*CAME, "attr_is_member")] == ["bạn bè", 45_000, 1, 1]
    assert {found[1][name] for name in NAMES} == {None}
    found = known(con, Person("a", on(1)))
    assert [found[2][name] for name in CAME] == [None, None, 0]


def test_each_attribute_is_a_feature_of_its_kind() -> None:
    named = {f.name: f for f in attributes([("T", "number"), ("Hạng thẻ", "category")])}
    assert [named[n].unit for n in ("attr_T", "attr_Hạng thẻ")] == ["number", "category"]
    assert {f.needs for f in named.values() if f.name.startswith("attr_")} == {("customers",)}
    assert "T" not in named


@pytest.mark.parametrize("lacking", [(), UNDATED])
def test_the_proof_tells_an_attribute_without_a_date(con: Any, lacking: tuple[str, ...]) -> None:
    drawn = replace(seeded_shop(40), without=ORDERS_ONLY - {"customers"}).lacking(*lacking)
    records = shop(con, drawn, "people").records
    findings = prove_no_leak(records, build, FIRST + timedelta(days=20))
    moved = {name for finding in findings for name in finding.moved}
    assert moved == ({TIER, POINTS} if lacking else set())


def build(records: Records, cutoff: date) -> Any:
    return build_features(take_snapshot(make_history(records), [cutoff]), (), NAMES)


SENSITIVE = (
    "age AGE customerAge age_group age2 gender Sex HHIncome income_band birth_date date-of-birth DOB "
    "marital_status home_ownership household_size kids_count nationality religion is_pregnant disability "
    "tuổi tuoi Giới_tính gioi_tinh thu_nhập ngày_sinh hôn_nhân tôn_giáo dân_tộc mức_lương sức_khỏe"
)
PLAIN = (
    "tier package storage average message points region Hạng_thẻ số_lượng_đơn so_luong chất_lượng "
    "essex_store language pages homepage usage stage kidney city last_name"
)


@pytest.mark.parametrize("name", SENSITIVE.split())
def test_a_name_that_speaks_of_a_person_is_sensitive(name: str) -> None:
    for form in ("NFC", "NFD"):
        written = normalize(form, name)
        assert is_sensitive(written)
        assert is_sensitive(f"Customer {written.replace('_', ' ')} (now)")


@pytest.mark.parametrize("name", PLAIN.split())
def test_a_name_that_only_looks_like_one_is_not(name: str) -> None:
    assert not is_sensitive(name)
    assert not is_sensitive(name.replace("_", " "))
