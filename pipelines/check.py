"""`repurchase check`: is the log ready, and, on request, the leak proof on all of it."""

from datetime import date, timedelta
from typing import Any

from features.snapshot import take_snapshot
from models.schedule import days_needed
from pipelines.config import Config
from pipelines.console import Answer, Console
from pipelines.engine import Engine, open_engine
from pipelines.failures import NotReady
from pipelines.proof import prove_log
from pipelines.purchase_log import PurchaseLog, open_log
from pipelines.training import make_schedule


def check(config: Config, console: Console, *, leaks: bool = False, as_of: date | None = None) -> Answer:
    """Say whether the log can be trained on, and what is missing if not.

    Parameters
    ----------
    config : Config
        The shop's configuration.
    console : Console
        Where progress goes.
    leaks : bool
        Also run the leak proof, on every customer, at the newest cutoff and halfway through the log.
    as_of : date, optional
        Look at the log as training until then would; without it, the day after the newest row.
    """
    with open_engine(config) as engine:
        log = open_log(engine, config, console)
        until = as_of or log.end
        facts = _facts(engine, log, config, until)
        ready, verdict, plan = _verdict(config, log, until)
        lines = [*log.rows.lines(), *_lines(facts), verdict]
        data = {"rows": vars(log.rows), **facts, "ready": ready, "verdict": verdict, **plan}
        if leaks:
            proof = _prove(engine, log, config, until, console)
            lines += [
                f"leak proof at {day}: {n:,} feature rows unchanged to the last bit" for day, n in proof
            ]
            data["leak_proof"] = [{"cutoff": day.isoformat(), "rows": n} for day, n in proof]
    return Answer(data, lines, 0 if ready else NotReady.exit_code)


def _facts(engine: Engine, log: PurchaseLog, config: Config, until: date) -> dict[str, Any]:
    days = take_snapshot(log.ledger, [until]).days
    by_customer = days.group_by("customer_id").agg(n=days.count(), n_orders=days.n_orders.sum())
    row = engine.frame(
        by_customer.aggregate(
            customers=by_customer.count(),
            one_time=(by_customer.n == 1).cast("int64").sum(),
            orders=by_customer.n_orders.sum(),
        )
    ).iloc[0]
    lines = log.lines
    distinct = engine.number(lines.distinct().count())
    customers = int(row["customers"])
    if customers == 0:
        raise NotReady(
            f"{config.tables.transactions.source}: no purchase with a positive amount before {until}; the "
            f"first row of the log is of {log.first_day}"
        )
    return {
        "customers": customers,
        "orders": int(row["orders"]),
        "one_time_share": float(row["one_time"]) / customers,
        "first_day": log.first_day.isoformat(),
        "until": until.isoformat(),
        "days": (until - log.first_day).days,
        "stray_rows": log.stray,
        "identical_rows": log.rows.rows_used - distinct,
        "has_amounts": log.has_amounts,
    }


def _lines(facts: dict[str, Any]) -> list[str]:
    return [
        f"{facts['customers']:,} customers with {facts['orders']:,} orders from {facts['first_day']} "
        f"until before {facts['until']} ({facts['days']:,} days); "
        f"{facts['one_time_share']:.0%} bought on one day only",
        f"{facts['identical_rows']:,} rows repeat another one's customer, order, product, time and amount; "
        "they are kept (the same line scanned twice is two lines)",
    ]


def _verdict(config: Config, log: PurchaseLog, until: date) -> tuple[bool, str, dict[str, Any]]:
    try:
        schedule = make_schedule(config, log, until)
    except NotReady as reason:
        return False, f"not ready: {reason}", {}
    plan = {
        "judged_horizon": schedule.judged_horizon,
        "cutoffs": [c.isoformat() for c in schedule.cutoffs],
        "folds": [c.isoformat() for c in schedule.folds],
    }
    said = (
        f"ready: {len(schedule.cutoffs)} cutoffs to learn from, "
        f"{len(schedule.folds)} out-of-time folds to judge"
    )
    primary = config.target.primary_horizon
    if schedule.judged_horizon == primary:
        return True, f"{said} {primary} days ahead", plan
    missing = days_needed(primary) - (until - log.first_day).days
    return (
        True,
        (
            f"{said} {schedule.judged_horizon} days ahead; judging {primary} days needs {missing} more days "
            "of history"
        ),
        plan,
    )


def _prove(
    engine: Engine, log: PurchaseLog, config: Config, until: date, console: Console
) -> list[tuple[date, int]]:
    middle = log.first_day + timedelta((until - log.first_day).days // 2)
    proven = []
    for cutoff in (middle, until):
        with console.step(f"leak proof on every customer at {cutoff}"):
            findings = prove_log(engine, log, config, cutoff, customers=10**12)
        proven.append((cutoff, findings[0].n_rows))
    return proven
