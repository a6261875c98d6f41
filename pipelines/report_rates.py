"""The middle of a report: who comes again and when, by month, by cohort, by days of silence, by order."""

from functools import partial

import numpy as np
import pandas as pd

from models.cohorts import MONEY_UNITS, cohort_rates, cohort_table, month_name, monthly_rates
from models.funnel import funnel
from models.segment_rules import Fit, judge_recency
from models.segments import recency_names
from models.silences import ENOUGH, SilenceBand, silence_bands
from pipelines.report_blocks import NONE, Chart, Part, Said, Section, Table
from pipelines.report_cells import brief, cell, month, whole_share
from pipelines.report_charts import bars, heatmap, lines, steps
from pipelines.report_facts import Facts
from pipelines.words import Voice

MOST_MONTHS = 24
"""Months and cohorts that are shown, the newest: two years tell the season."""
HAZARD_DAYS = 120
"""So many days of silence are drawn."""
LATER = (60, 90, 180, 365)
"""Days at which the silences beyond the last cut-off are told apart."""
RATES = ("retention", "repeat", "not_returned")


def rates_section(facts: Facts, voice: Voice) -> Section:
    """Show retention, churn, repeat and not-returned rates by month, and by cohort of first orders."""
    days = voice.number(facts.horizon)
    monthly = monthly_rates(facts.log.months)
    this_month, open_month = facts.run.as_of.strftime("%Y-%m"), monthly["month"].iloc[-1]
    is_open = this_month == open_month and facts.run.as_of.day > 1
    if is_open:
        monthly.loc[monthly.index[-1], "retention"] = np.nan  # the rest of the month may still bring them
    parts: list[Part] = [_lately(facts, monthly, voice), *_latest(monthly, voice)]
    shown = monthly.tail(MOST_MONTHS)
    names = [month(name, voice) + ("*" if is_open and name == open_month else "") for name in shown["month"]]
    drawn = {voice(f"report.rates.{rate}", days=days): shown[rate].tolist() for rate in RATES}
    picture = lines(
        "rates", [month(name, voice, short=True) for name in shown["month"]], drawn, whole_share(voice)
    )
    heads: tuple[str, ...] = ("month", "buyers", "newcomers", "orders", "revenue", *RATES, "churn")
    if not facts.log.has_amounts:
        heads = tuple(head for head in heads if head != "revenue")
    rows = [
        [name, *(_rate_cell(row, head, voice) for head in heads[1:])]
        for name, row in zip(names, shown.to_dict("records"), strict=True)
    ]
    table = Table(voice("report.rates.table"), [voice(f"report.rates.{h}", days=days) for h in heads], rows)
    parts.append(Chart(picture, voice("report.rates.chart", days=days), table))
    if is_open:
        parts.append(Said(voice("report.unfinished")))
    return Section("rates", voice("report.title.rates"), [*parts, *_cohorts(facts, voice)])


def _latest(frame: pd.DataFrame, voice: Voice) -> list[Part]:
    return (
        [Said(voice("report.latest_only", n=voice.number(MOST_MONTHS)))] if len(frame) > MOST_MONTHS else []
    )


def _rate_cell(row: dict[object, float], head: str, voice: Voice) -> str:
    if head == "churn":
        return cell(1 - row["retention"], voice.share)
    if head == "revenue":
        return voice.money(row[head])
    return cell(row[head], voice.share if head in RATES else voice.number)


def _lately(facts: Facts, monthly: pd.DataFrame, voice: Voice) -> Said:
    """Say the newest month in which each rate is known whole."""
    known = monthly[monthly["not_returned"].notna()]
    if known.empty:
        return Said(voice("report.rates.too_young", days=voice.number(facts.horizon)))
    row = known.iloc[-1]
    told = {"n": voice.number(row["buyers"]), "share": voice.share(row["not_returned"])}
    text = voice(
        "report.rates.sentence", month=month(row["month"], voice), days=voice.number(facts.horizon), **told
    )
    return Said(text, strong=True)


