"""Reasons: the few facts that moved a customer's chance of a purchase most against the training base."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.attributes import is_sensitive
from features.reason_groups import group_of, is_actionable
from features.wording import ATTRIBUTE, windows
from models.categories import is_category
from models.contributions import contributions
from models.purchase import Recipe
from models.scorer import Scorer
from models.witnesses import Voice

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

MOST = 3
"""Reasons a customer at most."""

SMALLEST = 0.05
"""In log-odds: it moves a chance of 20 % by less than one point."""

SHOWN_AS = {"formula": "n_orders", "btyd_spend_per_day": "average_order_value"}
"""Inputs that are no features, and the feature that speaks for each; for the rhythm: `_silence_speaks`."""

COLUMNS = {
    "customer_id": "str",
    "place": "int64",
    "group": "str",
    "feature": "str",
    "value": "float64",
    "text": "str",
    "contribution": "float64",
    "actionable": "bool",
}


def reasons(scorer: Scorer, frame: pd.DataFrame, sensitive: Collection[str] = ()) -> pd.DataFrame:
    """Find each customer's reasons, the weightiest first.

    What the champion adds to the log-odds of a purchase is split over its inputs, less what it adds for the
    training base on average, and summed by groups that tell one fact. A group is given if the champion
    and every witness move the log-odds in the same direction, each by `SMALLEST` at least.

    Parameters
    ----------
    scorer : Scorer
        The champion; one without grounds, or that tells nobody apart, gives no reasons.
    frame : DataFrame
        One row per customer, as `Scorer.score` takes it.
    sensitive : collection of str
        Attributes that are never named, beside those whose name tells what they are.

    Returns
    -------
    DataFrame
        A row a reason, in the order of `frame` and by place: ``customer_id``, ``place`` (from 1), ``group``,
        the ``feature`` that speaks for it and its ``value``, or its ``text`` where that is a category,
        ``contribution`` (log-odds; below zero it lowers the chance), ``actionable``.
    """
    if scorer.grounds is None or not scorer.grounds.base or frame.empty:
        return _table({name: [] for name in COLUMNS})
    horizon, recipe = scorer.grounds.horizon, scorer.purchase.recipe
    rows = scorer.rows(frame, [horizon])
    split = moved(Voice(scorer.purchase.parts[horizon], scorer.grounds.base), recipe, rows, horizon)
    names, owner = owners(rows, list(split.columns))
    total = by_group(split, owner, len(names))
    least = np.abs(total)  # how far the most doubtful voice moves it in the champion's direction
    for witness in scorer.grounds.witnesses:
        seen = moved(witness, recipe, rows, horizon).reindex(columns=split.columns, fill_value=0.0)
        least = np.minimum(least, by_group(seen, owner, len(names)) * np.sign(total))
    holds = least >= SMALLEST
    holds &= [_may_be_told(name, sensitive, has_amounts=scorer.has_amounts) for name in names]
    told = _told(split, owner, np.where(holds, total, 0.0), names)
    counts_orders = bool({"n_orders", "btyd_log_odds"} & set(split.columns))
    return _with_faces(told, rows, counts_orders=counts_orders, has_amounts=scorer.has_amounts)


def moved(voice: Voice, recipe: Recipe, rows: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """Split the log-odds of each row, less those of the training base, over the inputs.

    Returns
    -------
    DataFrame, shape (n, inputs)
        A row adds up to the blend's log-odds less their mean over the training base.
    """
    split = contributions(recipe.weights, voice.parts, rows, horizon)
    return split - np.array([voice.base[str(name)] for name in split.columns])


def owners(rows: pd.DataFrame, inputs: Sequence[str]) -> tuple[list[str], Places]:
    """Assign each input to a group, row by row, so that one fact is said once.

    A window that is empty because the silence is longer says that silence once more, and so goes with the
    rhythm; the value of a one-time buyer's first order says what they spend.

    Returns
    -------
    list of str
        The groups.
    ndarray of int, shape (n, inputs)
        Place of the group in that list.
    """
    silence, is_single = rows["days_since_last_order"].to_numpy(), rows["n_orders"].to_numpy() <= 1
    own = [group_of(name) for name in inputs]
    names = list(dict.fromkeys([*own, "rhythm", "spend"]))
    owner = np.tile(np.array([names.index(group) for group in own], dtype=np.int64), (len(rows), 1))
    for column, name in enumerate(inputs):
        if own[column] == "recent":
            owner[silence > windows(name)[0], column] = names.index("rhythm")
        elif name == "first_order_value":
            owner[is_single, column] = names.index("spend")
    return names, owner


def by_group(split: pd.DataFrame, owner: Places, n_groups: int) -> Floats:
    """Sum contributions by group, shape (n, groups)."""
    values = split.to_numpy()
    return np.column_stack([np.where(owner == g, values, 0.0).sum(axis=1) for g in range(n_groups)])


def _may_be_told(group: str, sensitive: Collection[str], *, has_amounts: bool) -> bool:
    if group.startswith(ATTRIBUTE):
        name = group.removeprefix(ATTRIBUTE)
        return not (name in sensitive or is_sensitive(name))
    return has_amounts or group != "spend"  # without amounts, "spend" counts lines


def _told(split: pd.DataFrame, owner: Places, total: Floats, names: Sequence[str]) -> pd.DataFrame:
    """List the weightiest groups of each row whose total is not zero."""
    best = np.argsort(-np.abs(total), axis=1, kind="stable")[:, :MOST]
    row, place = np.nonzero(np.take_along_axis(total, best, axis=1))
    group = best[row, place]
    added = total[row, group]
    # The input that moves most in the group's own direction; the others may pull against it.
    pull = np.where(owner[row] == group[:, None], split.to_numpy()[row] * np.sign(added)[:, None], -np.inf)
    return pd.DataFrame(
        {
            "row": row,
            "place": place + 1,
            "group": [names[g] for g in group],
            "strongest": split.columns.to_numpy()[pull.argmax(axis=1)],
            "contribution": added,
        }
    )


def _with_faces(
    told: pd.DataFrame, rows: pd.DataFrame, *, counts_orders: bool, has_amounts: bool
) -> pd.DataFrame:
    """Say which feature speaks for each reason, with its value for that customer."""
    silence = _silence_speaks(rows.iloc[told["row"]], told["contribution"].to_numpy()) | (not counts_orders)
    feature = [
        _face(group, strongest, speaks=speaks, has_amounts=has_amounts)
        for group, strongest, speaks in zip(told["group"], told["strongest"], silence, strict=True)
    ]
    asked = dict.fromkeys(feature)
    # A value that the model does not tell apart is no reason: it stays unsaid.
    texts = {n: rows[n].astype("str").fillna("").to_numpy() for n in asked if is_category(rows[n].dtype)}
    nothing = np.full(len(rows), np.nan)
    values = {name: nothing if name in texts else rows[name].to_numpy() for name in asked}
    return _table(
        {
            "customer_id": rows["customer_id"].to_numpy()[told["row"]],
            "place": told["place"],
            "group": told["group"],
            "feature": feature,
            "value": [values[name][row] for name, row in zip(feature, told["row"], strict=True)],
            "text": [
                texts[name][row] if name in texts else ""
                for name, row in zip(feature, told["row"], strict=True)
            ],
            "contribution": told["contribution"],
            "actionable": [is_actionable(group) for group in told["group"]],
        }
    )


def _silence_speaks(rows: pd.DataFrame, contribution: Floats) -> NDArray[np.bool_]:
    """Whether the silence, against the customer's own usual wait, points the way of the contribution.

    A loyal customer who is a little late is likelier to buy than most all the same: that is for their orders
    to say, not for their silence. One-time buyers have no usual wait.
    """
    frequency = rows["frequency"].to_numpy()
    wait = rows["recency"].to_numpy() / np.maximum(frequency, 1)
    is_late = rows["days_since_last_order"].to_numpy() > wait
    speaks: NDArray[np.bool_] = (frequency == 0) | (is_late == (contribution < 0))
    return speaks


def _face(group: str, strongest: str, *, speaks: bool, has_amounts: bool) -> str:
    if group == "rhythm":
        return "days_since_last_order" if speaks else "n_orders"
    if strongest in SHOWN_AS:
        return SHOWN_AS[strongest]
    # Without amounts, what is called spend counts lines.
    return strongest if has_amounts else strongest.replace("spend_", "orders_")


def _table(columns: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(columns).astype(COLUMNS)
