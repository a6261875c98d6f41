"""`repurchase score`: the champion, one date, one published run."""

from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.build import build_features, to_model_frame
from features.calendar import day_number
from features.catalogue import catalogue
from features.errors import ContractError
from features.history import make_history
from features.snapshot import take_snapshot
from models.economics import Economics
from models.findings import Finding
from models.scorer import Scorer, score_columns
from pipelines.amount_sizes import judge_against, middle_purchase
from pipelines.champion import judge_age, judge_ledger, trusted_champion
from pipelines.config import Config
from pipelines.console import Answer, Console
from pipelines.drift import judge_drift
from pipelines.engine import Engine, open_engine
from pipelines.failures import NotReady, Refused
from pipelines.locks import locked
from pipelines.log_findings import log_warnings
from pipelines.outlook import outlook, outlook_line
from pipelines.proof import prove_log
from pipelines.publish import Published, Writer, publish
from pipelines.purchase_log import PurchaseLog, fingerprints, open_log, require_purchase
from pipelines.reasons import find_reasons, write_reasons
from pipelines.registry import Registry
from pipelines.risk_list import risk_list, write_risk_list
from pipelines.scoring_contract import check_columns, judge_inputs
from pipelines.table_records import rows_by_month
from pipelines.version import Version


def score(config: Config, console: Console, as_of: date) -> Answer:
    """Score every customer with a purchase before `as_of`, and publish one immutable run.

    Parameters
    ----------
    config : Config
        The shop's configuration.
    console : Console
        Where progress goes.
    as_of : date
        Only rows known strictly before it are looked at.
    """
    with console.step("resolving and checking the champion"):
        registry = Registry(config)
        champion = trusted_champion(config, registry)
        scorer = registry.load(champion)
        doubts = (judge_age(config, scorer.trained_until, as_of), judge_ledger(config, champion))
        _refuse_other_target(scorer, champion, config)
    with open_engine(config) as engine:
        broken = check_columns(engine, config, scorer)
        log = open_log(engine, config, console)
        _refuse_unfit(log, scorer, config, as_of)
        with console.step("looking at what the log says"):
            middle = middle_purchase(engine, log, as_of)
            scale = judge_against(config, middle, champion.tags)
            warnings = [*_warnings(scorer, as_of), *_half_said(config)]
            warnings += [finding for finding in (*doubts, scale) if finding is not None]
            warnings += log_warnings(engine, log, config, as_of, middle)
            broken += judge_inputs(engine, log, config, scorer, champion.tags["digest"], as_of)
            warnings += broken
        _refuse_strangers(warnings, log, scorer)
        with locked(config.output / f".lock-as_of={as_of.isoformat()}", wait=False):
            with console.step("proving on a sample that no feature sees the future"):
                prove_log(engine, log, config, as_of, for_one_date=True)
            with console.step(f"features of all customers as of {as_of}"):
                frame = features_of(engine, log, scorer, as_of)
            with console.step(f"scoring {len(frame):,} customers with version {champion.number}"):
                scores = _scores(frame, scorer, champion, as_of, config.economics.terms)
            counts = scorer.reference.count(frame, scores) if scorer.reference else {}
            drift, moved = judge_drift(scorer, counts, config, as_of)
            warnings += [finding for finding in moved if finding.severity == "warning"]
            listed = risk_list(scores, scorer.primary_horizon, scorer.clv_horizon)
            with console.step(f"reasons for the {len(listed):,} customers to act on"):
                listed, told = find_reasons(listed, frame, scorer, config, log)
            with console.step("publishing"):
                facts = _facts(engine, log, config, scorer, champion, as_of)
                facts["drift"] = drift
                facts["outlook"] = outlook(scores, frame, scorer)
                facts["warnings"] = [{"code": w.code, "text": w.text} for w in warnings]
                writers: dict[str, Writer] = {
                    "scores.parquet": lambda path: _write_scores(scores, path),
                    "risk_list.csv": lambda path: write_risk_list(listed, path, config.project.currency),
                    "reasons.parquet": lambda path: write_reasons(told, path),
                }
                writers |= {
                    f"quarantine/{name}.parquet": partial(_write_table, engine, table)
                    for name, table in log.quarantine.items()
                }
                published = publish(config.output, as_of, facts, writers)
    return _answer(published, scores, listed, scorer, log, config)


