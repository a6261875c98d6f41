"""What a customer's card rests on, gathered once: the log's rows, the run's, and what its model adds."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from features.one_customer import rows_of_one
from pipelines.card_model import ModelFacts, model_facts, run_model
from pipelines.card_past import Past, find_past
from pipelines.card_person import absent, find_person, is_listed, table_of, why_absent
from pipelines.card_runs import Groups, Row, clv_days, find_groups, place_on, row_of, told_reasons
from pipelines.config import Config
from pipelines.engine import Engine
from pipelines.failures import Refused
from pipelines.outcome_runs import promised
from pipelines.published_runs import SCORES, Run
from pipelines.purchase_log import PurchaseLog
from pipelines.run_customers import foreign_names


@dataclass(frozen=True)
class Card:
    """All of it.

    Parameters
    ----------
    config, run : Config, Run
        Of the shop; which run it speaks of.
    customer : str
        What the card calls the customer: by pseudonym where `[privacy]` asks for it.
    has_numbers : bool
        Whether orders are told by number: not of a log without numbers, nor under a pseudonym, as an order's
        number leads to who placed it.
    has_amounts : bool
        False for a log without money.
    period : str
        Grain of the log (`features.periods.Period.kind`).
    score : mapping
        The customer's row of ``scores.parquet``.
    horizons : list of int
        Days that it speaks of.
    past : Past
        What the log says.
    model : ModelFacts or None
        None where the run's model is not at hand.
    place : mapping or None
        The row of the risk list; None for who is not on it.
    reasons : list of dict
        As `pipelines.card_runs.told_reasons` says them.
    groups : Groups
        From run to run.
    """

    config: Config
    run: Run
    customer: str
    has_numbers: bool
    has_amounts: bool
    period: str
    score: Row
    horizons: list[int]
    past: Past
    model: ModelFacts | None
    place: Mapping[str, str] | None
    reasons: list[dict[str, Any]]
    groups: Groups

    @property
    def primary(self) -> int:
        """Days of the run's primary horizon."""
        return int(self.run.manifest["outlook"]["days"])

    @property
    def clv_days(self) -> int | None:
        """How far lifetime value looks."""
        return clv_days(self.score)

    @property
    def is_moved(self) -> bool:
        """Whether the log tells the customer's past otherwise than the run's scores do."""
        if self.past.standing.empty:
            return True
        now = self.past.standing.iloc[-1]
        return any(int(now[name]) != self.score[name] for name in ("frequency", "recency", "T"))


def gather(engine: Engine, log: PurchaseLog, config: Config, run: Run, given: str) -> Card:
    """Gather all that a card rests on.

    Raises
    ------
    ContractError
        If there is no such customer, or the run does not have them.
    Refused
        If the run lists pseudonyms that the present key does not give.
    """
    foreign = foreign_names(run, config)
    if foreign:
        raise Refused(f"run {run.run_id}: {foreign}")
    person, folder = find_person(engine, log, config, run, given), engine.folder
    records = rows_of_one(log.records, table_of(engine, [person.own_id] if person.own_id else []))
    records = replace(records, lines=engine.keep(records.lines, "card_lines"))
    past = find_past(engine, records, log.period, run.as_of)
    name = person.name_in(run)
    if name is None or not is_listed(run, name, engine):
        raise absent(run, why_absent(engine, log, records.lines, run, bought=past.bought))
    score = row_of(run.folder / SCORES, name, folder) or {}
    horizons, btyd = promised(run.folder / SCORES), run_model(config, run)
    return Card(
        config=config,
        run=run,
        customer=person.shown,
        has_numbers="order_id" in config.tables.transactions.columns and not person.is_hidden,
        has_amounts=log.has_amounts,
        period=log.period.kind,
        score=score,
        horizons=horizons,
        past=past,
        model=None if btyd is None else model_facts(btyd, past.standing, score, horizons),
        place=place_on(run, name),
        reasons=told_reasons(run, score, name, log, config, folder),
        groups=find_groups(config, run, person, folder),
    )
