"""A shop with published runs that no model made: the report needs their files, not their training."""

import hashlib
import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd

from models.segments import LIFECYCLES
from pipelines.demo import cdnow_log

BEFORE, AS_OF, HORIZON = "1998-01-01", "1998-04-01", 90
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
OTHERS = """\
[tables.customers]
source = "customers.csv"
attributes = ["nps_score"]
[tables.customers.columns]
customer_id = "who"
valid_from = "known"
acquisition_channel = "channel"
acquisition_cost = "cost"
referred_by = "friend"
[tables.events]
source = "events.csv"
columns = { customer_id = "who", occurred_at = "at", event_type = "what" }
"""
NOTE = "note"
"""Under which a row of a `Page` has the text that stands below it."""
RULES = {
    "tier_edges": [0.5, 0.8], "recency_days": [7, 14, 28], "new_days": 60, "loyal_orders": 4,
    "premium_value": 80.0, "churned_days": 200, "rfm_edges": {name: [1.0, 2.0, 3.0, 4.0] for name in "rfm"},
    "slack": 0.1, "min_stay": 14,
}  # fmt: skip


def write_shop(folder: Path, language: str = "en", *, others: bool = False) -> Path:
    """Write a tenth of CDNOW's log, a config and two runs; return the config's path.

    With `others`, also a customers table, which says of every other customer who referred them, and events.
    """
    log = cdnow_log()
    log = log[log["customer_id"].str.endswith("7")]
    log = log.assign(product=np.where(log["cds"] > 2, HOSTILE, "disc " + log["cds"].astype(str)))
    log.to_csv(folder / "orders.csv", index=False)
    write_runs(folder / "out", log)
    config = CONFIG.format(language=language)
    if others:
        write_others(folder, log)
        config += OTHERS
    (folder / "repurchase.toml").write_text(config, "utf-8")
    return folder / "repurchase.toml"


def write_others(folder: Path, log: pd.DataFrame) -> None:
    """Of the customers, a tenth has no row, and a fifth no answer; what is known too late must not count."""
    who = pd.Series(sorted(set(log["customer_id"])))
    who, place = who[who.index % 10 > 0].reset_index(drop=True), np.arange((who.index % 10 > 0).sum())
    table = pd.DataFrame(
        {
            "who": who,
            "known": "1997-01-01",
            "channel": np.where(place % 3 == 0, "search", "friends"),
            "cost": np.where(place % 4 == 0, np.nan, 2.5 + place % 7),
            "friend": np.where(place % 2 == 0, "0001", ""),
            "nps_score": np.where(place % 5 == 0, np.nan, place % 11),
        }
    )
    late = table.head(50).assign(known="1998-05-01", channel="late", cost=999.0)
    pd.concat([table, late]).to_csv(folder / "customers.csv", index=False)
    kinds = np.array(["order_tracking", "support_chat", "page_view"])
    events = pd.DataFrame({"who": who, "at": "1997-06-01", "what": kinds[place % 3]})
    later = events.head(90).assign(at="1998-06-01")
    pd.concat([events, events.assign(at="1998-02-01"), later]).to_csv(folder / "events.csv", index=False)


def write_runs(output: Path, log: pd.DataFrame) -> None:
    """Publish scores and groups that follow from the log by simple sums, at two dates."""
    before = made_scores(log, BEFORE)
    groups = made_groups(before, 3)
    publish(output, BEFORE, log, before, groups, None)
    scores = made_scores(log, AS_OF)
    now = made_groups(scores, 1)
    publish(output, AS_OF, log, scores, now, groups)
    (output / "latest").symlink_to(Path("runs") / run_id(AS_OF))


def run_id(as_of: str) -> str:
    return as_of.replace("-", "") + "-made"


