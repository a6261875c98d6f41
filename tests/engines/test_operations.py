"""The features stay within the operations that were run on both engines."""

import ibis
import pytest

from features.build import build_panel
from features.door import at_the_door, set_aside
from features.history import make_history
from tests.engines.both import CUTOFFS, HORIZONS, UNTIL, Asked, looks, other_shapes, worlds
from tests.engines.operations import OPERATIONS, operations
from tests.engines.texts import CONTRACT, Read, texts
from tests.features.logs import Drawn, records
from tests.features.test_agreement import SHAPES


@pytest.mark.parametrize("without", SHAPES.values(), ids=SHAPES)
def test_the_features_use_no_other_operations(without: frozenset[str]) -> None:
    """From the raw tables to the panel, as one expression each."""
    made = records(
        lambda name, table: ibis.table(ibis.memtable(table).schema(), name=name), Drawn([], without=without)
    )
    history = make_history(made)
    built = [build_panel(history, CUTOFFS, HORIZONS, UNTIL), *worlds(made).values(), *made.tables().values()]
    if "events" not in without:
        built += [*looks(made, history.parts["days"]).values(), *other_shapes(made).values()]
    assert operations(built) - {"UnboundTable"} - OPERATIONS == set()


def test_the_door_uses_no_other_operations() -> None:
    raw = ibis.table(ibis.memtable(texts()).schema(), name="texts")
    assert operations([set_aside(at_the_door(raw, CONTRACT))]) - {"UnboundTable"} - OPERATIONS == set()


@pytest.mark.heavy
def test_every_operation_of_the_list_is_run_on_spark(on_spark: Asked, texts_on_spark: Read) -> None:
    asked = [
        on_spark.panel,
        on_spark.worlds,
        on_spark.looks,
        on_spark.other_shapes,
    ]  # each runs when asked for
    assert len(asked) == 4
    assert OPERATIONS - operations([*on_spark.ran, texts_on_spark.table]) == set()
