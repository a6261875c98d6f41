"""What a report knows of its run's list: the top of it, and sums of all of it."""

from dataclasses import dataclass

import pandas as pd
import pyarrow.parquet as pq

from pipelines.campaign import CONTACT, CONTROL, HOLD
from pipelines.cell_text import original
from pipelines.config import Config
from pipelines.pseudonyms import as_listed
from pipelines.published_runs import LIST, REASONS, Run
from pipelines.risk_list import text_columns

TOP, MOST_REASONS = 20, 3
"""Customers of the list that are shown, and reasons that are told of all of it."""


@dataclass(frozen=True)
class ListFacts:
    """A run's list.

    Parameters
    ----------
    top : DataFrame
        Its first customers to contact, with all columns, as text was before it was made harmless for
        spreadsheets, under the names that the config now asks for.
    contacts, controls, holds : int
        Customers to contact, to leave alone, and those who were contacted too lately or too often.
    at_risk : float
        At stake with those to contact.
    p_churn : float
        The mean chance of no order of those to contact; NaN if there are none.
    net_value : float or None
        What contacting them should bring; None where margin or save rate are not given.
    reasons : sequence of (str, int)
        Features that most often are the first reason why a customer to contact is less likely to buy, and of
        how many customers.
    told : int
        Customers to contact whose reasons are known.
    """

    top: pd.DataFrame
    contacts: int
    controls: int
    holds: int
    at_risk: float
    p_churn: float
    net_value: float | None
    reasons: list[tuple[str, int]]
    told: int


def list_facts(run: Run, config: Config) -> ListFacts:
    """Read a run's list; one of an earlier version leaves nobody alone and tells no net value."""
    days = int(run.manifest["outlook"]["days"])
    asked = ["customer_id", "group", "value_at_risk", f"p_churn_{days}d", "net_value"]
    path = run.folder / LIST
    there = pd.read_csv(path, nrows=0).columns
    # A customer may be called NA.
    whole = pd.read_csv(
        path,
        usecols=[name for name in asked if name in there],
        dtype={"customer_id": "str", "group": "str"},
        keep_default_na=False,
        na_values={name: [""] for name in asked[2:]},
    )
    group = whole["group"] if "group" in there else pd.Series(CONTACT, whole.index)
    contacts = whole[group == CONTACT]
    net = contacts["net_value"].sum(min_count=1) if "net_value" in there else float("nan")
    top = _top(run, contacts.index[:TOP].tolist())
    reasons, told = _reasons(run, {original(text) for text in contacts["customer_id"]})
    return ListFacts(
        top=top if run.has_pseudonyms else as_listed(top, config),
        contacts=len(contacts),
        controls=int((group == CONTROL).sum()),
        holds=int((group == HOLD).sum()),
        at_risk=float(contacts["value_at_risk"].sum()),
        p_churn=float(contacts[f"p_churn_{days}d"].mean()),
        net_value=None if pd.isna(net) else float(net),
        reasons=reasons,
        told=told,
    )


def _top(run: Run, places: list[int]) -> pd.DataFrame:
    """Read some rows of the list, no further down than they stand."""
    rows = max(places, default=-1) + 1
    whole = pd.read_csv(run.folder / LIST, nrows=rows, dtype={"customer_id": str}, keep_default_na=False)
    listed = whole.iloc[places].reset_index(drop=True)
    texts = text_columns(listed)
    return listed.assign(**{name: [original(text) for text in listed[name]] for name in texts})


def _reasons(run: Run, who: set[str]) -> tuple[list[tuple[str, int]], int]:
    """Count the weightiest reasons against a purchase, each customer once."""
    path = run.folder / REASONS
    if not path.exists():
        return [], 0
    told = pq.read_table(path, columns=["customer_id", "place", "feature", "contribution"]).to_pandas()
    told = told[told["customer_id"].isin(who)]
    against = told[told["contribution"] < 0].sort_values(["customer_id", "place"])
    counted = against.drop_duplicates("customer_id")["feature"].value_counts()
    ranked = sorted(counted.items(), key=lambda pair: (-pair[1], str(pair[0])))
    return [(str(name), int(n)) for name, n in ranked[:MOST_REASONS]], int(told["customer_id"].nunique())
