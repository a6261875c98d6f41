"""The same questions, asked of two engines."""

from collections.abc import Callable
from datetime import timedelta
from functools import cached_property
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pandas as pd
from hypothesis import Phase, given, settings

from features import profile
from features.build import build_panel
from features.calendar import day_number
from features.futures import shifted, with_other_futures
from features.grains import order_ledger
from features.history import make_history
from features.records import Records
from features.snapshot import sample_customers
from features.visits import visit_days
from pipelines.engine import Engine
from tests.features.logs import START, Drawn, many_logs, records, side_by_side

Tables = dict[str, ir.Table]
Frames = dict[str, pd.DataFrame]

HORIZONS = (5, 14, 45)
CUTOFFS = [START.date() + timedelta(days=d) for d in (3, 12, 20, 31, 41, 91)]
MIDDLE = CUTOFFS[2]
UNTIL = START.date() + timedelta(days=100)


def drawn_logs(examples: int) -> Drawn:
    """Draw many small shops and put all of them side by side: one query is a test of each."""
    found: list[Drawn] = []

    @settings(max_examples=examples, derandomize=True, database=None, phases=[Phase.generate])
    @given(many_logs())
    def collect(drawn: Drawn) -> None:
        found.append(drawn)

    collect()
    return side_by_side(found)


class Asked:
    """A shop on an engine; what is asked of it is computed once, and remembered in `ran`.

    Parameters
    ----------
    engine : Engine
        Where.
    lay_out : callable
        Opens a raw table there, given the engine, a name and the table.
    drawn : Drawn
        What the shop wrote down.
    """

    def __init__(self, engine: Engine, lay_out: Callable[[Engine, str, Any], ir.Table], drawn: Drawn) -> None:
        self.engine = engine
        self.ran: list[ir.Table] = []
        opened: Records = records(lambda name, table: lay_out(engine, name, table), drawn)
        self.records = opened.changed(self.keep)
        self.history = make_history(self.records, self.keep)

    def keep(self, table: ir.Table, name: str) -> ir.Table:
        self.ran.append(table)
        return self.engine.keep(table, name)

    def _fetch(self, tables: Tables) -> Frames:
        self.ran += tables.values()
        return {name: fetched(self.engine, table) for name, table in tables.items()}

    @cached_property
    def panel(self) -> pd.DataFrame:
        """Features and labels at all cutoffs."""
        return self._fetch({"panel": build_panel(self.history, CUTOFFS, HORIZONS, UNTIL)})["panel"]

    @cached_property
    def parts(self) -> Frames:
        """What the history consists of."""
        return self._fetch(dict(self.history.parts))

    @cached_property
    def worlds(self) -> Frames:
        """The worlds of the leak proof, and a sample of the customers."""
        return self._fetch(worlds(self.records))

    @cached_property
    def looks(self) -> Frames:
        """What the readiness report asks."""
        return self._fetch(looks(self.records, self.history.parts["days"]))

    @cached_property
    def other_shapes(self) -> Frames:
        """What tables with fewer columns are asked."""
        return self._fetch(other_shapes(self.records))


def worlds(made: Records) -> Tables:
    several = {"futures": with_other_futures(made, MIDDLE), "shifted": shifted(made)}
    several["sample"] = made.changed(lambda table, _: sample_customers(table, 0.5, seed=7))
    return {f"{world} {name}": table for world, of in several.items() for name, table in of.tables().items()}


def other_shapes(made: Records) -> Tables:
    """Sessions cut at silence, and refunds matched by their amounts alone."""
    nameless = made.lines.mutate(product_id=ibis.null("string"))
    return {
        "silence": visit_days(made.events, has_sessions=False),
        "ledger": order_ledger(nameless, "C").entries(),
    }


def looks(made: Records, days: ir.Table) -> Tables:
    steps, cutoff = profile.purchase_steps(days.drop("known_from", "known_until")), day_number(MIDDLE)
    return {
        "totals": profile.step_totals(steps),
        "daily": profile.daily_purchases(steps),
        "silences": profile.silence_counts(steps, day_number(UNTIL)),
        "windows": profile.window_counts(steps, {cutoff: {h: cutoff + h for h in HORIZONS}}),
        "copies": profile.daily_copies(made.lines),
        "delays": profile.delay_counts(made.lines),
        "bins": profile.amount_bins(steps),
        "largest": profile.largest_days(steps, 5),
    }


def fetched(engine: Engine, table: ir.Table) -> pd.DataFrame:
    """Fetch a table: whole numbers as such, floats with all their bits, and rows in an order of their own."""
    frame, kinds = engine.frame(table), table.schema()
    told = {name: [_told(value, kinds[name]) for value in frame[name]] for name in frame}
    shown = pd.DataFrame(told, dtype="object")
    return shown.sort_values(list(shown.columns), key=lambda column: column.map(repr), ignore_index=True)


def _told(value: Any, kind: dt.DataType) -> Any:
    if pd.isna(value):
        return None
    if kind.is_integer():
        return int(value)
    return float(value) if kind.is_floating() else value


def assert_same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    """The same rows, to the last bit of every float."""
    assert len(one) > 0
    pd.testing.assert_frame_equal(one.map(_bits), other.map(_bits), check_exact=True)


def assert_all_same(one: Frames, other: Frames) -> None:
    """The same tables with the same rows."""
    assert list(one) == list(other)
    for name, frame in one.items():
        assert_same(frame, other[name])


def _bits(value: Any) -> Any:
    return value.hex() if isinstance(value, float) else value
