"""The CDNOW sample, on which the papers' numbers rest."""

from importlib.util import find_spec
from pathlib import Path

import pandas as pd


def purchase_days() -> pd.DataFrame:
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
