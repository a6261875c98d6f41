"""What the customers table may bring and from when on, and how the other tables are refused."""

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from features.build import build_features
from features.errors import ContractError
from features.history import make_history
from features.leaks import prove_no_leak
from features.records import Records
from features.snapshot import take_snapshot
from pipelines.cli import main
from tests.pipelines.conftest import everything
from tests.pipelines.other_shop import CONFIG, attributes, features, opened, others, write_shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop's tables; tests write configs of their own beside them."""
    return write_shop(tmp_path_factory.mktemp("tables"))


UNDATED = attributes('static = ["home"]').replace('valid_from = "since"\n', "")


def test_without_valid_from_a_customer_is_known_from_the_sign_up_on(tmp_path: Path) -> None:
    """Half of the customers were guests for a hundred days; who has signed up by then says who will stay."""
    config = write_shop(tmp_path, UNDATED)
    people = pd.read_csv(tmp_path / "customers.csv", parse_dates=["joined"], dtype={"id": str})
    people = people.dropna(subset="id").drop_duplicates("id").assign(home="Huế", came_by="bạn bè")
    late = people.index % 2 == 1
    people.loc[late, "joined"] += pd.Timedelta(days=100)
    people.loc[people.index % 8 == 0, "joined"] = None
    people.to_csv(tmp_path / "customers.csv", index=False)
    names = ("was_referred", "acquisition_channel", "attr_home", "days_since_signup")

    def build(records: Records, cutoff: date) -> Any:
        return build_features(take_snapshot(make_history(records), [cutoff]), (), names)

    found = features(config, UNDATED, names, "2024-07-01")
    known = people.set_index("id")["joined"].reindex(found.index) < "2024-07-01"
    assert 0.2 < known.mean() < 0.8
    for name in names:
        assert (found[name].notna() == known).all(), name
    with opened(config, UNDATED) as (_, log, said):
        assert log.other_rows["customers"].rows_quarantined == {"no_date": int(people["joined"].isna().sum())}
        findings = prove_no_leak(log.records, build, date(2024, 7, 1))
    assert [finding.moved for finding in findings] == [()] * 5
    assert "customers.csv: no valid_from, so each customer is known from signed_up_at on" in said


def test_what_has_no_date_at_all_is_said_to_be_taken_as_known(shop: Path) -> None:
    plain = attributes("").replace('valid_from = "since"\n', "").replace('signed_up_at = "joined"\n', "")
    found, said = others(shop, plain)
    assert found.rows["customers"].rows_quarantined == {"no_customer": 3}
    assert "acquisition_channel, acquisition_cost, referred_by: without a date, so taken as known" in said


REFUSALS = {
    "an undated attribute": (
        CONFIG.replace('valid_from = "since"\n', ""),
        ["customers.csv: of 6 attributes, 5 without a date", "what is true today was not true last year",
         "for example 'Hạng thẻ'", "map valid_from", "static"],
    ),
    "a missing attribute": (
        attributes('attributes = ["Hang the"]'),
        ["customers.csv: attribute 'Hang the' is missing among 12 columns", "example 'id'", "'Hạng thẻ'?"],
    ),
    "an attribute in another case": (
        attributes('attributes = ["Newsletter"]'),
        ["customers.csv: attribute 'Newsletter' is missing", "did you mean 'newsletter'?"],
    ),
    "an attribute named twice": (
        attributes('attributes = ["điểm", "điểm", "newsletter"]'),
        ["customers.csv: of 2 attributes, 1 named twice in [tables.customers] attributes", "'điểm'", "once"],
    ),
    "an attribute that is mapped": (
        attributes('attributes = ["friend"]'),
        ["customers.csv: of 1 attributes, 1 mapped in [tables.customers] columns as well", "'friend'"],
    ),
    "a column that is only sensitive": (
        attributes('attributes = ["điểm"]\nsensitive = ["age"]'),
        ["customers.csv: of 2 attributes, 1 named in [tables.customers] sensitive alone", "'age'", "điểm"],
    ),
    "attributes of events": (
        CONFIG.replace('source = "events.parquet"', 'source = "events.parquet"\nattributes = ["việc"]'),
        ["events.parquet: of 1 attributes, 1 named in [tables.events]", "'việc'", "only [tables.customers]"],
    ),
    "an unknown standard column": (
        CONFIG.replace("occurred_at =", "ocurred_at ="),
        ["events.parquet: 'ocurred_at' is not an event column", "did you mean 'occurred_at'?"],
    ),
    "an absent column": (
        CONFIG.replace('"lúc"', '"luc"'),
        [
            "events.parquet: column 'luc' (for occurred_at) is missing among 6 columns",
            "known: Khách, ",
            "'lúc'?",
        ],
    ),
    "a number for a time": (
        CONFIG.replace('occurred_at = "lúc"', 'occurred_at = "phiên"'),
        ["events.parquet: column 'phiên' (for occurred_at) holds int64, not times", "{ occurred_at ="],
    ),
    "dates in another format": (
        CONFIG.replace("%d/%m/%Y", "%Y-%m-%d"),
        ["contacts.csv: 734 of 734 rows break the contract, more than [policy] max_quarantined = 0.5",
         "734 of them for 'no_date': column 'sent' (for sent_at) is empty or cannot be read",
         "for example '01/06/2024'", "formats = { sent_at"],
    ),
    "no sign-ups": (
        attributes("").replace('valid_from = "since"\n', "").replace('"joined"', '"newsletter"'),
        ["customers.csv:", "of 600 rows", "'no_date': column 'newsletter' (for signed_up_at)", "'xxxxx'"],
    ),
    "a column without ids": (
        CONFIG.replace('customer_id = "id"', 'customer_id = "won_for"') + "[policy]\nmax_quarantined = 0.2\n",
        ["customers.csv:", "of 600 rows", "'no_customer': column 'won_for' (for customer_id) is empty",
         "is customer_id mapped to the right column?"],
    ),
    "an absent table": (CONFIG.replace("contacts.csv", "mails.csv"), ["'mails.csv'", "no such file"]),
}  # fmt: skip


