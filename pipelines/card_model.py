"""What the model of a run adds to its scores: P(alive) of the past, and how many purchases may come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from features.errors import ContractError
from models.btyd import Btyd
from models.doubt import purchases_range
from pipelines.card_past import STANDING
from pipelines.champion import check_promoted
from pipelines.config import Config
from pipelines.failures import Failure
from pipelines.promotions import read_promotions
from pipelines.published_runs import Run
from pipelines.registry import Registry
from pipelines.version import DIGEST


@dataclass(frozen=True)
class ModelFacts:
    """What it says.

    Parameters
    ----------
    alive : list of (date, float)
        P(alive) at dates of the past, by the run's model.
    ranges : dict of int to (int, int)
        Horizon to the ends of the 80 % interval of the purchase days.
    """

    alive: Sequence[tuple[date, float]]
    ranges: Mapping[int, tuple[int, int]]


def run_model(config: Config, run: Run) -> Btyd | None:
    """Load the buy-till-you-die models of a run; None where the store has them no more, or others."""
    was: dict[str, Any] = run.manifest["model"]
    try:
        registry = Registry(config)
        version = registry.version(str(was["version"]))
        if version.tags.get(DIGEST) != was["digest"]:
            return None
        check_promoted(version, read_promotions(config))
        return registry.load(version).btyd
    except (Failure, ContractError):
        return None


def model_facts(
    btyd: Btyd, standing: pd.DataFrame, score: Mapping[str, Any], horizons: list[int]
) -> ModelFacts:
    """Ask the model.

    Parameters
    ----------
    btyd : Btyd
        Of the run.
    standing : DataFrame
        Of `pipelines.card_past.Past`.
    score : mapping
        The customer's row of the run.
    horizons : list of int
        Days.
    """
    columns = standing[[*STANDING]].astype("float64")
    alive = [] if standing.empty else btyd.p_alive(columns).tolist()
    now = pd.DataFrame([{name: float(score[name]) for name in STANDING}])
    ranges = {}
    for days in horizons:
        p_any = np.array([score[f"p_purchase_{days}d"]])
        low, high = purchases_range(btyd.bg, days, now, p_any=p_any)
        ranges[days] = int(low[0]), int(high[0])
    return ModelFacts([*zip(standing["cutoff"], alive, strict=True)], ranges)
