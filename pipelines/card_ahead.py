"""The part of a customer's card that looks ahead: at a glance, by horizon, and what they are worth."""

from collections.abc import Iterator
from datetime import date

from pipelines.card_facts import Card
from pipelines.card_runs import Row
from pipelines.report_blocks import NONE, Figures, Part, Said, Section, Table
from pipelines.report_cells import cell
from pipelines.words import Voice

CHANCES = (0.2, 0.5, 0.8)
CENTS = 2
"""Decimals of money on a card, where the currency has any."""


def now_section(card: Card, voice: Voice) -> Section:
    """Say in one sentence what to expect, and how the customer stands."""
    score, days = card.score, voice.number(card.primary)
    chances = {name: voice.share(score[f"p_{name}_{card.primary}d"]) for name in ("purchase", "churn")}
    parts: list[Part] = []
    if card.run.is_hindsight:
        parts.append(Said(voice("card.hindsight"), strong=True))
    parts.append(Said(voice("card.now.sentence", days=days, **chances), strong=True))
    if card.is_moved:
        parts.append(Said(voice("card.moved")))
    parts.append(Figures([*_figures(card, voice, days)]))
    if not card.has_amounts:
        parts.append(Said(voice("card.no_amounts")))
    return Section("now", voice("card.title.now"), parts)


def _figures(card: Card, voice: Voice, days: str) -> Iterator[tuple[str, str]]:
    score = card.score
    yield voice("card.now.status"), voice(f"report.status.{score['status']}")
    yield voice("card.now.tier"), voice(f"report.tier.{score['risk_tier']}")
    if card.groups.rows and card.groups.rows[-1]["as_of"] == card.run.as_of:
        yield voice("card.now.lifecycle"), voice(f"segment.lifecycle.{card.groups.rows[-1]['lifecycle']}")
    yield voice("card.now.silent"), voice.number(score["days_since_last_order"])
    yield voice("card.now.orders"), voice.number(score["n_orders"])
    if card.has_amounts:
        yield voice("card.now.spend"), money(score["total_spend"], voice)
    yield voice("card.now.at_risk", days=days), stake(score["value_at_risk"], card, voice)
    yield voice("card.now.alive"), cell(score["p_alive"], voice.share)


def money(value: float | None, voice: Voice) -> str:
    """Write an amount, or a dash."""
    return cell(value, lambda amount: voice.money(amount, CENTS))


def stake(value: float | None, card: Card, voice: Voice) -> str:
    """Write what is at stake: money or, where the log has none, orders."""
    if card.has_amounts:
        return money(value, voice)
    return cell(value, lambda amount: voice("report.orders", n=voice.number(amount, CENTS)))


def between(low: str, high: str, voice: Voice) -> str:
    """Write an interval, or a dash."""
    return NONE if NONE in (low, high) else voice("card.between", low=low, high=high)


def outlook_section(card: Card, voice: Voice) -> Section:
    """Say what is expected by horizon, and when the next order comes."""
    names = ["days", "purchase", "churn", "orders"]
    names += ["orders_range"] if card.model else []
    names += ["spend", "spend_range"] if card.has_amounts else []
    heads = [voice(f"card.outlook.{name}") for name in names]
    rows = [_horizon(card, voice, days) for days in card.horizons]
    parts: list[Part] = [Table(voice("card.outlook.table"), heads, rows), Said(voice("card.intervals"))]
    if card.has_amounts:
        parts.append(Said(voice("card.few")))
    if card.model is None:
        parts.append(Said(voice("card.outlook.no_range")))
    heads = [voice("card.outlook.chance"), voice("card.outlook.by")]
    rows = [[voice.share(q, 0), _date(card.score, q, voice)] for q in CHANCES]
    parts.append(Table(voice("card.outlook.next"), heads, rows, texts=2))
    return Section("outlook", voice("card.title.outlook"), parts)


def _horizon(card: Card, voice: Voice, days: int) -> list[str]:
    score = card.score
    row = [
        voice.number(days),
        voice.share(score[f"p_purchase_{days}d"]),
        voice.share(score[f"p_churn_{days}d"]),
        cell(score[f"expected_orders_{days}d"], lambda n: voice.number(n, CENTS)),
    ]
    if card.model:
        low, high = card.model.ranges[days]
        row.append(between(voice.number(low), voice.number(high), voice))
    if card.has_amounts:
        row.append(money(score[f"expected_spend_{days}d"], voice))
        row.append(_ends(score, f"expected_spend_{days}d", voice))
    return row


def _ends(score: Row, name: str, voice: Voice) -> str:
    return between(money(score.get(f"{name}_lo"), voice), money(score.get(f"{name}_hi"), voice), voice)


def _date(score: Row, chance: float, voice: Voice) -> str:
    day: date | None = score[f"next_order_p{round(100 * chance)}"]
    return voice("card.outlook.never") if day is None else voice.day(day)


def worth_section(card: Card, voice: Voice) -> Section:
    """Say what the customer is worth, and whether what it cost to win them is covered."""
    title, score, days = voice("card.title.worth"), card.score, card.clv_days
    if not card.has_amounts or days is None:
        return Section("worth", title, [Said(voice("report.worth.no_amounts"))])
    said, name = voice.number(days), f"clv_{days}d"
    items = [
        (voice("card.worth.clv", days=said), money(score[name], voice)),
        (voice("card.worth.range"), _ends(score, name, voice)),
    ]
    if score.get("clv_to_cac") is None:
        return Section("worth", title, [Figures(items), Said(voice("card.worth.no_cost"))])
    items += [
        (voice("card.worth.net"), money(score[f"clv_net_{days}d"], voice)),
        (voice("card.worth.cac"), voice.number(score["clv_to_cac"], 1)),
        (voice("card.worth.payback"), _payback(score["payback_days"], said, voice)),
    ]
    return Section("worth", title, [Figures(items)])


def _payback(days: float | None, within: str, voice: Voice) -> str:
    if days is None:
        return voice("card.worth.unpaid", days=within)
    return voice("card.worth.paid") if days <= 0 else voice("card.worth.paid_in", n=voice.number(days))
