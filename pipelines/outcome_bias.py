"""Whether what the champion promised has come: the judgement of the newest outcome ledger."""

import csv
from datetime import date

from models.findings import Finding
from models.outcomes import COLUMNS, WITHIN
from pipelines.config import Config
from pipelines.outcome_files import newest_outcomes
from pipelines.version import DIGEST, Version


def judge_outcomes(config: Config, champion: Version, as_of: date) -> Finding | None:
    """Say if the champion's promises of buyers were off by more than the config allows, and than luck does.

    Looked at is the newest ledger that was closed by `as_of`, over all of the version's runs in it, at the
    primary horizon or, while none of that is over, the longest that is.

    Parameters
    ----------
    config : Config
        For ``[limits] max_outcome_bias`` and the output folder.
    champion : Version
        Which version is judged, by number and digest.
    as_of : date
        Ledgers of later dates are not looked at: they would be hindsight.

    Returns
    -------
    Finding or None
        None where promises were kept, or nothing of this version has matured yet.
    """
    path = newest_outcomes(config.output, as_of)
    if path is None:
        return None
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            reader = csv.DictReader(handle)
            lacking = set(COLUMNS) - set(reader.fieldnames or ())
            if lacking:
                raise ValueError(f"it has no {min(lacking)}")
            lines = [line for line in reader if _is_of(line, champion)]
        by_horizon = {int(line["horizon"]): line for line in lines}
        if not by_horizon:
            return None
        primary = config.target.primary_horizon
        horizon = primary if primary in by_horizon else max(by_horizon)
        return _judged(by_horizon[horizon], horizon, config.limits.max_outcome_bias, path.parent.name)
    except (OSError, ValueError, csv.Error) as error:
        text = f"{path}: cannot be read ({error}): run `repurchase outcomes` to write it anew"
        return Finding("warning", "outcomes", text)


def _is_of(line: dict[str, str], version: Version) -> bool:
    return (
        (line["by"], line["measure"]) == ("model_version", "buyers")
        and line["model_version"] == version.number
        and line["model_digest"] == version.tags.get(DIGEST)
    )


def _judged(line: dict[str, str], horizon: int, most: float, ledger: str) -> Finding | None:
    expected, came, low, high = (float(line[name]) for name in ("expected", "actual", "low", "high"))
    if line["verdict"] == WITHIN or expected <= 0 or abs(came / expected - 1) <= most:
        return None
    text = (
        f"version {line['model_version']} promised {expected:,.0f} buyers within {horizon} days, and "
        f"{came:,.0f} came: {came / expected - 1:+.0%}, where luck alone leaves {low:,.0f} to {high:,.0f}; "
        f"[limits] max_outcome_bias is {most:.0%} (outcomes/{ledger}): run `repurchase refresh`"
    )
    numbers = {"expected": expected, "actual": came, "low": low, "high": high, "horizon": horizon}
    return Finding("warning", "outcomes", text, numbers)
