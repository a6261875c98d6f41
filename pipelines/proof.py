"""The leak proof on a sample of the real log, before every training and every scoring run."""

from datetime import date

import ibis.expr.types as ir

from features.build import build_features
from features.history import make_history
from features.leaks import LeakFinding, prove_no_leak
from features.records import Records
from features.snapshot import sample_customers, take_snapshot
from pipelines.config import Config
from pipelines.engine import Engine, reading
from pipelines.purchase_log import PurchaseLog

SAMPLE = 500


class LeakFound(RuntimeError):
    """A feature moved when only the future was changed: a bug in a builder, never the user's doing."""


def prove_log(
    engine: Engine,
    log: PurchaseLog,
    config: Config,
    cutoff: date,
    customers: int = SAMPLE,
    *,
    for_one_date: bool = False,
) -> list[LeakFinding]:
    """Change the future of a sample of customers and demand the same features, bit by bit.

    `for_one_date` proves the build of scoring, which looks from one cutoff alone; else that of training.

    Raises
    ------
    LeakFound
        Naming the features that moved.
    """
    total = engine.number(log.lines.customer_id.nunique())
    share = customers / max(total, 1)
    sample = log.records.changed(
        lambda table, name: engine.keep(
            sample_customers(table, share, config.training.seed), f"proof_of_{name}"
        )
    )

    def build(changed: Records, at: date) -> ir.Table:
        kept = changed.changed(lambda table, name: engine.keep(table, f"proof_{name}"))
        history = make_history(
            kept, lambda table, name: engine.keep(table, f"proof_{name}"), at if for_one_date else None
        )
        return build_features(take_snapshot(history, [at]), config.target.horizons)

    with reading("the leak proof"):
        findings = prove_no_leak(sample, build, cutoff)
    for finding in findings:
        if finding.moved:
            raise LeakFound(f"features see the future ({finding.mutation}): {', '.join(finding.moved)}")
    return findings
