"""The groups of a run: `segments.parquet`, learned rules, and who moved since the run before."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.wording import Language
from models.migration import MOVE, NOBODY, migration, why_moved
from models.scorer import Scorer
from models.segment_rules import Fit, judge_recency, learn_loyal, learn_pace
from models.segments import AXES, LIFECYCLES, Rules, group
from pipelines.config import Config
from pipelines.engine import Engine
from pipelines.failures import Refused
from pipelines.log_profile import find_silences
from pipelines.pieces import batches_of
from pipelines.publish import Writer
from pipelines.published_runs import SEGMENTS, Run, runs_up_to
from pipelines.purchase_log import PurchaseLog
from pipelines.score_file import ROWS, opened
from pipelines.scoring import Base, copy_table
from pipelines.words import Voice

FIFTHS = (0.2, 0.4, 0.6, 0.8)
SCHEMA = pa.schema(
    [
        ("customer_id", pa.string()),
        ("as_of", pa.date32()),
        *((name, pa.string()) for name in AXES),
        ("days_lapsed", pa.int64()),
        ("was_referred", pa.bool_()),
        *((name, pa.int64()) for name in ("r", "f", "m")),
        ("rfm", pa.string()),
        ("risk_since", pa.date32()),
        *((f"was_{name}", pa.string()) for name in AXES),
        *((f"why_{name}", pa.string()) for name in AXES),
        ("n_orders", pa.int64()),
        ("last_order", pa.date32()),
    ]
)


@dataclass(frozen=True)
class Segments:
    """Groups as they were written.

    Parameters
    ----------
    file : Path
        With a row a customer, sorted as the scores.
    rules : Rules
        Where groups begin.
    before : str or None
        The run that moves are counted from.
    moves : DataFrame
        Of `models.migration.migration`.
    fit : Fit, optional
        Whether the recency groups suit the shop; known where rules were learned.
    """

    file: Path
    rules: Rules
    before: str | None
    moves: pd.DataFrame
    fit: Fit | None = None

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Customers of each group now."""
        here = self.moves[self.moves["after"] != NOBODY]
        return {
            axis: {str(name): int(n) for name, n in rows.groupby("after")["customers"].sum().items()}
            for axis in AXES
            for rows in [here[here["axis"] == axis]]
        }

    def files(self) -> dict[str, Writer]:
        """Say what writes the file of a run."""
        return {SEGMENTS: partial(copy_table, self.file)}

    def facts(self) -> dict[str, Any]:
        """Return what the manifest keeps."""
        return {
            "rules": self.rules.to_dict(),
            "before": self.before,
            "counts": self.counts,
            "migration": self.moves.to_dict("records"),
            "recency_fit": None if self.fit is None else vars(self.fit),
        }


def segment(
    engine: Engine, log: PurchaseLog, config: Config, scorer: Scorer, base: Base, as_of: date, model: str
) -> Segments:
    """Put a scored base into groups.

    Parameters
    ----------
    engine, log : Engine, PurchaseLog
        From which rules are learned, where there are none yet.
    config : Config
        For what `[segments]` asks, and where runs are.
    scorer : Scorer
        Its tiers.
    base : Base
        Who is scored.
    as_of : date
        Of the scores.
    model : str
        Digest of the scorer.
    """
    before = earlier_run(config, as_of)
    rules, fit = find_rules(engine, log, config, scorer, base.file, before, as_of)
    found = _written(base, before, rules, scorer.primary_horizon, as_of, engine.folder, model)
    return replace(found, fit=fit)


def published_groups(run: Run) -> Segments:
    """Take the groups of a run as they were published.

    Raises
    ------
    Refused
        If it is of a release that had none.
    """
    if SEGMENTS not in run.manifest["files"]:
        raise Refused(f"run {run.run_id} has no groups of customers: an older release of repurchase made it")
    kept = run.manifest["segments"]
    fit, rules = kept["recency_fit"], Rules.from_dict(kept["rules"])
    moves = pd.DataFrame(kept["migration"], columns=[*MOVE, "customers"])
    return Segments(run.folder / SEGMENTS, rules, kept["before"], moves, fit and Fit(**fit))


