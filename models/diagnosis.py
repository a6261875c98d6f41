"""Why data do not identify the parameters of a model, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from models.likelihood import LEAST_INFORMATION, RUN_AWAY

if TYPE_CHECKING:
    from models.likelihood import Optimum

_PART = 0.3
"""A parameter belongs to a ridge if it makes up this much of its direction."""


def diagnose(optimum: Optimum, names: tuple[str, ...], runaways: Mapping[str, tuple[str, str]]) -> list[str]:
    """Say what ran away, and which parameters the data know only together.

    Parameters
    ----------
    optimum : Optimum
        That did not converge.
    names : tuple of str
        Of the parameters.
    runaways : Mapping[str, (str, str)]
        What it means if a parameter runs to 0, and to infinity.
    """
    said = []
    for name, value in zip(names, optimum.log_params, strict=True):
        low, high = runaways.get(name, ("", ""))
        if value <= -RUN_AWAY:
            said.append(f"{name} runs to 0" + (f": {low}" if low else ""))
        if value >= RUN_AWAY:
            said.append(f"{name} runs to infinity" + (f": {high}" if high else ""))
    sizes, directions = np.linalg.eigh(optimum.information)
    ridge = " and ".join(n for n, part in zip(names, directions[:, 0], strict=True) if abs(part) > _PART)
    if sizes[0] < LEAST_INFORMATION:
        said.append(
            f"the likelihood is flat along {ridge}: "
            "the data are as likely with other values, if these change in step"
        )
    return said or [f"the likelihood rises along {ridge} without coming to a peak"]
