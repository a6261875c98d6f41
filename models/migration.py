"""Who moved from which group to which since an earlier run, and why."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.segments import AXES

MOVE = ("axis", "before", "after", "why")
"""What a move is told by."""
NOBODY = "-"
"""Where newcomers come from, and where those go who are in the base no more."""
OF_THE_MODEL = ("risk_group",)
"""Groups that rest on what a model says."""
BEHAVIOUR, TIME, MODEL, ARRIVED, GONE = "behaviour", "time", "model", "arrived", "gone"
WHYS = (BEHAVIOUR, TIME, MODEL, ARRIVED, GONE)


def why_moved(
    customers: pd.DataFrame, axis: str, *, another_model: bool, other_rules: bool
) -> NDArray[np.object_]:
    """Say why each customer is in another group than before; empty for who is not.

    A customer who ordered, or took an order back, moved by that. Else, where another model or other rules are
    at work, they may be the cause, and are named. Else only time has passed.

    Parameters
    ----------
    customers : DataFrame
        The group (`axis`), ``was_`` and the group before (missing for newcomers), and ``has_ordered``.
    axis : str
        One of `models.segments.AXES`.
    another_model, other_rules : bool
        What has changed between the runs.

    Examples
    --------
    >>> people = pd.DataFrame({
    ...     "lifecycle": ["loyal", "churned", "new", "new"],
    ...     "was_lifecycle": ["standard", "loyal", None, "new"],
    ...     "has_ordered": [True, False, None, False],
    ... })
    >>> why_moved(people, "lifecycle", another_model=True, other_rules=False).tolist()
    ['behaviour', 'time', 'arrived', '']
    """
    was, now = customers[f"was_{axis}"], customers[axis]
    ordered = customers["has_ordered"].fillna(False).astype(bool)
    is_changed = other_rules or (another_model and axis in OF_THE_MODEL)
    said = np.select(
        [was.isna(), now == was, ordered], [ARRIVED, "", BEHAVIOUR], MODEL if is_changed else TIME
    )
    return said.astype(object)


def migration(moved: pd.DataFrame) -> pd.DataFrame:
    """Sum up moves: every customer once for each axis, also those who stayed.

    Parameters
    ----------
    moved : DataFrame
        For each axis the group, ``was_`` group and ``why_`` of it; also rows of those who are gone, whose
        groups are missing.

    Returns
    -------
    DataFrame
        ``axis, before, after, why, customers``; `why` is empty for those who stayed. For each axis the
        customers add up to the base, and to those who are gone.
    """
    parts = []
    for axis in AXES:
        part = pd.DataFrame(
            {
                "axis": axis,
                "before": moved[f"was_{axis}"].fillna(NOBODY),
                "after": moved[axis].fillna(NOBODY),
                "why": moved[f"why_{axis}"].where(moved[axis].notna(), GONE),
            }
        )
        parts.append(part)
    table = pd.concat(parts, ignore_index=True)
    return table.groupby([*MOVE], sort=True).size().rename("customers").reset_index()
