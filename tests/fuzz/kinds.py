"""All the ways of breaking an input."""

from tests.fuzz import (
    bombs,
    broken_bytes,
    broken_configs,
    broken_scores,
    broken_tables,
    broken_text,
    broken_values,
    hostile,
)
from tests.fuzz.cases import KINDS, SHARES

__all__ = [
    "KINDS",
    "SHARES",
    "bombs",
    "broken_bytes",
    "broken_configs",
    "broken_scores",
    "broken_tables",
    "broken_text",
    "broken_values",
    "hostile",
]