def _cohorts(facts: Facts, voice: Voice) -> list[Part]:
    rates = cohort_rates(facts.log.cohorts)
    shown, days = rates.tail(MOST_MONTHS), voice.number(facts.horizon)
    heads = ["cohort", "customers", "returned", "not_returned"]
    heads += ["revenue", "revenue_each"] if facts.log.has_amounts else []
    rows = [
        [
            month(row["cohort"], voice),
            voice.number(row["customers"]),
            cell(row["returned"], voice.share),
            cell(row["not_returned"], voice.share),
            *([voice.money(row["revenue"]), voice.money(row["revenue_each"], 2)] * facts.log.has_amounts),
        ]
        for row in shown.to_dict("records")
    ]
    table = Table(voice("report.cohort.table"), [voice(f"report.cohort.{h}", days=days) for h in heads], rows)
    label = voice("report.cohort.returned", days=days)
    drawn = shown[shown["customers"] >= ENOUGH]  # of a few customers, a share says nothing
    names = [month(name, voice, short=True) for name in drawn["cohort"]]
    if not names:
        return [table]
    picture = bars("cohort-rates", names, {label: drawn["returned"].tolist()}, whole_share(voice))
    return [Chart(picture, voice("report.cohort.chart", days=days), table)]


def cohorts_section(facts: Facts, voice: Voice) -> Section:
    """Show what each cohort brought in each month of its age, as colours and as a table."""
    is_money = facts.log.has_amounts
    counts = facts.log.cohorts
    table = cohort_table(counts, "amount" if is_money else "orders", int(counts["month"].max()))
    table = table.tail(MOST_MONTHS).dropna(axis="columns", how="all")
    table = table / MONEY_UNITS if is_money else table
    names = [month(month_name(int(cohort)), voice) for cohort in table.index]
    labels = (voice("report.cohorts.cohort"), voice("report.cohorts.age"))
    picture = heatmap("cohorts", table.to_numpy(), names, labels, brief(voice, money=is_money))
    # So many columns take whole amounts up to six digits.
    is_long = is_money and float(np.nanmax(table.to_numpy())) >= 1e6
    write = brief(voice, money=True) if is_long else voice.money if is_money else voice.number
    rows = [
        [name, *("" if np.isnan(amount) else write(amount) for amount in amounts)]
        for name, amounts in zip(names, table.to_numpy().tolist(), strict=True)
    ]
    heads = [labels[0], *(voice.number(age) for age in map(int, table.columns))]
    told = voice("report.cohorts.table")
    parts: list[Part] = [] if is_money else [Said(voice("report.no_amounts"))]
    parts += [Said(voice("report.cohorts.sentence")), *_latest(cohort_rates(counts), voice)]
    parts.append(Chart(picture, voice("report.cohorts.chart"), Table(told, heads, rows)))
    return Section("cohorts", voice("report.title.cohorts"), parts)


def hazard_section(facts: Facts, voice: Voice) -> Section:
    """Show how likely an order is on each day of silence, and whether the recency groups fit this shop."""
    silences, title = facts.log.silences, voice("report.title.hazard")
    known = facts.config.segments.recency_days if facts.groups is None else facts.groups.rules.recency_days
    cuts = tuple(known)
    fit = judge_recency(silences, cuts, facts.log.span)
    bands = silence_bands(silences, (0, *cuts, *(day for day in LATER if day > cuts[-1])))
    if not bands or not silences.closed.any():
        return Section("hazard", title, [Said(voice("report.hazard.nobody"))])
    watched = int((silences.at_risk >= ENOUGH).sum())
    last = max(min(watched, HAZARD_DAYS + 1, len(silences.hazard)), 2)
    drawn = silences.hazard[1:last].tolist()
    picture = steps("hazard", drawn, cuts, partial(voice.share, digits=1), voice("report.hazard.silence"))
    heads = [voice(f"report.hazard.{name}") for name in ("band", "at_risk", "returns", "daily", "chance")]
    rows = [_band(band, voice) for band in bands]
    alt = voice("report.hazard.chart", cuts=", ".join(map(voice.number, cuts)))
    return Section(
        "hazard", title,
        [*_fit(fit, cuts, voice), Chart(picture, alt, Table(voice("report.hazard.table"), heads, rows))],
    )  # fmt: skip


