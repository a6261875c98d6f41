"""A customer's card as plain values, for programs."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from models.segments import AXES
from pipelines.card_back import amount
from pipelines.card_facts import Card


def card_data(card: Card) -> dict[str, Any]:
    """Return what the card says; what is not known is None."""
    score, days = card.score, card.clv_days
    worth = {"value": f"clv_{days}d", "lo": f"clv_{days}d_lo", "hi": f"clv_{days}d_hi",
             "net": f"clv_net_{days}d", "to_cac": "clv_to_cac", "payback_days": "payback_days"}  # fmt: skip
    plain = ("status", "risk_tier", "value_at_risk", "p_alive", "frequency", "recency", "T", "n_orders",
             "days_since_last_order", "total_spend", "monetary_value")  # fmt: skip
    return {
        "run_id": card.run.run_id,
        "as_of": card.run.as_of.isoformat(),
        "model_version": card.run.manifest["model"]["version"],
        "hindsight": card.run.is_hindsight,
        "customer_id": card.customer,
        **{name: score.get(name) for name in plain},
        "horizons": [_horizon(card, horizon) for horizon in card.horizons],
        "next_order": {p: _text(score[f"next_order_{p}"]) for p in ("p20", "p50", "p80")},
        "clv": None if days is None else {"days": days, **{k: score.get(c) for k, c in worth.items()}},
        "risk_list": _place(card.place),
        "reasons": card.reasons,
        "orders": [_order(card, place) for place in range(len(card.past.orders))],
        "p_alive_by_todays_model": None if card.model is None else [
            {"as_of": day.isoformat(), "p_alive": p} for day, p in card.model.alive
        ],
        "segments": [_groups(row) for row in card.groups.rows],
    }  # fmt: skip


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _horizon(card: Card, days: int) -> dict[str, Any]:
    names = {
        name: f"{name}_{days}d" for name in ("p_purchase", "p_churn", "expected_orders", "expected_spend")
    }
    ends = {f"expected_spend_{end}": f"expected_spend_{days}d_{end}" for end in ("lo", "hi")}
    low, high = card.model.ranges[days] if card.model else (None, None)
    found = {name: card.score.get(column) for name, column in (names | ends).items()}
    return {"days": days, **found, "order_days_lo": low, "order_days_hi": high}


def _place(place: Mapping[str, str] | None) -> dict[str, Any] | None:
    if place is None:
        return None
    numbers = {name: amount(place, name) for name in ("value_at_risk", "net_value", "highest_offer")}
    return {
        "rank": int(place["rank"]),
        "group": place.get("group"),
        "campaign": place.get("campaign"),
        **numbers,
    }


def _order(card: Card, place: int) -> dict[str, Any]:
    order = card.past.orders[place]
    money = {"amount": order.amount, "refunded": order.refunded} if card.has_amounts else {}
    number = {"number": order.number} if card.has_numbers else {}
    return {"day": order.day.isoformat(), **number, **money, "is_refund": order.is_refund}


def _groups(row: Mapping[str, Any]) -> dict[str, Any]:
    moves = [f"{prefix}{axis}" for axis in AXES for prefix in ("was_", "why_")]
    kept = ("run_id", *AXES, "rfm", "r", "f", "m", "days_lapsed", *moves)
    return {"as_of": _text(row["as_of"]), **{name: row.get(name) for name in kept}}
