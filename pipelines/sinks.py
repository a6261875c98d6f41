"""Deliver a published run to the tables that `[sinks]` names, each of which shows one whole run of a date."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

from features.errors import ContractError
from pipelines.config import Config
from pipelines.failures import EnvironmentFailed, Failure
from pipelines.postgres_address import require_driver
from pipelines.published_runs import Run, current_run
from pipelines.sink_places import duckdb_place, postgres_place
from pipelines.sink_table import Session, bring_up_to_date, rows_of

Opener = Callable[[], AbstractContextManager[Session]]


@dataclass(frozen=True)
class Delivery:
    """What a sink shows of a date.

    Parameters
    ----------
    sink : str
        What messages call it.
    run_id : str
        The run.
    rows : int
        Of the run.
    is_new : bool
        Whether the sink did not show it before.
    """

    sink: str
    run_id: str
    rows: int
    is_new: bool


def deliver(config: Config, run: Run) -> list[Delivery]:
    """Make every table of `[sinks]` show the current run of a date; one that does already is left alone.

    Parameters
    ----------
    config : Config
        The shop's configuration.
    run : Run
        A published run. If a newer one has become the current run of its date, that one is delivered.

    Returns
    -------
    list of Delivery
        One a sink.

    Raises
    ------
    ContractError, Failure
        If a sink could not be reached or does not fit, once all were tried: of the kind of the first that
        failed. A sink that failed shows what it did before.
    """
    deliveries: list[Delivery] = []
    failures: list[ContractError | Failure] = []
    for opener in _openers(config):
        try:
            deliveries.append(_delivered(opener, config, run))
        except (ContractError, Failure) as failure:
            failures.append(failure)
        except OSError as error:
            failures.append(EnvironmentFailed(f"{error}; a retry is safe"))
    if failures:
        said = "; ".join(str(failure) for failure in failures)
        raise type(failures[0])(
            f"run {run.run_id} is published, but a sink does not show it: {said}; "
            "run the same command again to deliver it"
        )
    return deliveries


def require_sinks(config: Config) -> None:
    """Refuse, before any work is done, what a delivery would miss at its end.

    Raises
    ------
    ContractError
        If the variable with a server's address, its driver, or the folder of a file is not there.
    """
    if config.sinks.duckdb is not None:
        from pipelines.sink_duckdb import require_folder

        require_folder(duckdb_place(config.sinks.duckdb))
    if config.sinks.postgres is not None:
        require_driver(postgres_place(config.sinks.postgres))


def _openers(config: Config) -> list[Opener]:
    openers: list[Opener] = []
    if config.sinks.duckdb is not None:
        from pipelines.sink_duckdb import duckdb_session

        openers.append(partial(duckdb_session, duckdb_place(config.sinks.duckdb), config.folder))
    if config.sinks.postgres is not None:
        from pipelines.sink_postgres import postgres_session

        openers.append(partial(postgres_session, postgres_place(config.sinks.postgres)))
    return openers


def _delivered(opener: Opener, config: Config, run: Run) -> Delivery:
    def current() -> Run:
        return current_run(config.output, run.as_of) or run

    while True:
        with opener() as session:
            shown, is_new = bring_up_to_date(session, run.as_of.isoformat(), current)
        if current().run_id == shown.run_id:  # if not, it has just been replaced
            return Delivery(session.name, shown.run_id, rows_of(shown), is_new)
