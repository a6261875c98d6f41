"""The part of a report that speaks of value: who holds it, what is to come, what a customer is worth."""

from datetime import timedelta
from functools import partial

import pandas as pd

from models.cohorts import MONEY_UNITS
from models.concentration import held_by_top, top_share
from pipelines.report_blocks import NONE, Chart, Figures, Part, Said, Section, Table
from pipelines.report_cells import brief, cell, day, signed
from pipelines.report_charts import bars, lines
from pipelines.report_facts import Facts
from pipelines.words import Voice

TOP = 0.2
"""The share of customers of whom people say that they bring 80 %."""


def concentration_section(facts: Facts, voice: Voice) -> Section:
    """Show what the best customers hold of the spend so far, and of what is expected."""
    title = voice("report.title.concentration")
    held = [held_by_top(parts) for parts in (facts.scores.past, facts.scores.expected) if len(parts)]
    if len(held) < 2 or any(table.empty for table in held):
        return Section("concentration", title, [Said(voice("report.concentration.unknown"))])
    shares = [cell(top_share(table, TOP), voice.share) for table in held]
    days = voice.number(facts.horizon)
    sentence = voice(
        "report.concentration.sentence",
        top=voice.share(TOP, 0),
        past=shares[0],
        expected=shares[1],
        days=days,
    )
    labels = [voice(f"report.concentration.{name}", days=days) for name in ("past", "expected")]
    both = held[0].merge(held[1], on="customers", suffixes=("_past", "_expected"))
    whole = partial(voice.share, digits=0)
    names = [whole(share) for share in both["customers"]]
    drawn = {label: both[c].tolist() for label, c in zip(labels, ("held_past", "held_expected"), strict=True)}
    picture = lines("concentration", names, drawn, whole, voice("report.concentration.customers"))
    rows = [
        [name, voice.share(row["held_past"]), voice.share(row["held_expected"])]
        for name, row in zip(names, both.to_dict("records"), strict=True)
    ]
    heads = [voice("report.concentration.customers"), *labels]
    table = Table(voice("report.concentration.table"), heads, rows)
    chart = Chart(picture, voice("report.concentration.chart"), table)
    return Section("concentration", title, [Said(sentence, strong=True), chart])


def past_windows(facts: Facts) -> pd.DataFrame:
    """Return the windows that the log holds whole, the oldest first, with the day each begins (``start``)."""
    days, until = facts.horizon, facts.run.as_of
    first_day = facts.log.profile.daily.index[0].date()
    windows = facts.log.windows.astype("int64").sort_values("window", ascending=False)
    windows["start"] = [until - timedelta(days * (int(n) + 1)) for n in windows["window"]]
    return windows[[start >= first_day for start in windows["start"]]].reset_index(drop=True)


def forecast_section(facts: Facts, voice: Voice) -> Section:
    """Show what is expected beside what came in windows of the same length."""
    outlook, days = facts.run.manifest["outlook"], facts.horizon
    is_money = facts.log.has_amounts and outlook.get("spend") is not None
    came = past_windows(facts)
    unit = MONEY_UNITS if is_money else 1
    columns = ("known_amount", "amount") if is_money else ("known_orders", "orders")
    middle = float(outlook["spend"] if is_money else outlook["orders"])
    has_ends = is_money and outlook["spend_lo"] is not None
    low, high = (float(outlook[f"spend_{end}"]) if has_ends else None for end in ("lo", "hi"))
    write = voice.money if is_money else voice.number
    told = {"days": voice.number(days), "orders": voice.number(outlook["orders"])}
    parts: list[Part] = [Said(_sentence(facts, voice, came, columns[0], middle), strong=True)]
    names = [*(voice.day(start) for start in came["start"]), voice.day(facts.run.as_of)]
    known = [*(came[columns[0]] / unit), middle]
    everyone = [*(came[columns[1]] / unit), float("nan")]
    labels = [voice(f"report.forecast.{name}") for name in ("known", "everyone")]
    ends = None
    if low is not None and high is not None:
        blank = [float("nan")] * len(came)
        ends = {labels[0]: ([*blank, low], [*blank, high])}
    ticks = [day(start, voice) for start in [*came["start"], facts.run.as_of]]
    drawn = dict(zip(labels, (known, everyone), strict=True))
    axis = brief(voice, money=is_money)
    picture = bars("forecast", ticks, drawn, axis, voice("report.forecast.start"), ends)
    rows = [
        [name, voice.number(order), write(k), write(e), ""]
        for name, order, k, e in zip(names, came["orders"], known, everyone, strict=False)
    ]
    interval = "" if low is None or high is None else f"{write(low)} – {write(high)}"
    forecast = voice("report.forecast.row", day=names[-1])
    rows.append([forecast, told["orders"], write(middle), cell(None, write), interval])
    heads = [
        voice(f"report.forecast.{name}") for name in ("start", "orders", "known", "everyone", "interval")
    ]
    table = Table(voice("report.forecast.table", days=told["days"]), heads, rows)
    parts += [Chart(picture, voice("report.forecast.chart", days=told["days"]), table)]
    parts.append(Said(voice("report.forecast.how")))
    return Section("forecast", voice("report.title.forecast"), parts)


