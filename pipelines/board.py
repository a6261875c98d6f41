"""A leaderboard as text and as records."""

import json
from math import isfinite
from typing import Any

import pandas as pd

from pipelines.console import table


def board_records(board: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as plain JSON values."""
    records: list[dict[str, Any]] = json.loads(board.reset_index().to_json(orient="records"))
    return records


def board_measures(board: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return candidate to measure to number, for MLflow."""
    numbers = board.drop(columns="is_rule").astype("float64")
    return {str(name): dict(zip(numbers.columns, row, strict=True)) for name, row in numbers.T.items()}


def board_lines(board: pd.DataFrame) -> list[str]:
    """Lay the board out for a terminal; gains are in log-loss, with paired 95 % intervals."""
    columns = [
        "candidate", "log-loss", "AUC", "PR-AUC", "Brier", "ECE", "lift 10%", "over best rule", "over BG/NBD",
    ]  # fmt: skip
    rows = [
        [
            f"{name}{' (rule)' if row['is_rule'] else ''}",
            *[_shown(row.get(c), ".4f") for c in ("log_loss", "auc", "pr_auc", "brier", "ece")],
            _shown(row["lift_10"], ".2f"),
            *[_interval(row, c) for c in ("over_rule", "over_bgnbd")],
        ]
        for name, row in board.iterrows()
    ]
    return table(columns, rows)


def amount_lines(board: pd.DataFrame) -> list[str]:
    """Lay out a board of expected orders or spend; empty where it is."""
    if board.empty:
        return []
    rows = [
        [str(name), *(_shown(row[c], "+.1%" if c == "bias" else ".4f") for c in board.columns)]
        for name, row in board.iterrows()
    ]
    return table(["candidate", *board.columns], rows)


def _shown(value: float | None, form: str) -> str:
    """Write a number; ``-`` where it has no meaning, or a training of an earlier version lacks it."""
    return "-" if value is None or not isfinite(value) else format(value, form)


def _interval(row: "pd.Series[Any]", name: str) -> str:
    return f"{row[name]:+.4f} [{row[f'{name}_lo']:+.4f}, {row[f'{name}_hi']:+.4f}]"
