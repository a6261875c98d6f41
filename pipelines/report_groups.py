"""The part of a report about groups: how many customers are in each, who moved where and why, RFM cells."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from models.migration import ARRIVED, NOBODY, WHYS
from models.scorer import TIERS
from models.segments import LIFECYCLES, Rules, recency_names
from pipelines.report_blocks import NONE, Chart, Part, Said, Section, Table
from pipelines.report_charts import bars, heatmap, in_lines
from pipelines.report_facts import Facts
from pipelines.report_group_facts import GroupFacts
from pipelines.words import Voice

FIFTHS = range(1, 6)
SHOWN_AXES = ("lifecycle", "risk_group", "recency_group")
"""In the order in which people are told."""


def groups_section(facts: Facts, voice: Voice) -> Section:
    """Show how many customers are in each group, who moved since the run before, and the cells of RFM."""
    found, title = facts.groups, voice("report.title.groups")
    if found is None:
        return Section("groups", title, [Said(voice("report.groups.none"))])
    parts: list[Part] = [Said(_largest(found, voice), strong=True), _lifecycles(found, voice)]
    parts += [_counts(found, axis, voice) for axis in ("risk_group", "recency_group")]
    parts += [*_moves(found, voice), _cells(found, voice)]
    return Section("groups", title, parts)


def names_of(axis: str, rules: Rules) -> list[str]:
    """Name the groups of an axis in the order in which they are told."""
    if axis == "lifecycle":  # nobody can be premium in a log without amounts
        return [name for name in LIFECYCLES if name != "premium" or rules.premium_value is not None]
    return list(reversed(TIERS)) if axis == "risk_group" else recency_names(rules.recency_days)


def group_name(axis: str, name: str, voice: Voice) -> str:
    """Say a group's name."""
    if axis == "recency_group":
        return voice("report.groups.days", days=name.replace("-", "–"))
    return voice(f"segment.lifecycle.{name}" if axis == "lifecycle" else f"report.tier.{name}")


def axis_head(axis: str, voice: Voice) -> str:
    """Say the kind of group at the head of a column."""
    said = voice(f"report.groups.{axis}")
    return said[:1].upper() + said[1:]


def counts_of(found: GroupFacts, axis: str, side: str) -> pd.Series:
    """Count the customers of each group ``after`` the moves or ``before``; those who were not there apart."""
    moves = found.moves[(found.moves["axis"] == axis) & (found.moves[side] != NOBODY)]
    counts = moves.groupby(side)["customers"].sum()
    return counts.reindex(names_of(axis, found.rules), fill_value=0).astype("int64")


def _largest(found: GroupFacts, voice: Voice) -> str:
    counts = counts_of(found, "lifecycle", "after")
    name = str(counts.idxmax())
    share = float(counts.max() / counts.sum())
    return voice(
        "report.groups.sentence", group=group_name("lifecycle", name, voice), share=voice.share(share, 0)
    )


def _lifecycles(found: GroupFacts, voice: Voice) -> Chart:
    now, names = counts_of(found, "lifecycle", "after"), names_of("lifecycle", found.rules)
    series = {voice("report.groups.now"): [float(n) for n in now]}
    if found.before is not None:
        then = counts_of(found, "lifecycle", "before")
        series = {voice.day(found.before): [float(n) for n in then], **series}
    said = [in_lines(group_name("lifecycle", name, voice)) for name in names]
    picture = bars("groups", said, series, voice.number)
    return Chart(picture, voice("report.groups.chart"), _counts(found, "lifecycle", voice))


def _counts(found: GroupFacts, axis: str, voice: Voice) -> Table:
    now = counts_of(found, axis, "after")
    then = None if found.before is None else counts_of(found, axis, "before")
    before = [] if found.before is None else [voice.day(found.before)]
    rules = [voice("report.groups.rule")] if axis == "lifecycle" else []
    heads = [axis_head(axis, voice), voice("report.groups.customers"), voice("report.groups.share")]
    rows = [
        [
            group_name(axis, name, voice),
            voice.number(n),
            voice.share(n / max(int(now.sum()), 1)),
            *([] if then is None else [voice.number(then[name])]),
            *([_rule(name, found.rules, voice)] if rules else []),
        ]
        for name, n in zip(names_of(axis, found.rules), now, strict=True)
    ]
    caption = voice("report.groups.table", kind=voice(f"report.groups.{axis}"))
    return Table(caption, [*heads, *before, *rules], rows, last_texts=len(rules))


