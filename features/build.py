"""Build the feature table: one group-by a grain, then row-wise columns. The same for training and scoring."""

from collections.abc import Iterable, Sequence
from datetime import date

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pandas as pd

from features.catalogue import catalogue
from features.contracts import MONEY_UNITS
from features.errors import ContractError
from features.feature import Feature
from features.history import History
from features.labels import WindowEnd, add_labels, label_names, plain_end
from features.snapshot import KEYS, Snapshot, take_snapshot


def build_features(
    snapshot: Snapshot, horizons: Sequence[int] = (), names: Sequence[str] | None = None
) -> ir.Table:
    """Build one row per (``customer_id``, ``cutoff``) from what the snapshot shows.

    Parameters
    ----------
    snapshot : Snapshot
        With one cutoff or many.
    horizons : sequence of int
        As in `features.catalogue.catalogue`.
    names : sequence of str, optional
        Which features, in this order; without it, all that the snapshot's tables allow. Only what these
        need is computed.

    Returns
    -------
    ibis Table
        ``customer_id``, ``cutoff`` (day number) and the features, for every customer with at least one
        purchase day before the cutoff. Sums of money are int64 in 1/10,000 of a unit (`to_model_frame`
        turns them into currency), means are floats in the log's currency.

    Raises
    ------
    ContractError
        If a feature is asked for whose columns are not there.
    """
    known = {f.name: f for f in catalogue(horizons, snapshot.has, snapshot.attributes)}
    wanted = [f.name for f in known.values() if not f.is_part] if names is None else list(names)
    _refuse_unknown(wanted, known)
    needed = _with_parts(wanted, known)
    table = _aggregate(snapshot, needed)
    return table.select(
        *KEYS, **{n: known[n].value(table) if known[n].grain == "derived" else table[n] for n in wanted}
    )


def _refuse_unknown(wanted: Iterable[str], known: dict[str, Feature]) -> None:
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise ContractError(
            f"{len(unknown)} features cannot be built from this shop's tables",
            example=unknown[0],
            hint="is a column or a table missing in the config that was there before?",
        )


def _with_parts(wanted: Iterable[str], known: dict[str, Feature]) -> list[Feature]:
    """Add the aggregates from which the derived features are made, as their expressions tell."""
    aggregated = [f for f in known.values() if f.grain != "derived"]
    blank = ibis.table(
        {**dict.fromkeys(KEYS, "int64"), **{f.name: "int64" for f in aggregated}}, name="blank"
    )
    names = set(wanted) | {"first_day"}
    for name in list(names):
        if known[name].grain == "derived":
            names |= {field.name for field in known[name].value(blank).op().find(ops.Field)} - set(KEYS)
    return [f for f in known.values() if f.name in names]


def _aggregate(snapshot: Snapshot, features: Sequence[Feature]) -> ir.Table:
    """Aggregate each grain once and lay them side by side; purchase days decide who has a row."""
    aggregated = [f for f in features if f.grain != "derived"]
    joined = _sums(snapshot, aggregated, "days")
    for grain in dict.fromkeys(f.grain for f in aggregated if f.grain != "days"):
        joined = joined.left_join(_sums(snapshot, aggregated, grain), KEYS, rname=f"{{name}}_{grain}")
    return joined.select(*KEYS, **{f.name: _filled(joined[f.name], f.fill) for f in aggregated})


def _sums(snapshot: Snapshot, features: Sequence[Feature], grain: str) -> ir.Table:
    rows = snapshot.grains[grain]
    return rows.group_by(KEYS).agg(**{f.name: f.value(rows) for f in features if f.grain == grain})


def _filled(column: ir.Value, fill: int | None) -> ir.Value:
    return column if fill is None else column.fill_null(fill)


def build_panel(
    history: History,
    cutoffs: Sequence[date],
    horizons: Sequence[int],
    observed_until: date,
    end_of: WindowEnd = plain_end,
    names: Sequence[str] | None = None,
) -> ir.Table:
    """Build features and labels at many cutoffs: the rolling-origin training panel.

    Parameters
    ----------
    history : History
        Of `features.history.make_history`.
    cutoffs : sequence of date
        When to look.
    horizons : sequence of int
        How far ahead the labels look, in days.
    observed_until : date
        First day that is not observed; labels that reach past it are null.
    end_of : callable
        As in `features.labels.add_labels`.
    names : sequence of str, optional
        As in `build_features`.

    Raises
    ------
    ContractError
        If the history was made for one date alone.
    """
    if history.at is not None:
        raise ContractError("a history for one date knows of no labels", example=str(history.at))
    features = build_features(take_snapshot(history, cutoffs), horizons, names)
    return add_labels(features, history.parts["entries"], cutoffs, horizons, observed_until, end_of)


def to_model_frame(
    frame: pd.DataFrame, features: Sequence[Feature], horizons: Sequence[int] = ()
) -> pd.DataFrame:
    """Turn an executed feature or panel table into what models take.

    Parameters
    ----------
    frame : DataFrame
        As the engine returned it.
    features : sequence of Feature
        Those of its columns to keep, in order.
    horizons : sequence of int
        Whose labels to keep, where the frame has them.

    Returns
    -------
    DataFrame
        A new frame sorted by cutoff and customer: ``cutoff`` a timestamp, every numeric feature and label
        float64, money in the log's currency, categories as text.
    """
    ordered = frame.sort_values(["cutoff", "customer_id"], kind="stable").reset_index(drop=True)
    labels = [name for h in horizons for name in label_names(h) if name in ordered.columns]
    money = {f.name for f in features if f.unit == "money"} | {n for n in labels if n.startswith("y_spend_")}
    columns: dict[str, pd.Series] = {
        "customer_id": ordered["customer_id"].astype("str"),
        "cutoff": pd.to_datetime(ordered["cutoff"], unit="D", origin="unix"),
    }
    for feature in features:
        text = feature.unit == "category"
        columns[feature.name] = ordered[feature.name].astype("str" if text else "float64")
    columns |= {name: ordered[name].astype("float64") for name in labels}
    return pd.DataFrame({n: c / MONEY_UNITS if n in money else c for n, c in columns.items()})
