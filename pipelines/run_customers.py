"""Who the customers of published runs are, whether these list them by id or by pseudonym."""

from collections.abc import Iterable
from functools import cached_property

import ibis.expr.types as ir

from features.errors import ContractError
from pipelines.config import Config
from pipelines.engine import Engine
from pipelines.pseudonym_file import write_names
from pipelines.pseudonyms import own_pseudonyms
from pipelines.published_runs import PRIVACY, SCORES, Run
from pipelines.purchase_log import PurchaseLog


def foreign_names(run: Run, config: Config) -> str | None:
    """Say why a run's pseudonyms cannot be told; None if they can, or it has none."""
    if not run.has_pseudonyms:
        return None
    try:
        own = own_pseudonyms(config, create=False).key_id
    except ContractError as reason:
        return f"it lists pseudonyms: {reason}"
    made = run.manifest[PRIVACY].get("key_id")
    return (
        None if made == own else f"it lists pseudonyms made with another key ({made}, the present is {own})"
    )


class RunCustomers:
    """Turns what a run lists into the log's own ids, and those into what `config` wants to be listed.

    Parameters
    ----------
    engine : Engine
        Where the log is.
    known : ibis Table
        ``customer_id`` of everyone in the log, once.
    config : Config
        For ``[privacy]``.
    """

    def __init__(self, engine: Engine, known: ir.Table, config: Config) -> None:
        self._engine, self.known, self._config = engine, known, config

    @classmethod
    def of_log(cls, engine: Engine, log: PurchaseLog, config: Config) -> "RunCustomers":
        """Know everyone whom a log ever named."""
        known = engine.keep(log.lines.select("customer_id").distinct(), "customers_of_the_log")
        return cls(engine, known, config)

    @cached_property
    def _by_pseudonym(self) -> ir.Table:
        """Everyone in the log, named anew: nothing says anywhere who is who."""
        ids, named = (self._engine.folder / f"{name}.parquet" for name in ("known", "pseudonyms"))
        self._engine.write_parquet(self.known, ids)
        write_names(ids, own_pseudonyms(self._config, create=False), named)
        return self._engine.read_fetched(named)

    def of(self, run: Run) -> ir.Table:
        """Return ``customer_id`` and ``listed`` of all in a run; both alike for whom the log has lost."""
        listed = self._engine.read_fetched(run.folder / SCORES).select(listed="customer_id")
        if not run.has_pseudonyms:
            return listed.mutate(customer_id=listed.listed)
        named = listed.left_join(self._by_pseudonym, "listed")
        return named.select("listed", customer_id=named.own_id.coalesce(named.listed))

    def names(self, run: Run, ids: Iterable[str], listed: Iterable[str]) -> list[str]:
        """Return what to call the customers of a run, as ``[privacy]`` asks today."""
        if self._config.privacy.lists == "ids":
            return list(ids)
        return list(listed) if run.has_pseudonyms else own_pseudonyms(self._config).of_all(ids)
