"""The part of a report with rates by group: what is expected from now on, and what came of earlier groups."""

import pandas as pd

from pipelines.report_blocks import Chart, Part, Said, Section, Table
from pipelines.report_cells import cell, whole_share
from pipelines.report_charts import bars, in_lines
from pipelines.report_facts import Facts
from pipelines.report_group_facts import Came, GroupFacts
from pipelines.report_groups import SHOWN_AXES, axis_head, group_name, names_of
from pipelines.words import Voice

FEW = 20
"""Customers of whom a rate is drawn."""


def group_rates_section(facts: Facts, voice: Voice) -> Section:
    """Show retention, churn and not-returned rates by group, by channel and by first product."""
    parts: list[Part] = []
    found, people = facts.groups, facts.people
    if found is not None:
        parts += _by_group(facts, found, voice)
    parts += _by_origin("channel", people.channels, facts, voice)
    parts += _by_origin("product", people.products, facts, voice)
    return Section("group_rates", voice("report.title.group_rates"), parts)


def _by_group(facts: Facts, found: GroupFacts, voice: Voice) -> list[Part]:
    days = voice.number(facts.horizon)
    rows = _rows(found, "lifecycle")
    drawn = {voice("report.group_rates.expected", days=days): _drawn(rows, "p_churn", "customers")}
    if found.came is not None:
        start = voice.day(found.came.start)
        drawn[voice("report.group_rates.came", day=start)] = _drawn(rows, "churn", "then")
    names = [in_lines(group_name("lifecycle", str(name), voice)) for name in rows["group"]]
    picture = bars("group-rates", names, drawn, whole_share(voice))
    tables = [_table(facts, found, axis, voice) for axis in SHOWN_AXES]
    chart = Chart(picture, voice("report.group_rates.chart", days=days), tables[0])
    return [_about(found.came, days, voice), chart, *tables[1:]]


def _drawn(rows: pd.DataFrame, rate: str, of: str) -> list[float]:
    """Leave out rates of a few customers, which say nothing; the table has them."""
    shown: list[float] = rows[rate].where(rows[of] >= FEW).tolist()
    return shown


def _about(came: Came | None, days: str, voice: Voice) -> Said:
    """Say what the realised rates are of; or why there are none."""
    if came is None:
        return Said(voice("report.group_rates.none", days=days))
    told = {"start": voice.day(came.start), "end": voice.day(came.end)}
    return Said(voice("report.group_rates.about", days=days, **told))


def _rows(found: GroupFacts, axis: str) -> pd.DataFrame:
    """One row a group: what is expected of it now, and what came of those who were in it then."""
    rows = found.outlook[found.outlook["axis"] == axis].set_index("group")
    rows = rows.reindex(names_of(axis, found.rules))
    rows["silent"] = rows["silent"] / rows["customers"]
    came = pd.DataFrame(columns=["customers", "back", "expected"], dtype=float)
    if found.came is not None:
        came = found.came.groups[found.came.groups["axis"] == axis].set_index("group")
    came = came.reindex(rows.index).astype({"customers": float, "back": float, "expected": float})
    rows = rows.assign(
        then=came["customers"], retention=came["back"] / came["customers"], promised=came["expected"]
    )
    return rows.assign(churn=1 - rows["retention"]).reset_index()


def _table(facts: Facts, found: GroupFacts, axis: str, voice: Voice) -> Table:
    days = voice.number(facts.horizon)
    heads = ["customers", "silent", "expected"]
    heads += ["then", "retention", "churn", "promised"] if found.came is not None else []
    told = {"days": days, "day": "" if found.came is None else voice.day(found.came.start)}
    columns = {"expected": "p_churn"}
    rows = [
        [
            group_name(axis, str(row["group"]), voice),
            *(
                cell(
                    row[columns.get(name, name)],
                    voice.number if name in ("customers", "then") else voice.share,
                )
                for name in heads
            ),
        ]
        for row in _rows(found, axis).to_dict("records")
    ]
    kind = voice(f"report.groups.{axis}")
    said = [axis_head(axis, voice), *(voice(f"report.group_rates.{name}", **told) for name in heads)]
    return Table(voice("report.group_rates.table", kind=kind), said, rows)


def _by_origin(kind: str, found: pd.DataFrame | None, facts: Facts, voice: Voice) -> list[Part]:
    """Lay out rates by something that never changes; what is missing, and what is too small, is said."""
    if found is None:
        return [Said(voice(f"report.origin.no_{kind}"))]
    if found.empty:
        return [Said(voice(f"report.origin.few_{kind}"))]
    days = voice.number(facts.horizon)
    rows = []
    for row in found.to_dict("records"):
        retention = row["back"] / row["known"] if row["known"] else float("nan")
        shares = (row["p_churn"], retention, 1 - retention)
        rows.append(
            [str(row["group"]), voice.number(row["customers"]), cell(shares[0], voice.share),
             voice.number(row["known"]), *(cell(share, voice.share) for share in shares[1:])]
        )  # fmt: skip
    heads = [voice(f"report.origin.{kind}"), voice("report.groups.customers")]
    heads += [voice("report.group_rates.expected", days=days)]
    heads += [voice(f"report.origin.{name}", days=days) for name in ("known", "retention", "churn")]
    return [Table(voice(f"report.origin.by_{kind}", days=days), heads, rows)]