def _sentence(facts: Facts, voice: Voice, came: pd.DataFrame, column: str, middle: float) -> str:
    """Hold the forecast against the newest window of customers who were known when it began."""
    is_money, days = column == "known_amount", voice.number(facts.horizon)
    write = voice.money if is_money else partial(_orders, voice)
    if came.empty:
        return voice("report.forecast.alone", days=days, middle=write(middle))
    last = float(came[column].iloc[-1]) / (MONEY_UNITS if is_money else 1)
    change = signed(middle / last - 1, voice) if last > 0 else NONE
    return voice("report.forecast.sentence", days=days, middle=write(middle), last=write(last), change=change)


def _orders(voice: Voice, value: float) -> str:
    return voice("report.orders", n=voice.number(value))


def worth_section(facts: Facts, voice: Voice) -> Section:
    """Show the simple formula beside the model's lifetime value, and both against the cost of winning."""
    title = voice("report.title.worth")
    if not facts.log.has_amounts:
        return Section("worth", title, [Said(voice("report.worth.no_amounts"))])
    found, means = facts.log.formula, facts.scores.means
    model = means.get("clv")
    parts: list[Part] = []
    items = [
        (
            voice("report.worth.model", days=voice.number(facts.config.target.clv_horizon)),
            _money(model, voice),
        )
    ]
    if found is not None:
        months = voice.number(found.days)
        items = [
            (voice("report.worth.aov"), voice.money(found.order_value, 2)),
            (voice("report.worth.frequency", days=months), voice.number(found.frequency, 2)),
            (voice("report.worth.churn", days=months), cell(found.churn, voice.share)),
            (voice("report.worth.lifespan"), cell(found.years, partial(voice.number, digits=2))),
            (voice("report.worth.formula"), _money(found.value, voice)),
            *items,
        ]
    margin = facts.config.economics.margin
    key = "report.worth.no_margin" if margin is None else "report.worth.margin"
    parts += [
        Figures(items),
        Said(voice("report.worth.sentence", days=voice.number(facts.config.target.clv_horizon))),
    ]
    parts.append(Said(voice(key, margin="" if margin is None else voice.share(margin, 0))))
    return Section("worth", title, [*parts, *_costs(facts, voice)])


def _money(value: float | None, voice: Voice) -> str:
    return cell(value, partial(voice.money, digits=2))


def _costs(facts: Facts, voice: Voice) -> list[Part]:
    means = facts.scores.means
    if not means.get("with_cost"):
        return [Said(voice("report.worth.no_cost"))]
    items = [
        (voice("report.worth.with_cost"), voice.number(means["with_cost"])),
        (voice("report.worth.ratio"), cell(means.get("clv_to_cac"), partial(voice.number, digits=2))),
        (voice("report.worth.paid_back"), voice.share(means.get("paid_back", 0) / means["with_cost"])),
        (voice("report.worth.payback"), cell(means.get("payback_days"), voice.number)),
    ]
    return [Figures(items)]