def _refuse_unfit(log: PurchaseLog, scorer: Scorer, config: Config, as_of: date) -> None:
    """Refuse a date that the log cannot speak of, and a log that the model does not know."""
    if log.period.kind != scorer.period:
        raise Refused(
            f"the champion was trained on a log dated by the {scorer.period}, and {log.period.said()}; "
            "hint: train again"
        )
    log.period.check_start(as_of, "as-of date")
    source, late = config.tables.transactions.source, (as_of - log.end).days
    require_purchase(log, source, as_of)
    if late > scorer.primary_horizon:
        raise NotReady(
            f"{source}: the log ends before {log.end}, {late} days before {as_of}; after a gap of more than "
            f"{scorer.primary_horizon} days everyone looks lapsed"
        )
    if log.has_amounts != scorer.has_amounts:
        raise Refused("the champion was trained on a log with other amounts; hint: train again")
    _refuse_lost_features(log, scorer)


def _warnings(scorer: Scorer, as_of: date) -> Iterator[Finding]:
    """Say what the date itself makes doubtful."""
    if date.fromisoformat(scorer.trained_until) > as_of:
        text = (
            f"the champion was trained until {scorer.trained_until}, after this date: the run is stamped "
            "hindsight and will not be held to account"
        )
        yield Finding("warning", "hindsight", text)
    if scorer.primary_horizon not in scorer.purchase.parts:
        longest = max(scorer.purchase.parts)
        text = (
            f"the champion's history was too short to learn or judge {scorer.primary_horizon} days: what it "
            f"says of them is carried on from {longest} days by a formula, its intervals too"
        )
        yield Finding("warning", "extrapolated", text)


def _half_said(config: Config) -> Iterator[Finding]:
    """Say which terms of trade are of no use without the margin."""
    given = config.economics
    if given.margin is None and given.acquisition_cost:
        text = (
            "[economics] acquisition_cost without margin: no profit is known, so what rests on it stays empty"
        )
        yield Finding("warning", "economics", text)


def _refuse_strangers(warnings: Sequence[Finding], log: PurchaseLog, scorer: Scorer) -> None:
    """Refuse a table that the model was trained with and that knows none of the customers any more."""
    known = {f.name: f for f in log.features(scorer.horizons)}
    needs = {need.partition(".")[0] for name in scorer.features for need in known[name].needs}
    for warning in warnings:
        table, _, of = warning.code.partition("_")
        if of == "customers" and table in needs and not warning.numbers["both"]:
            raise ContractError(
                f"{warning.text}. The champion was trained with features from {table}, and they would say of "
                "everyone that nothing happened",
                hint=f"put the ids of [tables.{table}] right, or train again without the table",
            )


def _refuse_other_target(scorer: Scorer, champion: Version, config: Config) -> None:
    mine = (list(scorer.horizons), scorer.primary_horizon, scorer.clv_horizon)
    wanted = (config.target.horizons, config.target.primary_horizon, config.target.clv_horizon)
    if mine != wanted:
        raise Refused(
            f"version {champion.number} predicts horizons {mine}, [target] asks for {wanted}; "
            "hint: train again, or put [target] back"
        )


def _refuse_lost_features(log: PurchaseLog, scorer: Scorer) -> None:
    gone = scorer.lost({f.name: f.unit == "category" for f in log.features(scorer.horizons)})
    if gone:
        needs = {need for f in catalogue(scorer.horizons, None) if f.name in gone for need in f.needs}
        lost = ", ".join(sorted(needs - log.records.has)) or "attributes of the customers"
        raise Refused(
            f"{len(gone)} features of the champion cannot be built any more, for example {gone[0]!r}: the "
            f"config no longer gives {lost}; hint: put it back, or train again"
        )


def features_of(engine: Engine, log: PurchaseLog, scorer: Scorer, as_of: date) -> pd.DataFrame:
    """Build what the scorer needs of every customer who is known at a date, in model form."""
    known = {f.name: f for f in log.features(scorer.horizons)}
    snapshot = take_snapshot(make_history(log.records, engine.keep, as_of), [as_of])
    own_cost = [name for name in known if name == "acquisition_cost" and name not in scorer.features]
    wanted = [*scorer.features, *own_cost]
    raw = engine.frame(build_features(snapshot, scorer.horizons, wanted))
    if raw.empty:
        raise NotReady(f"no customer has a purchase before {as_of} that was not taken back")
    return to_model_frame(raw, [known[name] for name in wanted])