def groups_line(facts: Mapping[str, Any], language: Language) -> str:
    """Say how many customers are in each group of the lifecycle, in the reader's language.

    Examples
    --------
    >>> groups_line({"counts": {"lifecycle": {"loyal": 1200, "new": 30}}}, "vi")
    'Khách mới 30 · Khách trung thành 1.200'
    """
    counts, voice = facts["counts"]["lifecycle"], Voice(language)
    said = {name: voice(f"segment.lifecycle.{name}") for name in LIFECYCLES if name in counts}
    return " · ".join(f"{words} {voice.number(counts[name])}" for name, words in said.items())


def earlier_run(config: Config, as_of: date) -> Run | None:
    """Find the run from which groups have moved: the newest of an earlier date that has some."""
    for run in runs_up_to(config.output, as_of):
        if run.as_of < as_of and SEGMENTS in run.manifest["files"]:
            return run
    return None


def find_rules(
    engine: Engine,
    log: PurchaseLog,
    config: Config,
    scorer: Scorer,
    file: Path,
    before: Run | None,
    as_of: date,
) -> tuple[Rules, Fit | None]:
    """Take the rules of the run before, if the config asks for the same; else learn them.

    Edges of the risk groups are the model's, and come with it.
    """
    if before is not None and _asked(before.manifest["config"]) == _asked(config.shown()):
        kept = before.manifest["segments"]
        fit = kept["recency_fit"]
        rules = Rules.from_dict({**kept["rules"], "tier_edges": scorer.tier_edges})
        return rules, None if fit is None else Fit(**fit)
    return _learned(engine, log, config, scorer, file, as_of)


def _asked(settings: dict[str, Any]) -> tuple[Any, ...]:
    return settings.get("segments"), settings["target"]["primary_horizon"]


def _learned(
    engine: Engine, log: PurchaseLog, config: Config, scorer: Scorer, file: Path, as_of: date
) -> tuple[Rules, Fit | None]:
    asked, horizon = config.segments, config.target.primary_horizon
    silences = find_silences(engine, log, as_of)
    if silences is None:
        raise ValueError(f"no purchase before {as_of}")
    span = (as_of - log.first_order_day).days
    pace = learn_pace(silences, span, horizon)
    with opened(engine.folder, file) as (scores,):
        orders = scores.group_by("n_orders").agg(n=scores.count()).to_pyarrow().to_pylist()
        edges = {
            name: _edges(scores[column].quantile(list(FIFTHS)).to_pyarrow().as_py())
            for name, column in (
                ("r", "days_since_last_order"), ("f", "n_orders"), ("m", "total_spend")
            )
        }  # fmt: skip
        mean = scores.total_spend / scores.n_orders
        large = mean.quantile(1 - asked.premium_share).to_pyarrow().as_py()
    rules = Rules(
        tier_edges=tuple(scorer.tier_edges),
        recency_days=tuple(asked.recency_days),
        new_days=asked.new_days or pace.new_days,
        loyal_orders=asked.loyal_orders or learn_loyal({row["n_orders"]: row["n"] for row in orders}),
        premium_value=None if not scorer.has_amounts or large is None else float(large),
        churned_days=asked.churned_days or pace.churned_days,
        rfm_edges=edges if scorer.has_amounts else {**edges, "m": ()},
        slack=asked.slack,
        min_stay=asked.min_stay,
    )
    return rules, judge_recency(silences["all"], asked.recency_days, span)


def _edges(quantiles: list[float | None] | None) -> tuple[float, ...]:
    """Return the edges; none of a column without a value, such as the spend of a log without amounts."""
    return tuple(float(q) for q in quantiles or () if q is not None)


