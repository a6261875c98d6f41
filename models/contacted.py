"""Labels of customers whom a list had to contact: what they bought is not what they would have bought."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.findings import Finding

WORTH_SAYING = 0.05
"""Share of the labels from which on it is said that contacts are in them."""
FEW_CONTROLS = 100
"""With fewer customers of the control group, those who speak for the others are few."""


@dataclass(frozen=True)
class Contacted:
    """How many labels are of customers on lists.

    Parameters
    ----------
    labels : int
        Rows of a panel whose window is over.
    contacts, controls : int
        Of them, those in whose window a list had to contact the customer, and those in which one was left
        alone and none had to contact them.
    undrawn : int
        Of `contacts`, those of lists alone that left nobody alone: nobody can stand for them.
    left_out : sequence of str
        Which lists were not looked at, and why.
    """

    labels: int
    contacts: int
    controls: int
    undrawn: int = 0
    left_out: Sequence[str] = ()

    def finding(self, *, left_out: bool) -> Finding | None:
        """Say what contacts make of the labels; None where they make little of them."""
        numbers = {
            "labels": self.labels, "contacts": self.contacts, "controls": self.controls,
            "undrawn": self.undrawn,
        }  # fmt: skip
        whose = f"{self.contacts:,} of {self.labels:,} labels are of customers whom lists had to contact then"
        if left_out and self.undrawn:
            text = (
                f"{whose}; {self.undrawn:,} of them are of lists that left nobody alone: they stay in, as "
                "nobody can stand for them; a [campaign] control_share above 0 lets later trainings learn"
            )
            return Finding("warning", "nobody_left_alone", text, numbers)
        if left_out and self.contacts and self.controls < FEW_CONTROLS:
            text = (
                f"{whose}: they are left out, and {self.controls:,} of customers who were left alone speak "
                'for them, which are few; a larger [campaign] control_share, or [training] contacted = "keep"'
            )
            return Finding("warning", "few_controls", text, numbers)
        if left_out or self.contacts <= WORTH_SAYING * self.labels:
            return None
        text = (
            f"{whose}: chances are those of a shop that goes on contacting; "
            '[training] contacted = "leave_out" learns from those left alone'
        )
        return Finding("warning", "contacted_labels", text, numbers)


def chances_to_be_left_alone(panel: pd.DataFrame, lists: pd.DataFrame, horizon: int) -> "pd.Series[float]":
    """Return for each row of a panel how likely the draws of the lists in its window left the customer alone.

    Parameters
    ----------
    panel : DataFrame
        With ``customer_id`` and ``cutoff``.
    lists : DataFrame
        One row a customer and campaign: ``customer_id, campaign, start, end`` (first day after the windows of
        its lists), ``is_contact``, ``share``.
    horizon : int
        Days of the label's window. A list counts where its window and the label's have a day in common.

    Returns
    -------
    Series of float
        1 for whom no list held; the campaigns' control shares, multiplied, for whom they left alone; 0 for
        those whom one of them had to contact.
    """
    found = pd.Series(1.0, index=panel.index)
    for cutoff in panel["cutoff"].unique():
        rows, ends = panel[panel["cutoff"] == cutoff], cutoff + pd.Timedelta(days=horizon)
        near = lists[(lists["start"] < ends) & (lists["end"] > cutoff)]
        drawn = near["share"].astype(float).where(~near["is_contact"].astype(bool), 0.0)
        alone = drawn.groupby(near["customer_id"]).prod()
        found.loc[rows.index] = rows["customer_id"].map(alone).fillna(1.0)
    return found


def count_contacted(
    alone: "pd.Series[float]", everyone: "pd.Series[bool]", has_label: "pd.Series[bool]",
    left_out: Sequence[str] = (),
) -> Contacted:  # fmt: skip
    """Count labels by their `chances_to_be_left_alone`; `everyone` marks those of lists without a draw."""
    told, undrawn = alone[has_label], everyone[has_label] & (alone[has_label] > 0)
    return Contacted(
        labels=len(told),
        contacts=int((told == 0).sum() + undrawn.sum()),
        controls=int(((told > 0) & (told < 1) & ~undrawn).sum()),
        undrawn=int(undrawn.sum()),
        left_out=tuple(left_out),
    )


def left_alone(
    panel: pd.DataFrame, alone: "pd.Series[float]", has_label: "pd.Series[bool]", seed: int
) -> pd.DataFrame:
    """Leave out labels that contacts are in, and let those left alone stand for all who were listed.

    Rows without a label stay as they are. A row that was left alone with a chance of a tenth comes ten
    times; where that is no whole number, the rest is drawn.

    Notes
    -----
    Horvitz and Thompson (1952): weights of one over the chance make sums those of everybody untreated. Who
    was listed depends on what happened in the window, and the weights hold all the same, as the draw does
    not.
    """
    weight = (1 / alone.where(alone > 0)).where(has_label, 1.0).fillna(0.0).to_numpy()
    whole = np.floor(weight + 1e-9)
    times = whole + (np.random.default_rng(seed).random(len(weight)) < weight - whole - 1e-9)
    return panel.iloc[np.repeat(np.arange(len(panel)), times.astype(np.int64))].reset_index(drop=True)
