"""The lists that were published, read back: whom they held, and who of them was left alone."""

from dataclasses import dataclass
from datetime import date, timedelta

import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import ContractError
from pipelines.campaign import CONTACT, HOLD
from pipelines.cell_text import original
from pipelines.config import Config
from pipelines.engine import Engine
from pipelines.failures import NotReady
from pipelines.outcome_runs import honest_runs
from pipelines.published_runs import LIST, Run
from pipelines.purchase_log import PurchaseLog
from pipelines.run_customers import RunCustomers

LEAST_DAYS = 7
"""A list younger than a week has not seen every day of the week yet, and is not looked at."""


@dataclass(frozen=True)
class PastList:
    """A list whose customers have had time to buy.

    Parameters
    ----------
    run : Run
        Which published it.
    horizon : int
        Days, of the run's primary horizon.
    end : date
        First day after its window that is looked at.
    is_over : bool
        Whether the whole window is behind it.
    """

    run: Run
    horizon: int
    end: date
    is_over: bool

    @property
    def campaign(self) -> str:
        """The campaign's id."""
        return str(self.run.manifest["campaign"]["id"])

    @property
    def share(self) -> float:
        """Of the customers, those left alone."""
        return float(self.run.manifest["campaign"]["share"])

    @property
    def cost(self) -> float:
        """Of one contact, as it was expected."""
        return float(self.run.manifest["campaign"]["cost"])

    def rows(self) -> pd.DataFrame:
        """Read it, but for those who were let alone for what they had been sent before.

        Its columns are ``listed`` (the customer as the run calls them), ``is_contact, risk_tier, lifecycle,
        expected``.
        """
        spend = f"expected_spend_{self.horizon}d"
        texts = ["customer_id", "risk_tier", "lifecycle", "group"]
        # A customer may be called NA.
        found = pd.read_csv(
            self.run.folder / LIST,
            usecols=lambda name: name in {*texts, spend},  # lists of before had no lifecycle
            dtype=dict.fromkeys(texts, "str") | {spend: "float64"},
            keep_default_na=False,
            na_values={spend: [""]},
        )
        found = found[found["group"] != HOLD].reset_index(drop=True)
        return pd.DataFrame(
            {
                "listed": pd.Series(map(original, found["customer_id"]), dtype="str"),
                "is_contact": found["group"] == CONTACT,
                "risk_tier": found["risk_tier"],
                "lifecycle": found.get("lifecycle", ""),
                "expected": found[spend],
            }
        )


def past_lists(config: Config, log: PurchaseLog, as_of: date) -> tuple[list[PastList], list[str]]:
    """Find the lists of before a date that can be measured, in order, and say which cannot.

    Raises
    ------
    Refused
        If nothing was ever published.
    NotReady
        If no list is old enough, naming the date on which the first will be.
    """
    runs, left_out = honest_runs(config, as_of)
    until, found, young = min(as_of, log.end), [], []
    for run in runs:
        why = _why_not(run)
        if why is not None:
            left_out.append(f"the list of {run.as_of} is left out: {why}")
        elif run.as_of + timedelta(LEAST_DAYS) > until:
            young.append(run.as_of)
        else:
            try:
                found.append(past_list(run, log, until))
            except ContractError as reason:  # the log told its dates otherwise when it was scored
                left_out.append(f"the list of {run.as_of} is left out: {reason}")
    if not found:
        raise NotReady(_too_early(young, left_out, as_of, log))
    return found, left_out


def _why_not(run: Run) -> str | None:
    if "campaign" not in run.manifest:
        return "it was published before lists left anyone alone"
    if not run.manifest["campaign"]["share"]:
        return "nobody was left alone ([campaign] control_share = 0)"
    return None


def past_list(run: Run, log: PurchaseLog, until: date) -> PastList:
    """Say of a run's list how far it can be followed.

    Raises
    ------
    ContractError
        If the log told its dates otherwise when it was scored.
    """
    horizon = int(run.manifest["config"]["target"]["primary_horizon"])
    end = log.period.end_of(run.as_of, horizon)
    return PastList(run, horizon, min(end, until), end <= until)


def by_own_ids(engine: Engine, customers: RunCustomers, one: PastList) -> ir.Table:
    """Put the rows of a list (`PastList.rows`) beside the log's own ids."""
    file = engine.folder / "past_list.parquet"
    pq.write_table(pa.Table.from_pandas(one.rows(), preserve_index=False), file)
    return customers.of(one.run).inner_join(engine.read_fetched(file), "listed")


def _too_early(young: list[date], left_out: list[str], as_of: date, log: PurchaseLog) -> str:
    said = "; ".join(left_out)
    if not young:
        return f"no list before {as_of} can be measured" + (f": {said}" if said else "")
    first = min(young)
    short = f", and the log ends before {log.end}" if log.end < as_of else ""
    text = (
        f"too early: by {as_of} no list is {LEAST_DAYS} days old{short}; the first, of {first}, will be with "
        f"`--as-of {first + timedelta(LEAST_DAYS)}` and a log that goes up to it"
    )
    return f"{text}; {said}" if said else text
