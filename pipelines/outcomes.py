"""`repurchase outcomes`: what published runs promised, held against what came once their windows are over."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from models.outcomes import LEVEL, expected_against_actual, outside
from pipelines.board import board_records
from pipelines.closing import close_runs, read_closed, write_closed
from pipelines.config import Config
from pipelines.console import Answer, Console, table
from pipelines.engine import open_engine
from pipelines.failures import NotReady
from pipelines.outcome_files import PAGE, ROWS, TABLE, outcome_link, replacing
from pipelines.outcome_record import record_outcomes
from pipelines.outcome_runs import Due, due
from pipelines.outcomes_page import outcomes_page, total_board
from pipelines.purchase_log import open_log
from pipelines.registry import Registry


def outcomes(config: Config, console: Console, as_of: date) -> Answer:
    """Close every window that is over by `as_of`, and compare what was expected with what came.

    The ledger is a view over the published runs and the log: it is made anew each time, and nothing else has
    to be kept in step with it.

    Parameters
    ----------
    config : Config
        The shop's configuration.
    console : Console
        Where progress goes.
    as_of : date
        Only rows known strictly before it are looked at.

    Raises
    ------
    Refused
        If nothing was published, or there is no model store.
    NotReady
        If no window is over yet, or the log knows none of the customers.
    """
    registry = Registry(config)
    with open_engine(config) as engine:
        log = open_log(engine, config, console)
        with console.step("looking at the published runs"):
            found = due(config, log, as_of)
        with replacing(config.output, as_of) as folder:
            with console.step(f"closing {_windows(found)}"):
                n_rows = write_closed(close_runs(engine, log, config, found), folder / ROWS)
            with console.step(f"comparing what was expected with what came, for {n_rows:,} rows"):
                compared, gone = _compared(folder / ROWS, found)
            said = [_summary(found, n_rows, as_of), *gone, *found.left_out]
            shown = (config.target.primary_horizon, config.project.currency or "")
            page = outcomes_page(compared, as_of, [*said, _beyond(compared)], *shown)
            csv = compared.to_csv(index=False, float_format="%.12g", lineterminator="\n")
            (folder / TABLE).write_text(csv, "utf-8")
            (folder / PAGE).write_text(page, "utf-8")
    with console.step("tracking in MLflow"):
        unknown = record_outcomes(registry, compared, as_of, csv, page)
    warnings = [*gone, *found.left_out, *(f"the model store does not know {name}" for name in unknown)]
    return _answer(config, found, compared, warnings, n_rows, as_of)


def _compared(rows: Path, found: Due) -> tuple[pd.DataFrame, list[str]]:
    """Compare model by model at each horizon, in memory one at a time, and say whom the log has lost."""
    tables: list[pd.DataFrame] = []
    gone: dict[str, str] = {}
    lost = n_rows = 0
    for model in found.models:
        closed = read_closed(rows, model)
        tables.append(expected_against_actual(closed))
        gone |= _gone(closed, model["horizon"])  # in the end, of each run, at its longest horizon
        lost, n_rows = lost + int((~closed["in_log"]).sum()), n_rows + len(closed)
    if lost == n_rows:
        raise NotReady(
            "none of the customers of the runs is in the log; hint: are the ids those of when they were "
            "scored?"
        )
    return pd.concat(tables, ignore_index=True), list(gone.values())


def _gone(closed: pd.DataFrame, horizon: int) -> dict[str, str]:
    """Say of each run how many of its customers the log has lost, and what that may amount to."""
    found = {}
    for (run, as_of), rows in closed[~closed["in_log"]].groupby(["run", "as_of"]):
        found[str(run)] = (
            f"{len(rows):,} customers of the run of {as_of} are in the log no more: they count as not having "
            f"bought, and of them {rows['p_purchase'].sum():,.1f} were expected to within {horizon} days"
        )
    return found


def _summary(found: Due, n_rows: int, as_of: date) -> str:
    following = found.next
    short = ", where the log ends" if found.until < as_of else ""
    text = f"{_windows(found)} were over by {found.until}{short}, with {n_rows:,} rows"
    if following is None:
        return f"{text}; none is open"
    return (
        f"{text}; still open: {len(found.waiting)}, the next of them, {following.horizon} days from "
        f"{following.run.as_of} on, until {following.end}"
    )


def _windows(found: Due) -> str:
    counts = ((len(found.closed), "window"), (len(found.runs), "run"))
    return " of ".join(f"{n} {name}{'s' * (n > 1)}" for n, name in counts)


def _beyond(compared: pd.DataFrame) -> str:
    beyond, telling = outside(compared)
    return (
        f"{beyond} of {telling} comparisons lie beyond luck; luck alone would put about "
        f"{(1 - LEVEL) * telling:.0f} of them there"
    )


def _answer(
    config: Config, found: Due, compared: pd.DataFrame, warnings: Sequence[str], n_rows: int, as_of: date
) -> Answer:
    folder, unit = outcome_link(config.output, as_of), config.project.currency or ""
    board = total_board(compared, unit).reset_index()
    whole = compared[(compared["run"] == "") & (compared["by"] == "model_version")]
    beyond, telling = outside(compared)
    lines = [
        *(f"warning: {text}" for text in warnings),
        _summary(found, n_rows, as_of),
        *table([*board.columns], board.to_numpy().tolist()),
        _beyond(compared),
        f"by decile, tier and date: {folder / PAGE}",
        f"as a table: {folder / TABLE}",
    ]
    following = found.next
    data: dict[str, Any] = {
        "folder": str(folder),
        "closed_until": found.until.isoformat(),
        "runs": [run.run_id for run in found.runs],
        "windows_closed": len(found.closed),
        "windows_open": len(found.waiting),
        "next": following.end.isoformat() if following else None,
        "rows": n_rows,
        "totals": board_records(whole.set_index("measure")),
        "beyond_chance": beyond,
        "comparisons": telling,
        "warnings": list(warnings),
    }
    return Answer(data, lines)