def _scores(
    frame: pd.DataFrame, scorer: Scorer, champion: Version, as_of: date, economics: Economics
) -> pd.DataFrame:
    said = scorer.score(frame, economics)
    facts = frame.drop(columns="cutoff").assign(as_of=as_of, model_version=champion.number)
    for count in ("frequency", "recency", "T", "days_since_last_order", "n_orders"):
        facts[count] = facts[count].astype("int64")
    if not scorer.has_amounts:
        facts[["monetary_value", "total_spend"]] = float("nan")
    columns = score_columns(scorer.horizons, scorer.clv_horizon)
    return pd.concat([facts, said], axis=1)[columns].sort_values("customer_id", ignore_index=True)


def _write_scores(scores: pd.DataFrame, path: Path) -> int:
    """Write Parquet whose bytes depend on the content alone."""
    dates = [c for c in scores.columns if c.startswith("next_order_")]
    table = pa.Table.from_pandas(scores, preserve_index=False).replace_schema_metadata(None)
    for name in dates:
        place = table.column_names.index(name)
        table = table.set_column(place, name, table.column(name).cast(pa.timestamp("s")).cast(pa.date32()))
    pq.write_table(table, path, compression="zstd")
    return len(scores)


def _write_table(engine: Engine, table: ir.Table, path: Path) -> int:
    engine.write_parquet(table, path)
    return int(pq.read_metadata(path).num_rows)


def _facts(
    engine: Engine, log: PurchaseLog, config: Config, scorer: Scorer, champion: Version, as_of: date
) -> dict[str, Any]:
    day = day_number(as_of)
    later = engine.number(log.lines.filter(log.lines.known_day >= day).count())
    digests = fingerprints(engine, log.records, as_of)
    inputs: dict[str, Any] = {
        name: {
            **vars(rows),
            "rows_by_month": rows_by_month(engine, log, name, as_of),
            "fingerprint": digests[name],
        }
        for name, rows in log.all_rows().items()
    }
    inputs["transactions"]["rows_not_yet_known"] = later
    return {
        "config": config.shown(),
        "model": {
            "name": config.mlflow.model,
            "version": champion.number,
            "digest": champion.tags["digest"],
            "recipe": scorer.purchase.recipe.name,
            "trained_until": scorer.trained_until,
        },
        "hindsight": date.fromisoformat(scorer.trained_until) > as_of,
        "inputs": inputs,
    }


def _answer(
    published: Published,
    scores: pd.DataFrame,
    listed: pd.DataFrame,
    scorer: Scorer,
    log: PurchaseLog,
    config: Config,
) -> Answer:
    h, folder = scorer.primary_horizon, published.folder
    lines = log.row_lines()
    lines += [f"warning: {warning['text']}" for warning in published.manifest["warnings"]]
    expected = published.manifest["outlook"]
    buyers = f"{expected['buyers']:,.0f}"
    at_risk = money(listed["value_at_risk"].sum(), config, scorer)
    lines += [
        f"{len(scores):,} customers scored; about {buyers} of them should buy within {h} days",
        outlook_line(expected, config.project.currency),
        f"{len(listed):,} customers to act on, with {at_risk} at risk",
        f"risk list: {folder / 'risk_list.csv'}",
        f"all scores: {folder / 'scores.parquet'}",
    ]
    data = {
        "run_id": published.run_id,
        "folder": str(folder),
        "customers": len(scores),
        "listed": len(listed),
        "outlook": expected,
        "hindsight": published.manifest["hindsight"],
        "warnings": published.manifest["warnings"],
        "manifest": str(folder / "manifest.json"),
    }
    return Answer(data, lines)


def money(value: float, config: Config, scorer: Scorer) -> str:
    """Format an amount with the shop's currency, or as orders where the log has no amounts."""
    if not scorer.has_amounts:
        return f"{value:,.0f} orders"
    return f"{value:,.0f} {config.project.currency or ''}".strip()
