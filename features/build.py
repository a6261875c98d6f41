"""Build the feature table: one group-by a grain, then row-wise columns. The same for training and scoring."""

from collections.abc import Sequence
from datetime import date

import ibis.expr.types as ir
import pandas as pd

from features.contracts import MONEY_UNITS
from features.feature import Feature
from features.labels import add_labels, label_names
from features.rfm import WINDOWS, rfm
from features.snapshot import Snapshot, take_snapshot
from features.tenure import tenure

KEYS = ("customer_id", "cutoff")


def catalogue(horizons: Sequence[int] = ()) -> tuple[Feature, ...]:
    """Return every feature in column order.

    Parameters
    ----------
    horizons : sequence of int
        Configured horizons; each gets a trailing window of its length, beside the standard windows.

    Examples
    --------
    >>> [f.name for f in catalogue() if f.unit == "purchase cycles"]
    ['purchase_cycles', 'silent_cycles']
    """
    windows = sorted({*WINDOWS, *horizons})
    return (*rfm(windows), *tenure())


def model_features(horizons: Sequence[int] = ()) -> tuple[Feature, ...]:
    """Return the features a model may see: the catalogue without its intermediate parts."""
    return tuple(f for f in catalogue(horizons) if not f.is_part)


def build_features(snapshot: Snapshot, horizons: Sequence[int] = ()) -> ir.Table:
    """Build one row per (``customer_id``, ``cutoff``) from what the snapshot shows.

    Parameters
    ----------
    snapshot : Snapshot
        With one cutoff or many.
    horizons : sequence of int
        As in `catalogue`.

    Returns
    -------
    ibis Table
        ``customer_id``, ``cutoff`` (day number) and the features, for every customer with at least one
        purchase day before the cutoff. Sums of money are int64 in 1/10,000 of a unit (`to_model_frame`
        turns them into currency), means are floats in the log's currency.
    """
    features = catalogue(horizons)
    by_day = _aggregate(snapshot.days, features, "days")
    by_entry = _aggregate(snapshot.entries, features, "entries")
    table = by_day.left_join(by_entry, [by_day[k] == by_entry[k] for k in KEYS])
    table = table.drop(*[f"{k}_right" for k in KEYS])
    for feature in features:
        if feature.grain == "derived":
            table = table.mutate(feature.value(table).name(feature.name))
    return table.select(*KEYS, *[f.name for f in model_features(horizons)])


def _aggregate(grain: ir.Table, features: Sequence[Feature], name: str) -> ir.Table:
    wanted = {f.name: f.value(grain) for f in features if f.grain == name}
    return grain.group_by(*KEYS).agg(**wanted)


def build_panel(
    ledger: ir.Table, cutoffs: Sequence[date], horizons: Sequence[int], observed_until: date
) -> ir.Table:
    """Build features and labels at many cutoffs: the rolling-origin training panel.

    Parameters
    ----------
    ledger : ibis Table
        Entries of `features.grains.order_ledger`.
    cutoffs : sequence of date
        When to look.
    horizons : sequence of int
        How far ahead the labels look, in days.
    observed_until : date
        First day that is not observed; labels that reach past it are null.
    """
    features = build_features(take_snapshot(ledger, cutoffs), horizons)
    return add_labels(features, ledger, horizons, observed_until)


def to_model_frame(frame: pd.DataFrame, horizons: Sequence[int] = ()) -> pd.DataFrame:
    """Turn an executed feature or panel table into what models take.

    Parameters
    ----------
    frame : DataFrame
        As the engine returned it.
    horizons : sequence of int
        As in `catalogue`.

    Returns
    -------
    DataFrame
        A new frame sorted by cutoff and customer: ``cutoff`` a timestamp, every feature and label float64,
        money in the log's currency.
    """
    ordered = frame.sort_values(["cutoff", "customer_id"], kind="stable").reset_index(drop=True)
    labels = [label_names(h) for h in horizons if label_names(h)[0] in ordered.columns]
    names = [f.name for f in model_features(horizons)] + [name for three in labels for name in three]
    money = [f.name for f in model_features(horizons) if f.unit == "money"] + [y[2] for y in labels]
    values = ordered[names].astype("float64")
    values[money] = values[money] / MONEY_UNITS
    values.insert(0, "customer_id", ordered["customer_id"].astype("str"))
    values.insert(1, "cutoff", pd.to_datetime(ordered["cutoff"], unit="D", origin="unix"))
    return values
