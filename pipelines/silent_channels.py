"""Look for a channel of the purchases that has gone silent since the training."""

from datetime import date, timedelta

from features.calendar import day_from_number, day_number
from models.findings import Finding
from models.scorer import Scorer
from models.staleness import judge_channel
from pipelines.config import Config
from pipelines.engine import Engine
from pipelines.purchase_log import PurchaseLog
from pipelines.reactions import react

OVER = 90
"""Days before the end of the training from which it is known what a channel brings."""


def silent_channels(
    engine: Engine, log: PurchaseLog, config: Config, scorer: Scorer, as_of: date
) -> list[Finding]:
    """Judge every channel that brought purchases shortly before the training ended.

    Parameters
    ----------
    engine, log, config
        The opened log.
    scorer : Scorer
        The champion.
    as_of : date
        Of the scoring.

    Raises
    ------
    NotReady
        If one is silent, and ``[limits] drift`` says ``"fail"``.
    """
    until, end = date.fromisoformat(scorer.trained_until), min(as_of, log.end)
    if "channel" not in log.records.has or end <= until:
        return []
    lines = log.lines
    bought = lines.filter(~lines.is_refund & (lines.known_day < day_number(end)))
    days = bought.select("channel", "customer_id", "day").distinct()
    start = day_number(until - timedelta(OVER))
    recent = days.day.between(start, day_number(until) - 1)
    found = engine.frame(
        days.filter(days.channel.notnull())
        .group_by("channel")
        .agg(n=recent.cast("int64").sum(), newest=days.day.max())
        .order_by("channel")
    )
    over, findings = min(OVER, (until - log.first_day).days), []
    for channel, n, newest in found.itertuples(index=False):
        last, of_all = day_from_number(int(newest)), int(found["n"].sum())
        silent = judge_channel(
            config.tables.transactions.source, channel, int(n), of_all, max(over, 1), last, end
        )
        findings += react(silent, config.limits.drift, "drift", "bring its rows back, or train again")
    return findings
