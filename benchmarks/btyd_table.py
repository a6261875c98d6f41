"""The figures of one data set as a table: a column a contender, seconds and how many times ours."""

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.btyd_libraries import HORIZON

WIDTH = 20
MB = 1e6

STEPS = {
    "fit": "fit of BG/NBD",
    "fit_spend": "fit of Gamma-Gamma",
    "alive": "P(alive)",
    "orders": f"purchases in {HORIZON} days",
    "buys": f"P(≥1 in {HORIZON} days) *",
    "clv": "12-month CLV",
    "predictions": "all predictions",
}
NOTE = (
    "* Ours alone: lifetimes and clvkit have none that knows the history, pymc-marketing's is wrong for\n"
    "  one-time buyers. It is in our sum and in nobody else's."
)
OTHERS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "peak memory, MB": lambda of: f"{of['median']['peak_bytes'] / MB:,.0f}",
    "  before it began": lambda of: f"{of['median']['start_bytes'] / MB:,.0f}",
    "log-likelihood": lambda of: f"{of['loglik']['fit']:,.3f}",
    "  behind ours": lambda of: f"{of['behind_ours']['fit']:.1e}",
    "  spend, behind ours": lambda of: f"{of['behind_ours']['fit_spend']:.1e}",
    "P(alive) differs by": lambda of: _apart(of["differences"]["alive"]),
    "purchases differ by": lambda of: _apart(of["differences"]["orders"]),
    "CLV differs by": lambda of: _apart(of["differences"]["clv"]),
    "CLV of all": lambda of: f"{of['differences']['clv']['total']:,.0f}",
    "rounds": lambda of: str(len(of["turns"])),
}


def table(label: str, facts: Mapping[str, Any]) -> str:
    """Lay out one data set; `differs by` is the largest relative difference to us at its own parameters."""
    contenders = facts["contenders"]
    rows = [
        f"{label}: {facts['customers']:,} customers, {facts['distinct']:,} distinct (x, t_x, T), "
        f"{facts['share_distinct']:.1%}",
        _row("seconds (times ours)", contenders),
    ]
    rows += [_row(words, (_seconds(of, step) for of in contenders.values())) for step, words in STEPS.items()]
    rows += [_row(words, (_cell(cell, of) for of in contenders.values())) for words, cell in OTHERS.items()]
    rows += [
        f"{name}, {step}: {error}" for name, of in contenders.items() for step, error in of["errors"].items()
    ]
    return "\n".join([*rows, NOTE])


def _row(words: str, cells: Any) -> str:
    return f"{words:22}" + "".join(f"{cell:>{WIDTH}}" for cell in cells)


def _seconds(of: Mapping[str, Any], step: str) -> str:
    if step in of["errors"]:
        return "failed"
    if step not in of["median"]["seconds"]:
        return "–"
    ratio = of["ratio"]["seconds"][step]
    return f"{of['median']['seconds'][step]:.3g} (×{ratio:.3g})"


def _cell(cell: Callable[[Mapping[str, Any]], str], of: Mapping[str, Any]) -> str:
    try:
        return cell(of)
    except KeyError:  # what failed, or what came of it
        return "–"


def _apart(found: Mapping[str, float]) -> str:
    missing = f", {found['no_number']:,} not a number" if found["no_number"] else ""
    return f"{found['largest']:.0e}{missing}"
