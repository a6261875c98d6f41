"""The figures of an evaluation as tables for a terminal, and the one that sums them up."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.accuracy_doubt import doubt_line
from benchmarks.accuracy_figures import BIAS_LIMIT, ECE_LIMIT, marked

MARK = f"! ECE above {ECE_LIMIT}, or a bias outside ±{BIAS_LIMIT:.0%}"


def evaluation_table(facts: Mapping[str, Any]) -> str:
    """Lay out one evaluation: probabilities, ranks, orders, spend, and the duels of the champion."""
    lines = [
        f"{facts['name']}: {facts['customers']:,} customers, {facts['base_rate']:.3f} bought; "
        f"champion {facts['champion']} (of {facts['folds']} folds, {facts['judged_horizon']} days ahead), "
        f"spend by {facts['spend_model']}",
        *_grid(
            ["candidate", "log-loss", "Brier", "AUC", "PR-AUC", "ECE", "lift 10%"],
            [
                [
                    _named(row, facts),
                    *(f"{row[c]:.4f}" for c in ("log_loss", "brier", "auc", "pr_auc")),
                    marked(row["ece"], ECE_LIMIT, ".4f"),
                    f"{row['lift_10']:.2f}",
                ]
                for row in facts["probabilities"]
            ],
        ),
        "",
        *_grid(["rank by", "AUC"], [[row["candidate"], f"{row['auc']:.4f}"] for row in facts["ranks"]]),
        "",
        *_amounts("orders", ("mae", "rmse", "rmsle"), facts["orders"]),
        "",
        *_amounts("spend", ("gini", "spearman", "decile_mape"), facts["spend"]),
        "",
        *_duel_lines(facts),
        doubt_line(facts["doubt"]),
        MARK,
    ]
    return "\n".join(lines)


def summary(results: Sequence[Mapping[str, Any]]) -> str:
    """One line an evaluation: the champion against the best candidate, the rules and BG/NBD."""
    rows = []
    for facts in results:
        best, bgnbd = facts["duels"]["best"], facts["duels"]["bgnbd"]
        ahead = [n for n, duel in facts["duels"].items() if n.startswith("dumb") and duel["auc"][0] < 0]
        own = next(row for row in facts["probabilities"] if row["candidate"] == facts["champion"])
        rows.append(
            [
                facts["name"],
                facts["champion"],
                f"{own['auc']:.4f} / {own['log_loss']:.4f}",
                best["rival"],
                _interval(best["log_loss"]),
                _interval(bgnbd["log_loss"]),
                _interval(bgnbd["auc"]),
                "yes: " + ", ".join(facts["duels"][n]["rival"] for n in ahead) if ahead else "no",
                marked(own["ece"], ECE_LIMIT, ".3f"),
                marked(facts["champion_bias"]["orders"], BIAS_LIMIT, "+.1%"),
                marked(facts["champion_bias"]["spend"], BIAS_LIMIT, "+.1%"),
            ]
        )
    head = [
        "evaluation", "champion", "AUC / log-loss", "best", "log-loss over best", "log-loss over BG/NBD",
        "AUC over BG/NBD", "dumb ahead in AUC", "ECE", "orders", "spend",
    ]  # fmt: skip
    return "\n".join([*_grid(head, rows), "above 0: the champion is better; paired 95 % intervals", MARK])


def _named(row: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    kind = " (rule)" if row["is_rule"] else " (other library)" if row["is_other"] else ""
    return f"{'*' if row['candidate'] == facts['champion'] else ' '}{row['candidate']}{kind}"


def _amounts(what: str, measures: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    table = [
        [row["candidate"], *(f"{row[m]:.4f}" for m in measures), marked(row["bias"], BIAS_LIMIT, "+.1%")]
        for row in rows
    ]
    return _grid([what, *measures, "bias"], table)


def _duel_lines(facts: Mapping[str, Any]) -> list[str]:
    lines = []
    for role, duel in facts["duels"].items():
        gained = f"log-loss {_interval(duel['log_loss'])}, " if "log_loss" in duel else ""
        lines.append(
            f"{facts['champion']} over {duel['rival']} ({role}): {gained}AUC {_interval(duel['auc'])}, "
            f"lift {_interval(duel['lift_10'], 2)}"
        )
    lines += [f"spend, Gini over {name}: {_interval(gap)}" for name, gap in facts["gini"].items()]
    return lines


def _interval(found: Sequence[float], digits: int = 4) -> str:
    mean, low, high = found
    return f"{mean:+.{digits}f} [{low:+.{digits}f}, {high:+.{digits}f}]"


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[k]) for row in [head, *rows]) for k in range(len(head))]
    return [
        "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
        for row in [head, *rows]
    ]
