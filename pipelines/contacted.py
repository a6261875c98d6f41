"""Who was on published lists, for a training that is to know who was contacted."""

from dataclasses import dataclass
from datetime import date

import pandas as pd

from features.errors import ContractError
from models.contacted import Contacted, chances_to_be_left_alone, count_contacted, left_alone
from models.folds import label_end
from pipelines.config import Config
from pipelines.engine import Engine
from pipelines.failures import Refused
from pipelines.outcome_runs import honest_runs
from pipelines.past_lists import PastList, by_own_ids, past_list
from pipelines.published_runs import LIST
from pipelines.purchase_log import PurchaseLog
from pipelines.run_customers import RunCustomers

COLUMNS = ["customer_id", "campaign", "start", "end", "is_contact", "share"]
LEAVE_OUT = "leave_out"


@dataclass(frozen=True)
class Listed:
    """Who was on the lists of before a date, by the log's own ids, each once a campaign.

    Parameters
    ----------
    drawn : DataFrame
        `COLUMNS`, of lists that left some alone.
    undrawn : DataFrame
        The same of lists that left nobody alone.
    left_out : list of str
        Which lists are not looked at, and why.
    """

    drawn: pd.DataFrame
    undrawn: pd.DataFrame
    left_out: list[str]


def without_contacted(
    engine: Engine, log: PurchaseLog, config: Config, panel: pd.DataFrame, horizon: int, until: date
) -> tuple[pd.DataFrame, Contacted]:
    """Count the labels that contacts are in, and leave them out if ``[training] contacted`` says so.

    Parameters
    ----------
    engine, log : Engine, PurchaseLog
        The shop's tables.
    config : Config
        For ``[training]``, and where runs are.
    panel : DataFrame
        Rows of `pipelines.training.load_panel`.
    horizon : int
        Days that are judged.
    until : date
        What the training sees.
    """
    named = label_end(horizon)
    ends = panel[named] if named in panel else panel["cutoff"] + pd.Timedelta(days=horizon)
    has_label = ends <= pd.Timestamp(until)
    lists = listed_before(engine, log, config, until)
    alone = chances_to_be_left_alone(panel, lists.drawn, horizon)
    everyone = chances_to_be_left_alone(panel, lists.undrawn, horizon) == 0
    counted = count_contacted(alone, everyone, has_label, lists.left_out)
    if config.training.contacted == LEAVE_OUT and (alone[has_label] == 0).any():
        panel = left_alone(panel, alone, has_label, config.training.seed)
    return panel, counted


def listed_before(engine: Engine, log: PurchaseLog, config: Config, until: date) -> Listed:
    """Read who was on the lists of before a date.

    Between two lists that held a customer, the customer counts as listed as well: which rows are near then
    follows from later days in part, and what is made of them holds all the same, as the draw does not.
    """
    try:
        runs, left_out = honest_runs(config, until, (LIST,))
    except Refused:  # nothing was ever published
        runs, left_out = [], []
    customers = RunCustomers.of_log(engine, log, config)
    drawn = undrawn = pd.DataFrame(columns=COLUMNS)
    for run in runs:
        if "campaign" not in run.manifest:
            continue
        try:
            one = past_list(run, log, until)
        except ContractError as reason:  # the log told its dates otherwise when it was scored
            left_out.append(f"the list of {run.as_of} is left out: {reason}")
            continue
        rows = _rows(one, engine, customers)
        if one.share:
            drawn = _joined(drawn, rows)
        else:
            undrawn = _joined(undrawn, rows)
    return Listed(drawn, undrawn, left_out)


def _rows(one: PastList, engine: Engine, customers: RunCustomers) -> pd.DataFrame:
    listed = engine.frame(by_own_ids(engine, customers, one).select("customer_id", "is_contact"))
    start, end = pd.Timestamp(one.run.as_of), pd.Timestamp(one.end)
    return listed.assign(campaign=one.campaign, start=start, end=end, share=one.share)


def _joined(before: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Add a list; memory holds each customer once a campaign, however many nights there were."""
    both = now if before.empty else pd.concat([before, now])
    one = both.groupby(["customer_id", "campaign"], as_index=False).agg(
        start=("start", "min"), end=("end", "max"), is_contact=("is_contact", "any"), share=("share", "min")
    )
    return one[COLUMNS]
