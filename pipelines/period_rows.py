"""Put the rows of a log that is dated by the week, month or quarter where they can leak nothing."""

from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np

from features.calendar import day_number
from features.labels import WindowEnd, plain_end
from features.periods import Period, detect_period, label_ends
from pipelines.engine import Engine


def find_period(engine: Engine, lines: ir.Table) -> Period:
    """Find the grain of a log's dates (`features.periods.detect_period`)."""
    counts = engine.frame(lines.group_by("day").agg(n=lines.count()).order_by("day"))
    return detect_period(counts["day"].to_numpy(np.int64), counts["n"].to_numpy(np.int64))


def placed_in_period(engine: Engine, lines: ir.Table, period: Period) -> ir.Table:
    """Move each row to the middle of the period it speaks of, known from the period's end on.

    As nobody knows on which of its days a purchase was made, the middle is the least wrong; and before the
    period is over, nobody knows of it.
    """
    days = engine.frame(lines.select("day").distinct().order_by("day"))["day"].to_numpy(np.int64)
    middle, last = period.place(days)
    moved = ibis.memtable({"told_day": days, "middle": middle, "last": last})
    joined = lines.inner_join(moved, lines.day == moved.told_day)
    known = ibis.greatest(joined.known_day, joined.last)
    return joined.mutate(day=joined.middle, known_day=known).select(*lines.columns)


def window_end(period: Period, cutoffs: list[date], horizons: list[int]) -> WindowEnd:
    """Say for `features.labels` where the windows of these cutoffs end: after whole periods."""
    if period.kind == "day":
        return plain_end
    ends = label_ends(cutoffs, horizons, period)

    def end_of(cutoff: ir.Value, horizon: int) -> ir.Value:
        cases = [(cutoff == day_number(c), day_number(of[horizon])) for c, of in ends.items()]
        return ibis.cases(*cases).cast("int64")

    return end_of
