"""Scoring a piece of the base: raw features in, rows of ``scores.parquet`` and what is added up out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import cached_property
from typing import Any

import pandas as pd
import pyarrow as pa

from features.build import to_model_frame
from features.catalogue import visible_features
from features.feature import Feature
from models.economics import Economics
from models.scorer import Scorer, score_columns
from pipelines.outlook import Sums
from pipelines.scorer_files import from_files, to_files

SUMS = "sums"
"""Column beside the scores: the first row of a piece carries what the piece adds up to, as JSON."""
_COUNTS = ("frequency", "recency", "T", "days_since_last_order", "n_orders")
_TEXTS = ("customer_id", "model_version", "status", "label_source", "risk_tier")


@dataclass(frozen=True)
class PieceScorer:
    """The champion, with all that it takes to score a piece wherever that is.

    It travels as the scorer's files, whose digest was checked when they were loaded, and plain values:
    whoever receives it needs our packages and the libraries, and no model store.

    Parameters
    ----------
    scorer : Scorer
        The champion.
    economics : Economics
        The terms of trade.
    names : tuple of str
        The features of a piece, in order.
    has : frozenset of str
        As in `features.records.Records`; with `attributes`, it tells what the features are.
    attributes : tuple of (str, str)
        As there.
    version : str
        What the champion is called in the scores.
    as_of : date
        The day they are of.
    """

    scorer: Scorer
    economics: Economics
    names: tuple[str, ...]
    has: frozenset[str]
    attributes: tuple[tuple[str, str], ...]
    version: str
    as_of: date

    def __reduce__(self) -> tuple[Any, ...]:
        """Say how it travels."""
        rest = (self.economics, self.names, self.has, self.attributes, self.version, self.as_of)
        return _arrived, (to_files(self.scorer), *rest)

    @cached_property
    def schema(self) -> pa.Schema:
        """Of what a piece becomes."""
        return score_schema(self.scorer.horizons, self.scorer.clv_horizon).append(pa.field(SUMS, pa.string()))

    @cached_property
    def features(self) -> list[Feature]:
        """The features of a piece."""
        known = {f.name: f for f in visible_features(self.scorer.horizons, self.has, self.attributes)}
        return [known[name] for name in self.names]

    def frame(self, raw: pd.DataFrame) -> pd.DataFrame:
        """Put raw features into model form, sorted by customer."""
        return to_model_frame(raw, self.features)

    def __call__(self, piece: pa.Table) -> pa.Table:
        """Score a piece; its customers come out sorted."""
        frame = self.frame(piece.to_pandas())
        said = self.scorer.score(frame, self.economics)
        sums = json.dumps(asdict(Sums.of(said, frame, self.scorer)))
        alone = {"as_of": self.as_of, "model_version": self.version}
        columns = [self._column(field, frame, said, alone, sums) for field in self.schema]
        return pa.table(columns, schema=self.schema)

    def _column(
        self, field: pa.Field, frame: pd.DataFrame, said: pd.DataFrame, alone: Mapping[str, Any], sums: str
    ) -> pa.Array:
        rows = len(frame)
        if field.name == SUMS:
            return pa.array([sums, *[None] * (rows - 1)], field.type)
        if field.name in alone:
            return pa.repeat(pa.scalar(alone[field.name], field.type), rows)
        if field.name in ("monetary_value", "total_spend") and not self.scorer.has_amounts:
            return pa.nulls(rows, field.type)
        found = said[field.name] if field.name in said else frame[field.name]
        if field.name in _COUNTS:
            found = found.astype("int64")
        return pa.Array.from_pandas(found, type=field.type)


def sums_of(piece: pa.Table) -> list[Sums]:
    """Read what pieces add up to, from the rows that carry it."""
    return [Sums(**json.loads(text)) for text in piece[SUMS].drop_null().to_pylist()]


def score_schema(horizons: Sequence[int], clv_horizon: int) -> pa.Schema:
    """Say of which types the columns of ``scores.parquet`` are."""
    return pa.schema([(name, _kind(name)) for name in score_columns(horizons, clv_horizon)])


def _kind(name: str) -> pa.DataType:
    if name in _TEXTS:
        return pa.string()
    if name == "as_of" or name.startswith("next_order_"):
        return pa.date32()
    return pa.int64() if name in _COUNTS else pa.float64()


def _arrived(files: Mapping[str, bytes], *rest: Any) -> PieceScorer:
    return PieceScorer(from_files(files), *rest)