def _fit(fit: Fit | None, cuts: tuple[int, ...], voice: Voice) -> list[Part]:
    """Say whether the cut-offs fit, and in which group an order is likeliest."""
    if fit is None:
        return [Said(voice("report.fit.unknown"))]
    names = [name.replace("-", "–") for name in recency_names(cuts)]
    shares = ", ".join(
        voice("report.fit.share", days=name, share=voice.share(share, 0))
        for name, share in zip(names, fit.shares, strict=True)
    )
    told = {
        "cuts": ", ".join(map(voice.number, cuts)),
        "shares": shares,
        "suggested": ", ".join(map(voice.number, fit.suggested)),
    }
    daily = fit.rates[fit.best]
    likeliest = voice(
        "report.hazard.likeliest", days=names[fit.best], daily=cell(daily, partial(voice.share, digits=2))
    )
    return [
        Said(voice("report.fit.fits" if fit.fits else "report.fit.misses", **told), strong=True),
        Said(likeliest),
    ]


def _band(band: SilenceBand, voice: Voice) -> list[str]:
    return [
        f"{voice.number(band.after + 1)}–{voice.number(band.until)}",
        voice.number(band.at_risk),
        voice.number(band.returns),
        voice.share(band.daily, 2),
        cell(band.chance, voice.share),
    ]


def funnel_section(facts: Facts, voice: Voice) -> Section:
    """Show how many go on to a second, third, … order, and which product follows which."""
    found, days = funnel(facts.log.places, facts.log.gaps), voice.number(facts.horizon)
    first = found.iloc[0]
    told = {name: cell(first[name], voice.share) for name in ("went_on", "within")}
    middle = cell(first["median_days"], voice.number)
    sentence = voice("report.funnel.sentence", days=days, middle=middle, **told)
    names = [voice("report.funnel.place", n=voice.number(int(place))) for place in found["place"]]
    picture = bars(
        "funnel", names, {voice("report.funnel.of_first"): found["of_first"].tolist()}, whole_share(voice)
    )
    heads = ("order", "customers", "of_first", "went_on", "within", "median_days")
    rows = [
        [
            name,
            voice.number(row["customers"]),
            *(cell(row[share], voice.share) for share in ("of_first", "went_on", "within")),
            cell(row["median_days"], voice.number),
        ]
        for name, row in zip(names, found.to_dict("records"), strict=True)
    ]
    table = Table(voice("report.funnel.table"), [voice(f"report.funnel.{h}", days=days) for h in heads], rows)
    chart = Chart(picture, voice("report.funnel.chart"), table)
    parts: list[Part] = [Said(sentence, strong=True), chart, _products(facts, voice)]
    return Section("funnel", voice("report.title.funnel"), parts)


def _products(facts: Facts, voice: Voice) -> Part:
    pairs = facts.log.products
    if pairs is None:
        return Said(voice("report.products.unknown"))
    if pairs.empty:
        return Said(voice("report.products.few"))
    rows = [
        [
            str(row["first"]) or NONE,
            str(row["second"]) or NONE,
            voice.number(row["customers"]),
            voice.share(row["customers"] / row["begun"]),
        ]
        for row in pairs.to_dict("records")
    ]
    heads = [voice(f"report.products.{name}") for name in ("first", "second", "customers", "share")]
    return Table(voice("report.products.table"), heads, rows, texts=2)