def _written(
    base: Base, before: Run | None, rules: Rules, horizon: int, as_of: date, folder: Path, model: str
) -> Segments:
    """Write the groups a batch at a time, and count them and the moves."""
    changed = {
        "another_model": before is not None and before.manifest["model"]["digest"] != model,
        "other_rules": before is not None and _apart(before.manifest["segments"]["rules"], rules),
    }
    target, moves = folder / SEGMENTS, Counter[tuple[str, str, str, str]]()
    with pq.ParquetWriter(target, SCHEMA, compression="zstd") as writer:
        for batch in _batches(base, before, horizon, folder):
            rows = _grouped(batch, rules, as_of, **changed)
            writer.write_table(pa.Table.from_pandas(rows[rows["is_here"]], SCHEMA, preserve_index=False))
            summed = migration(rows)
            keys = zip(*(summed[name] for name in MOVE), strict=True)
            moves.update(dict(zip(keys, map(int, summed["customers"]), strict=True)))
    table = pd.DataFrame([(*key, n) for key, n in sorted(moves.items())], columns=[*MOVE, "customers"])
    return Segments(target, rules, None if before is None else before.run_id, table)


def _apart(before: dict[str, Any], rules: Rules) -> bool:
    """Whether other rules than the model's own edges are at work."""
    was = Rules.from_dict(before)
    return replace(was, tier_edges=rules.tier_edges, rfm_edges=rules.rfm_edges) != rules


def _batches(base: Base, before: Run | None, horizon: int, folder: Path) -> Iterator[pd.DataFrame]:
    """Join scores, extras and the groups of before, sorted by customer; those who are gone come as well."""
    files = [base.file, base.extras, *([] if before is None else [before.folder / SEGMENTS])]
    with opened(folder, *files) as tables:
        now = tables[0]
        kept = ["status", "n_orders", "days_since_last_order", "T", "total_spend", "frequency"]
        joined = now.select("customer_id", *kept, p_churn=f"p_churn_{horizon}d").mutate(is_here=True)
        joined = joined.left_join(tables[1], "customer_id").drop("customer_id_right")
        if before is not None:
            names = {f"was_{axis}": axis for axis in AXES}
            was = tables[2].select(
                "customer_id", **names, since="risk_since", before_orders="n_orders", before_last="last_order"
            )
            joined = joined.outer_join(was, "customer_id")
            joined = joined.mutate(customer_id=joined.customer_id.fill_null(joined.customer_id_right))
            joined = joined.drop("customer_id_right").mutate(is_here=joined.is_here.fill_null(False))
        for batch in batches_of(joined.order_by("customer_id"), ROWS):
            yield batch.to_pandas()


def _grouped(
    rows: pd.DataFrame, rules: Rules, as_of: date, *, another_model: bool, other_rules: bool
) -> pd.DataFrame:
    """Add groups, since when, and why they changed; who is gone has none."""
    today = pd.Timestamp(as_of)
    here = rows["is_here"].astype(bool)
    last = today - pd.to_timedelta(rows["days_since_last_order"], unit="D")
    if "since" in rows:
        moved = (rows["n_orders"] != rows["before_orders"]) | (last != pd.to_datetime(rows["before_last"]))
        rows["has_ordered"] = moved.where(rows["was_risk_group"].notna() & here)
        rows["risk_days"] = (today - pd.to_datetime(rows["since"])).dt.days
    else:
        rows = rows.assign(has_ordered=None, since=None, **{f"was_{axis}": None for axis in AXES})
    present = _with_values(rows[here])
    found = rows.join(group(present, rules))
    for axis in AXES:
        found[axis] = found[axis].astype(object).where(here, None)
        found[f"why_{axis}"] = why_moved(found, axis, another_model=another_model, other_rules=other_rules)
    stayed = found["risk_group"] == found["was_risk_group"]
    found["risk_since"] = pd.to_datetime(found["since"]).where(stayed, today).dt.date
    found["last_order"] = last.dt.date
    found["as_of"] = as_of
    if "was_referred" in found:
        found["was_referred"] = found["was_referred"].astype("Float64").fillna(0).astype(bool)
    else:
        found["was_referred"] = pd.array([None] * len(found), dtype="boolean")
    return found


def _with_values(rows: pd.DataFrame) -> pd.DataFrame:
    """Add the values of the first and the last order, where the tables tell them."""
    nothing = pd.Series(np.nan, index=rows.index)
    first, ratio = (rows.get(name, nothing) for name in ("first_order_value", "last_order_value_ratio"))
    mean = rows["total_spend"] / (rows["frequency"] + 1)
    return rows.assign(first_order_value=first, last_order_value=ratio * mean)
