"""Data with published answers."""

import warnings
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

CALIBRATION_END = pd.Timestamp("1997-09-30")  # included, as in the papers


def _purchase_days() -> pd.DataFrame:
    """The CDNOW sample as `lifetimes` installs it (its own loader needs a package it does not install)."""
    package = find_spec("lifetimes")
    assert package is not None
    assert package.origin is not None
    lines = pd.read_csv(
        Path(package.origin).parent / "datasets" / "CDNOW_sample.txt",
        sep=r"\s+",
        header=None,
        names=["master_id", "customer_id", "date", "quantity", "amount"],
        dtype={"customer_id": str, "date": str},
    )
    lines["date"] = pd.to_datetime(lines["date"], format="%Y%m%d")
    return lines.groupby(["customer_id", "date"], as_index=False)["amount"].sum()


def _summary(days: pd.DataFrame) -> pd.DataFrame:
    """One row a customer, in weeks to the last included day, with what they bought in the 39 weeks after."""
    known = days[days["date"] <= CALIBRATION_END]
    first = known.groupby("customer_id")["date"].min().rename("first")
    known = known.join(first, on="customer_id")
    repeats = known[known["date"] > known["first"]].groupby("customer_id")
    summary = pd.DataFrame(
        {
            "frequency": repeats.size(),
            "recency": (repeats["date"].max() - first).dt.days / 7,
            "monetary_value": repeats["amount"].mean(),
        },
        index=first.index,
    ).fillna(0.0)
    summary["T"] = (CALIBRATION_END - first).dt.days / 7
    later = days[days["date"] > CALIBRATION_END].groupby("customer_id").size()
    summary["holdout"] = later.reindex(summary.index, fill_value=0)
    return summary


@pytest.fixture(scope="session")
def cdnow() -> pd.DataFrame:
    """The 2,357 customers of the CDNOW sample; index: their number in the sample, as in the papers."""
    return _summary(_purchase_days())


@pytest.fixture(scope="session")
def lifetimes() -> ModuleType:
    """The archived reference implementation; its import trips over what pandas has deprecated since."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_module("lifetimes")
