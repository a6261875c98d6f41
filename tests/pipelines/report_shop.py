"""A shop with a published run that no model made: the report needs its files, not its training."""

import hashlib
import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.demo import cdnow_log

AS_OF, HORIZON = "1998-04-01", 90
HOSTILE = '<script>alert("1")</script>&=1+1'
CONFIG = """\
[project]
name = "discs"
currency = "USD"
language = "{language}"
[tables.transactions]
source = "orders.csv"
columns = {{ customer_id = "customer_id", ordered_at = "date", product_id = "product", amount = "amount" }}
"""


def write_shop(folder: Path, language: str = "en") -> Path:
    """Write a tenth of CDNOW's log, a config and a run; return the config's path."""
    log = cdnow_log()
    log = log[log["customer_id"].str.endswith("7")]
    log = log.assign(product=np.where(log["cds"] > 2, HOSTILE, "disc " + log["cds"].astype(str)))
    log.to_csv(folder / "orders.csv", index=False)
    write_run(folder / "out", log)
    (folder / "repurchase.toml").write_text(CONFIG.format(language=language), "utf-8")
    return folder / "repurchase.toml"


def write_run(output: Path, log: pd.DataFrame) -> None:
    """Publish scores that follow from the log by simple sums."""
    run = output / "runs" / "19980401-made"
    run.mkdir(parents=True)
    scores = made_scores(log)
    scores.to_parquet(run / "scores.parquet")
    made_list(scores).to_csv(run / "risk_list.csv", index=False)
    (run / "manifest.json").write_text(json.dumps(made_manifest(run, scores, len(log))), "utf-8")
    (output / "scores").mkdir()
    (output / "scores" / f"as_of={AS_OF}").symlink_to(Path("..") / "runs" / run.name)
    (output / "latest").symlink_to(Path("runs") / run.name)


def made_scores(log: pd.DataFrame) -> pd.DataFrame:
    known = log[log["date"] < AS_OF]
    spend = known.groupby("customer_id")["amount"].sum()
    p = 1 / (2 + np.arange(len(spend)) % 7)
    return pd.DataFrame(
        {
            "customer_id": spend.index,
            "status": np.where(np.arange(len(spend)) % 10 == 0, "already_lapsed", "scored"),
            "risk_tier": np.select([p < 0.2, p < 0.4], ["high", "medium"], "low"),
            "total_spend": spend.to_numpy(),
            f"p_churn_{HORIZON}d": 1 - p,
            f"expected_orders_{HORIZON}d": p,
            f"expected_spend_{HORIZON}d": p * spend.to_numpy() / 4,
            "value_at_risk": (1 - p) * spend.to_numpy() / 4,
            "clv_365d": p * spend.to_numpy(),
            "clv_to_cac": np.nan,
            "payback_days": np.nan,
        }
    )


def made_list(scores: pd.DataFrame) -> pd.DataFrame:
    """List the first thirty; the dearest of them has a hostile name."""
    top = scores.nlargest(30, "value_at_risk").reset_index(drop=True)
    top.loc[0, "customer_id"] = HOSTILE
    reasons = {"reason_1": "too <b>quiet</b>", "reason_2": "", "reason_3": ""}
    days = {"days_since_last_order": 17, "next_order_p50": "1998-05-01"}
    return top.assign(rank=range(1, 31), **days, **reasons)


def made_manifest(run: Path, scores: pd.DataFrame, rows: int) -> dict[str, object]:
    spend = float(scores[f"expected_spend_{HORIZON}d"].sum())
    acting = scores[(scores["status"] == "scored") & (scores["risk_tier"] != "low")]
    digest = "sha256:" + hashlib.sha256(b"none").hexdigest()
    return {
        "run_id": run.name,
        "as_of": AS_OF,
        "hindsight": False,
        "model": {"version": "3", "digest": digest, "recipe": "blend", "trained_until": "1998-03-01"},
        "files": {"scores.parquet": {"rows": len(scores)}},
        "inputs": {
            "transactions": {
                "rows_in": rows + 2,
                "rows_used": rows,
                "rows_netted": 0,
                "rows_quarantined": {"no_date": 2},
                "rows_not_yet_known": 5,
            }
        },
        "drift": {"known": True, "columns": [{"column": "T", "verdict": "drifted"}]},
        "outlook": {
            "days": HORIZON,
            "buyers": float(scores[f"expected_orders_{HORIZON}d"].sum()),
            "orders": float(scores[f"expected_orders_{HORIZON}d"].sum()),
            "spend": spend,
            "spend_lo": spend * 0.8,
            "spend_hi": spend * 1.2,
        },
        "to_act_on": {"customers": len(acting), "value_at_risk": float(acting["value_at_risk"].sum())},
        "warnings": [{"code": "made", "text": f"look at {HOSTILE}"}],
    }


class Page(HTMLParser):
    """A page's tables by caption (heading to cell, a row a dict), its texts, and its tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, list[dict[str, str]]] = {}
        self.texts: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._name, self._head, self._cells = "", list[str](), list[str]()
        self.feed(text)
        self.texts = [found.strip() for found in self.texts]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "table":
            self._name, self._head = str(dict(attrs)["aria-label"]), []
            self.tables[self._name] = []
        if tag == "tr":
            self._cells = []
        if tag in ("td", "th", "p", "dd", "dt", "h1", "h2", "text"):
            self.texts.append("")
            self._cells.append("")

    def handle_data(self, data: str) -> None:
        if self.texts:
            self.texts[-1] += data
        if self._cells:
            self._cells[-1] += data.strip()

    def handle_endtag(self, tag: str) -> None:
        if tag == "tr" and not self._head:
            self._head = self._cells
        elif tag == "tr":
            self.tables[self._name].append(dict(zip(self._head, self._cells, strict=True)))

    def figures(self) -> dict[str, str]:
        """The numbers of the boxes, by what they are."""
        pairs = [*zip(self._of("dt"), self._of("dd"), strict=True)]
        return dict(reversed(pairs))  # terms that are explained in the end have the names of some

    def _of(self, tag: str) -> Iterator[str]:
        places = [name for name, _ in self.tags if name in ("td", "th", "p", "dd", "dt", "h1", "h2", "text")]
        return (text for name, text in zip(places, self.texts, strict=True) if name == tag)