def _rule(name: str, rules: Rules, voice: Voice) -> str:
    value = NONE if rules.premium_value is None else voice.money(rules.premium_value)
    numbers = {n: voice.number(getattr(rules, n)) for n in ("new_days", "loyal_orders", "churned_days")}
    return voice(f"report.rule.{name}", premium_value=value, **numbers)


def _moves(found: GroupFacts, voice: Voice) -> list[Part]:
    """Say who moved since the run before, and why; one table an axis."""
    if found.before is None:
        return [Said(voice("report.moves.first"))]
    parts: list[Part] = [Said(_moved(found, voice), strong=True), _reasons(found, voice)]
    parts += [_matrix(found, axis, voice) for axis in SHOWN_AXES]
    return [*parts, Said(voice("report.moves.how"))]


def _moved(found: GroupFacts, voice: Voice) -> str:
    moves = found.moves[found.moves["axis"] == "lifecycle"]
    inside = moves[(moves["why"] != "") & (moves["before"] != NOBODY) & (moves["after"] != NOBODY)]
    told = {"day": voice.day(found.before), "n": voice.number(inside["customers"].sum())}  # type: ignore[arg-type]
    if inside.empty:
        return voice("report.moves.nobody", **told)
    pairs = inside.groupby(["before", "after"])["customers"].sum().sort_values(kind="stable")
    before, after = pairs.index[-1]
    return voice(
        "report.moves.sentence",
        before=group_name("lifecycle", str(before), voice),
        after=group_name("lifecycle", str(after), voice),
        most=voice.number(pairs.iloc[-1]),
        **told,
    )


def _reasons(found: GroupFacts, voice: Voice) -> Table:
    """Lay out why, a row a kind of group."""
    rows = []
    for axis in SHOWN_AXES:
        moves = found.moves[found.moves["axis"] == axis].groupby("why")["customers"].sum()
        counts = [int(moves.get(why, 0)) for why in ("", *WHYS)]
        rows.append([axis_head(axis, voice), *map(voice.number, counts)])
    heads = [
        voice("report.moves.kind"),
        voice("report.moves.stayed"),
        *(voice(f"report.why.{why}") for why in WHYS),
    ]
    return Table(voice("report.moves.why", day=_day(found, voice)), heads, rows)


def _day(found: GroupFacts, voice: Voice) -> str:
    return NONE if found.before is None else voice.day(found.before)


def _matrix(found: GroupFacts, axis: str, voice: Voice) -> Table:
    names = names_of(axis, found.rules)
    moves = found.moves[found.moves["axis"] == axis]
    table = moves.pivot_table(
        index="before", columns="after", values="customers", aggfunc="sum", fill_value=0
    )
    table = table.reindex(index=[*names, NOBODY], columns=[*names, NOBODY], fill_value=0)
    table = table.loc[:, [*names, *([NOBODY] if table[NOBODY].sum() else [])]]
    rows = [
        [_end(axis, name, ARRIVED, voice), *(voice.number(n) if n else "" for n in table.loc[name])]
        for name in table.index
        if table.loc[name].sum()
    ]
    heads = [voice("report.moves.from"), *(_end(axis, name, "gone", voice) for name in table.columns)]
    kind = voice(f"report.groups.{axis}")
    return Table(voice("report.moves.table", kind=kind, day=_day(found, voice)), heads, rows)


def _end(axis: str, name: str, nobody: str, voice: Voice) -> str:
    return voice(f"report.why.{nobody}") if name == NOBODY else group_name(axis, name, voice)


def _cells(found: GroupFacts, voice: Voice) -> Chart:
    """Draw the customers of each cell of recency and frequency; both rise to 5, which is best."""
    grid = np.zeros((len(FIFTHS), len(FIFTHS)))
    for r, f, n in found.cells[["r", "f", "customers"]].itertuples(index=False):
        grid[int(r) - 1, int(f) - 1] += n
    grid = grid[::-1]  # the best on top
    rows: Sequence[str] = [f"R{r}" for r in reversed(FIFTHS)]
    columns = [f"F{f}" for f in FIFTHS]
    labels = (voice("report.rfm.recency"), voice("report.rfm.frequency"))
    whole = partial(voice.number, digits=0)
    picture = heatmap("rfm", np.where(grid > 0, grid, np.nan), rows, labels, whole, columns)
    cells = [[name, *(whole(n) for n in line)] for name, line in zip(rows, grid.tolist(), strict=True)]
    table = Table(voice("report.rfm.table"), [voice("report.rfm.cell"), *columns], cells)
    return Chart(picture, voice("report.rfm.chart"), table)
