"""Whether the champion, the log and the date of a scoring run fit one another."""

from collections.abc import Iterator, Sequence
from datetime import date

from features.catalogue import catalogue
from features.errors import ContractError
from models.findings import Finding
from models.scorer import Scorer
from pipelines.config import Config
from pipelines.failures import NotReady, Refused
from pipelines.purchase_log import PurchaseLog, require_purchase
from pipelines.version import Version


def refuse_unfit(log: PurchaseLog, scorer: Scorer, config: Config, as_of: date) -> None:
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
            f"{scorer.primary_horizon} days everyone looks lapsed; hint: load the newest export, or score a "
            f"date that the log reaches, such as {log.end}"
        )
    if log.has_amounts != scorer.has_amounts:
        raise Refused("the champion was trained on a log with other amounts; hint: train again")
    _refuse_lost_features(log, scorer)


def date_warnings(scorer: Scorer, as_of: date) -> Iterator[Finding]:
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


def half_said(config: Config) -> Iterator[Finding]:
    """Say which terms of trade are of no use without the margin."""
    given = config.economics
    if given.margin is None and given.acquisition_cost:
        text = (
            "[economics] acquisition_cost without margin: no profit is known, so what rests on it stays empty"
        )
        yield Finding("warning", "economics", text)


def refuse_strangers(warnings: Sequence[Finding], log: PurchaseLog, scorer: Scorer) -> None:
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


def refuse_other_target(scorer: Scorer, champion: Version, config: Config) -> None:
    """Refuse a model that predicts something else than the config asks for."""
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
