"""`repurchase check`: is the log ready, and, on request, the leak proof on all of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd

from features.contracts import MONEY_UNITS
from models.churn_clock import learn_clock
from models.clock_words import by_kind, judge_clock
from models.double_loads import judge_copies, judge_files
from models.findings import Finding, state_of, worst_first
from models.outliers import judge_amounts
from models.readiness import (
    judge_buyers,
    judge_delay,
    judge_end,
    judge_history,
    judge_returns,
)
from models.rhythm import judge_holes, judge_newest
from models.schedule import Schedule, ready_on
from models.silences import Silences, silence_bands
from models.trend import judge_growth, judge_season, monthly
from pipelines.amount_sizes import judge_amount_sizes, middle_purchase
from pipelines.config import Config
from pipelines.console import Answer, Console
from pipelines.coverage import judge_tables
from pipelines.engine import Engine, open_engine
from pipelines.failures import NotReady
from pipelines.log_findings import judge_all_rows
from pipelines.log_profile import (
    LogProfile,
    count_windows,
    find_amounts,
    find_delays,
    find_shared_rows,
    profile_log,
)
from pipelines.proof import prove_log
from pipelines.purchase_log import PurchaseLog, open_log
from pipelines.readiness_text import horizon_table, said, silence_table, verdict
from pipelines.training import make_schedule


@dataclass(frozen=True)
class Plan:
    """What a training would do; `schedule` is None where it cannot train, for the reason in `refusal`."""

    schedule: Schedule | None
    refusal: str
    missing: dict[int, int]
    windows: pd.DataFrame


PROOF_CUTOFFS = 5
"""At how many cutoffs `--leaks` changes the future; the last is the newest."""

PROOF_CUSTOMERS = 100_000
"""The proof compares five tables of features in memory; of a larger base it takes a sample of this size."""


def check(config: Config, console: Console, *, leaks: bool = False, as_of: date | None = None) -> Answer:
    """Say whether the log can be trained on, what to look into first, and what is missing if not.

    Parameters
    ----------
    config : Config
        The shop's configuration.
    console : Console
        Where progress goes.
    leaks : bool
        Also run the leak proof, on every customer or `PROOF_CUSTOMERS` of them, at `PROOF_CUTOFFS` cutoffs
        spread over the log.
    as_of : date, optional
        Look at the log as training until then would; without it, the day after the newest row.

    Returns
    -------
    Answer
        Every finding with its severity, code, sentence and numbers; exit code 4 if one is a blocker.

    Raises
    ------
    NotReady
        If there is no purchase to look at.
    """
    with open_engine(config) as engine:
        log = open_log(engine, config, console)
        until = log.period.floor(min(as_of or log.end, log.end))
        with console.step("looking at it"):
            profile = _profile(engine, log, config, until)
            plan = _plan(engine, profile, log, config, until)
            findings = _findings(engine, profile, plan, log, config, as_of)
        data, lines = _answer(profile, plan, findings, log, until)
        if leaks:
            proof = _prove(engine, log, config, until, console)
            lines += [
                f"leak proof at {day}: {n:,} feature rows unchanged to the last bit" for day, n in proof
            ]
            data["leak_proof"] = [{"cutoff": day.isoformat(), "rows": n} for day, n in proof]
    return Answer(data, lines, 0 if data["ready"] else NotReady.exit_code)


def _profile(engine: Engine, log: PurchaseLog, config: Config, until: date) -> LogProfile:
    profile = profile_log(engine, log, until)
    if profile is None:
        raise NotReady(
            f"{config.tables.transactions.source}: no purchase with a positive amount before {until}; the "
            f"first row of the log is of {log.first_day}"
        )
    return profile


def _plan(engine: Engine, profile: LogProfile, log: PurchaseLog, config: Config, until: date) -> Plan:
    horizons = config.target.horizons
    missing = {h: max(0, (ready_on(log.first_day, h, profile.period) - until).days) for h in horizons}
    try:
        schedule = make_schedule(config, log, until)
    except NotReady as reason:
        return Plan(None, str(reason), missing, pd.DataFrame(columns=["horizon"]))
    return Plan(schedule, "", missing, count_windows(engine, profile, schedule, horizons))


def _findings(
    engine: Engine, profile: LogProfile, plan: Plan, log: PurchaseLog, config: Config, as_of: date | None
) -> list[Finding]:
    daily, target = profile.daily, config.target
    shared, delays = find_shared_rows(engine, config), find_delays(engine, profile, config)
    found: list[Finding | None] = [
        judge_history(len(daily), plan.schedule, plan.refusal, plan.missing, target.primary_horizon),
        judge_returns(profile.customers, profile.one_time),
        _buyers(profile, plan),
        *judge_all_rows(engine, log, config),
        judge_end(log.end, as_of, target.horizons),
        *judge_copies(daily),
        judge_files(*shared) if shared else None,
        judge_holes(daily, profile.period),
        judge_newest(daily, profile.period) if profile.until == log.period.floor(log.end) else None,
        judge_season(daily, target.primary_horizon),
        *judge_growth(daily, has_amounts=log.has_amounts),
        _clock(profile.silences, len(daily), target.primary_horizon),
        judge_amounts(*find_amounts(engine, profile), config.project.currency) if log.has_amounts else None,
        judge_amount_sizes(engine, config, middle_purchase(engine, log, profile.until)),
        judge_delay(delays, min(target.horizons)) if delays is not None else None,
        *judge_tables(engine, log, profile.steps, profile.until),
    ]
    return worst_first([f for f in found if f is not None])


def _buyers(profile: LogProfile, plan: Plan) -> Finding | None:
    """Judge the newest test, if there is one; where nobody returns at all, that says it."""
    if plan.schedule is None or profile.one_time == profile.customers:
        return None
    return judge_buyers(plan.windows, plan.schedule.judged_horizon)


def _clock(silences: dict[str, Silences], span: int, primary: int) -> Finding:
    clocks = {name: learn_clock(of, span) for name, of in silences.items()}
    clock, everyone = clocks["all"], silences["all"]
    at_primary = None
    if clock is not None and primary <= clock.judged_days:
        at_primary = float(everyone.chance(clock.window, primary)[primary])
    return judge_clock(clocks, silence_bands(everyone), primary, at_primary)


def _answer(
    profile: LogProfile, plan: Plan, findings: Sequence[Finding], log: PurchaseLog, until: date
) -> tuple[dict[str, Any], list[str]]:
    state, daily, schedule = state_of(findings), profile.daily, plan.schedule
    facts = {
        "customers": profile.customers,
        "orders": profile.orders,
        "one_time_share": profile.one_time / profile.customers,
        "first_day": log.first_order_day.isoformat(),
        "until": until.isoformat(),
        "days": len(daily),
        "stray_rows": log.span.stray,
        "identical_rows": int((daily["rows"] - daily["distinct_rows"]).sum()),
        "has_amounts": log.has_amounts,
    }
    bands, horizons, last = silence_bands(profile.silences["all"]), _horizons(plan), verdict(state, findings)
    data: dict[str, Any] = {
        "rows": vars(log.rows), **facts, "ready": state != "not ready", "state": state, "verdict": last,
        "findings": [asdict(f) for f in findings],
        "churn_clock": next(f.numbers for f in findings if f.code == "churn_clock"),
        "horizons": horizons, "months": _in_currency(monthly(daily)),
    }  # fmt: skip
    if schedule is not None:
        data |= {
            "judged_horizon": schedule.judged_horizon,
            "cutoffs": [c.isoformat() for c in schedule.cutoffs],
            "folds": [c.isoformat() for c in schedule.folds],
        }
    body = [
        *said(findings),
        "",
        *horizon_table(horizons),
        "",
        *silence_table(bands),
        *by_kind(data["churn_clock"]),
        "",
    ]
    return data, [*log.row_lines(), _head(facts), "", *body, last]


def _horizons(plan: Plan) -> list[dict[str, Any]]:
    """For each horizon: what is missing, and the buyers at the newest cutoff whose label is known."""
    rows = []
    for horizon, missing in plan.missing.items():
        seen = plan.windows[plan.windows["horizon"] == horizon]
        newest = seen.iloc[-1] if len(seen) else None
        rows.append(
            {
                "horizon": horizon,
                "missing_days": missing,
                "cutoffs": len(seen),
                "newest_cutoff": None if newest is None else newest["cutoff"].isoformat(),
                "customers": None if newest is None else int(newest["known"]),
                "buyers": None if newest is None else int(newest["buyers"]),
            }
        )
    return rows


def _in_currency(months: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(k): v for k, v in row.items()}
        for row in months.assign(amount=months["amount"] / MONEY_UNITS).to_dict("records")
    ]


def _head(facts: dict[str, Any]) -> str:
    return (
        f"{facts['customers']:,} customers with {facts['orders']:,} orders from {facts['first_day']} "
        f"until before {facts['until']} ({facts['days']:,} days); "
        f"{facts['one_time_share']:.0%} bought on one day only"
    )


def _prove(
    engine: Engine, log: PurchaseLog, config: Config, until: date, console: Console
) -> list[tuple[date, int]]:
    span, proven = (until - log.first_day).days, []
    parts = (timedelta(span * part // PROOF_CUTOFFS) for part in range(1, PROOF_CUTOFFS + 1))
    for cutoff in sorted({log.period.floor(log.first_day + part) for part in parts}):
        if cutoff <= log.first_day:
            continue
        with console.step(f"leak proof at {cutoff}"):
            findings = prove_log(engine, log, config, cutoff, customers=PROOF_CUSTOMERS)
        proven.append((cutoff, findings[0].n_rows))
    return proven