def publish(
    output: Path,
    as_of: str,
    log: pd.DataFrame,
    scores: pd.DataFrame,
    now: pd.DataFrame,
    then: pd.DataFrame | None,
) -> None:
    run = output / "runs" / run_id(as_of)
    run.mkdir(parents=True)
    scores.to_parquet(run / "scores.parquet")
    now.to_parquet(run / "segments.parquet")
    listed = made_list(scores)
    listed.to_csv(run / "risk_list.csv", index=False)
    made_reasons(listed).to_parquet(run / "reasons.parquet")
    manifest = made_manifest(run, as_of, scores, listed, len(log))
    manifest["segments"] = {
        "rules": RULES,
        "before": None if then is None else run_id(BEFORE),
        "counts": {axis: now[axis].value_counts().to_dict() for axis in AXES},
        "migration": made_moves(now, then),
        "recency_fit": None,
    }
    (run / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    (output / "scores").mkdir(exist_ok=True)
    (output / "scores" / f"as_of={as_of}").symlink_to(Path("..") / "runs" / run.name)


AXES = ("risk_group", "recency_group", "lifecycle")


def made_scores(log: pd.DataFrame, as_of: str) -> pd.DataFrame:
    known = log[log["date"] < as_of]
    spend = known.groupby("customer_id")["amount"].sum()
    silent = (pd.Timestamp(as_of) - known.groupby("customer_id")["date"].max()).dt.days
    p = 1 / (2 + np.arange(len(spend)) % 7)
    return pd.DataFrame(
        {
            "customer_id": spend.index,
            "status": np.where(np.arange(len(spend)) % 10 == 0, "already_lapsed", "scored"),
            "risk_tier": np.select([p < 0.2, p < 0.4], ["high", "medium"], "low"),
            "total_spend": spend.to_numpy(),
            "days_since_last_order": silent.to_numpy(),
            f"p_churn_{HORIZON}d": 1 - p,
            f"expected_orders_{HORIZON}d": p,
            f"expected_spend_{HORIZON}d": p * spend.to_numpy() / 4,
            "value_at_risk": (1 - p) * spend.to_numpy() / 4,
            "clv_365d": p * spend.to_numpy(),
            "clv_to_cac": np.nan,
            "payback_days": np.nan,
        }
    )


def made_groups(scores: pd.DataFrame, step: int) -> pd.DataFrame:
    place = np.arange(len(scores))
    names = np.array(LIFECYCLES, dtype=object)
    days = scores["days_since_last_order"]
    recency = pd.cut(days, [-1, 7, 14, 28, 10_000], labels=["0-7", "8-14", "15-28", "29+"])
    return pd.DataFrame(
        {
            "customer_id": scores["customer_id"],
            "risk_group": scores["risk_tier"],
            "recency_group": recency.astype(str),
            "lifecycle": names[(place * step) % 5],
            "r": 1 + place % 5,
            "f": 1 + place // 5 % 5,
        }
    )


def made_moves(now: pd.DataFrame, then: pd.DataFrame | None) -> list[dict[str, object]]:
    """Count moves: of those who moved, every other one by behaviour."""
    if then is None:
        then = now.head(0)
    both = now.merge(then, on="customer_id", how="outer", suffixes=("", "_then"))
    found = []
    for axis in AXES:
        before, after = both[f"{axis}_then"].fillna("-"), both[axis].fillna("-")
        why = np.where(np.arange(len(both)) % 2 == 0, "behaviour", "time")
        why = np.select([before == "-", before == after], ["arrived", ""], why)
        table = pd.DataFrame({"axis": axis, "before": before, "after": after, "why": why})
        counts = table.groupby([*table.columns]).size().rename("customers").reset_index()
        found += counts.to_dict("records")
    return found


def made_list(scores: pd.DataFrame) -> pd.DataFrame:
    """List thirty, of whom each tenth is left alone; the dearest of them has a hostile name."""
    top = scores.nlargest(30, "value_at_risk").reset_index(drop=True)
    top.loc[0, "customer_id"] = HOSTILE
    reasons = {"reason_1": "too <b>quiet</b>", "reason_2": "", "reason_3": ""}
    days = {"next_order_p50": "1998-05-01"}
    worth = {"net_value": top["value_at_risk"] * 0.03 - 1, "highest_offer": top["value_at_risk"] * 0.2}
    group = np.where(np.arange(30) % 10 == 9, "control", "contact")
    return top.assign(rank=range(1, 31), **days, **reasons, campaign="list", group=group, **worth)


def made_reasons(listed: pd.DataFrame) -> pd.DataFrame:
    feature = np.where(np.arange(len(listed)) % 3 == 0, "n_orders", "days_since_last_order")
    return pd.DataFrame(
        {"customer_id": listed["customer_id"], "place": 1, "feature": feature, "contribution": -0.5}
    )


def made_manifest(
    run: Path, as_of: str, scores: pd.DataFrame, listed: pd.DataFrame, rows: int
) -> dict[str, object]:
    spend = float(scores[f"expected_spend_{HORIZON}d"].sum())
    acting = scores[(scores["status"] == "scored") & (scores["risk_tier"] != "low")]
    digest = "sha256:" + hashlib.sha256(b"none").hexdigest()
    files = {path.name: {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()} for path in run.iterdir()}
    files["scores.parquet"]["rows"] = len(scores)
    return {
        "run_id": run.name,
        "as_of": as_of,
        "hindsight": False,
        "config": {
            "target": {"horizons": [HORIZON]},
            "economics": {"margin": 0.3, "save_rate": 0.1},
        },
        "campaign": {"id": "list", "share": 0.1, "cost": 1.0},
        "model": {
            "name": "repurchase", "version": "3", "digest": digest, "recipe": "blend",
            "trained_until": "1998-01-01",
        },
        "files": files,
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
        "warnings": [
            {"code": "made", "text": f"look at {HOSTILE}"},
            {
                "code": "log_end", "text": "the log ends before 1998-03-20; …",
                "numbers": {"days": 12, "allowed": 1, "end": "1998-03-20", "as_of": as_of},
            },
        ],
    }  # fmt: skip


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
        elif tag == "tr" and len(self._cells) == 1 < len(self._head):
            self.tables[self._name][-1][NOTE] = self._cells[0]
        elif tag == "tr":
            self.tables[self._name].append(dict(zip(self._head, self._cells, strict=True)))

    def figures(self) -> dict[str, str]:
        """The numbers of the boxes, by what they are."""
        pairs = [*zip(self._of("dt"), self._of("dd"), strict=True)]
        return dict(reversed(pairs))  # terms that are explained in the end have the names of some

    def _of(self, tag: str) -> Iterator[str]:
        places = [name for name, _ in self.tags if name in ("td", "th", "p", "dd", "dt", "h1", "h2", "text")]
        return (text for name, text in zip(places, self.texts, strict=True) if name == tag)
