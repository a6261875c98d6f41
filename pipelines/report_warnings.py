"""What a run warned of, in the reader's language, with the sentence of the job that found it below."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any

from pipelines.report_blocks import NONE, Part, Said
from pipelines.words import Voice

TABLES = ("transactions", "customers", "events", "contacts")
OF_TABLES = ("rows", "customers", "days", "columns", "end")
"""Codes that begin with the name of a table; `rows` alone is of the transactions."""
CODES = (
    "amount_scale", "amount_sizes", "champion_age", "double_load", "drift", "economics", "extrapolated",
    "hindsight", "left_out", "list_cut", "log_end", "log_start", "named_runs", "not_promoted", "outcomes",
    "set_aside_jump", "shrunk", "silent_channel", "unseen_categories",
)  # fmt: skip


def warning_parts(warning: Mapping[str, Any], voice: Voice) -> Iterator[Part]:
    """Say one warning: in plain words and the reader's language, then as the job did, in English."""
    yield Said(f"• {plain_words(warning, voice)}")
    yield Said(str(warning["text"]), language="en")


def plain_words(warning: Mapping[str, Any], voice: Voice) -> str:
    """Say a warning by its code, with its numbers; one that has no words, or lacks a number, by its name.

    Examples
    --------
    >>> warning = {"code": "champion_age", "text": "…", "numbers": {"days": 200}}
    >>> plain_words(warning, Voice("en"))
    'The model was trained 200 days ago: train it again (`repurchase refresh`).'
    >>> plain_words({"code": "made", "text": "…"}, Voice("en"))
    'Note (made):'
    """
    code = str(warning["code"])
    table, _, kind = ("transactions_rows" if code == "rows" else code).partition("_")
    told = _written(warning.get("numbers", {}), voice)
    try:
        if table in TABLES and kind in OF_TABLES:
            return voice(f"report.warning_of.{kind}", table=voice(f"report.table.{table}"), **told)
        if code in CODES:
            return voice(f"report.warning.{code}", **told)
    except KeyError:  # a run of before numbers were kept
        pass
    return voice("report.quality.other", code=code)


def _written(numbers: Mapping[str, Any], voice: Voice) -> dict[str, str]:
    """Write each number for the reader; `n` is how many things are listed among them."""
    found = {name: _one(name, value, voice) for name, value in numbers.items() if not _is_list(value)}
    sizes = [len(value) for value in numbers.values() if _is_list(value)]
    return {"n": voice.number(sizes[0]), **found} if sizes else found


def _is_list(value: object) -> bool:
    return isinstance(value, Collection) and not isinstance(value, str)


def _one(name: str, value: Any, voice: Voice) -> str:
    if value is None:
        return NONE
    if isinstance(value, str):
        try:
            return voice.day(date.fromisoformat(value))
        except ValueError:
            return value
    return voice.share(value) if name.startswith("share") else voice.number(value)