@pytest.mark.parametrize("slip", REFUSALS)
def test_what_cannot_be_used_is_refused(shop: Path, slip: str) -> None:
    config, said = REFUSALS[slip]
    with pytest.raises(ContractError) as refusal:
        others(shop, config)
    for text in said:
        assert text in str(refusal.value)


def test_a_refusal_ends_a_command_with_one_line(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, (said, *_) = REFUSALS["an undated attribute"]
    own = shop.with_name("own.toml")
    own.write_text(config, encoding="utf-8")
    before = everything(shop.parent)
    assert main(["--config", str(own), "--quiet", "check"]) == 2
    printed = capsys.readouterr()
    sensitive, _, line = printed.err.splitlines()
    assert "sensitive, so not used" in sensitive
    assert said in line
    assert printed.out == ""
    assert everything(shop.parent) == before


def test_that_a_sensitive_attribute_is_off_is_said_on_quiet_runs_too(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--config", str(shop), "--quiet", "check", "--json"]) == 0
    (line,) = [one for one in capsys.readouterr().err.splitlines() if "sensitive" in one]
    assert line.startswith("  warning: customers.csv: gender: sensitive, so not used")


def test_sensitive_attributes_are_used_only_where_they_are_named(shop: Path) -> None:
    both = attributes('attributes = ["gender", "age"]')
    found, said = others(shop, both)
    assert found.attributes == ()
    assert "customers.csv: gender, age: sensitive, so not used" in said
    assert "[tables.customers] sensitive" in said
    found, said = others(shop, both.replace('"age"]', '"age"]\nsensitive = ["age", "gender"]'))
    assert found.attributes == (("gender", "category"), ("age", "number"))
    assert "sensitive" not in said


@pytest.mark.parametrize(("odd", "kind"), [(5, "number"), (6, "category")])
def test_one_slip_in_twenty_leaves_a_number_a_number(tmp_path: Path, odd: int, kind: str) -> None:
    config = write_shop(tmp_path, attributes('attributes = ["stars", "empty"]'))
    people = pd.read_csv(tmp_path / "customers.csv").dropna(subset="id").head(130)
    stars = [*["4.5"] * (100 - odd), *["many"] * odd, *["N/A", "", "NULL"] * 10]
    people.assign(stars=stars, empty="").to_csv(tmp_path / "customers.csv", index=False)
    found, said = others(config, config.read_text(encoding="utf-8"))
    assert found.attributes == (("stars", kind), ("empty", "number"))
    assert (f"stars: {odd} of 100 are no numbers" in said) == (kind == "number")
    assert "many" not in said


def test_the_same_tables_in_other_files_give_the_same_features(shop: Path, tmp_path: Path) -> None:
    """Typed columns where there was text: truths, whole numbers with gaps, dates."""
    people = pd.read_csv(shop.parent / "customers.csv", parse_dates=["since", "joined"])
    people["newsletter"] = people["newsletter"].astype("boolean")
    people["điểm"] = pd.to_numeric(people["điểm"], errors="coerce")
    people.to_parquet(shop.parent / "customers.parquet")
    sent = pd.read_csv(shop.parent / "contacts.csv")
    sent.assign(sent=pd.to_datetime(sent["sent"], format="%d/%m/%Y", errors="coerce")).to_parquet(
        shop.parent / "contacts.parquet"
    )
    names = ["n_contacts", "contact_cost", "days_since_signup", "acquisition_cost", "was_referred"]
    names += ["attr_Hạng thẻ", "attr_điểm", "attr_newsletter", "attr_age", "attr_trống"]
    text = features(shop, CONFIG, names, "2024-10-20")
    typed = features(shop, CONFIG.replace(".csv", ".parquet"), names, "2024-10-20")
    pd.testing.assert_frame_equal(text, typed, check_exact=True)
