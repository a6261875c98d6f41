"""The fixed set of features, and whether two builds of it agree."""

from pathlib import Path

import duckdb

WHOLE = (
    "frequency", "recency", "T", "n_orders", "days_since_last_order", "last_gap", "longest_gap",
    "orders_28d", "orders_90d", "orders_365d", "n_products",
)  # fmt: skip
FLOATS = (
    "monetary_value", "total_spend", "average_order_value", "mean_gap", "gap_spread", "silent_cycles",
    "days_overdue", "spend_28d", "spend_90d", "spend_365d", "weekend_share", "items_per_order",
    "refund_share", "first_order_value",
)  # fmt: skip
FIXED = WHOLE + FLOATS
FOUR = ("frequency", "recency", "T", "monetary_value")


def disagreements(
    one: Path, other: Path, names: tuple[str, ...] = FIXED, where: str = "true"
) -> dict[str, int]:
    """Count, for each feature, the customers on whom two Parquet files differ.

    Whole numbers must be the same, the rest to 1e-9 (relative, or absolute below 1), and null where the other
    is. `where` may restrict the customers by features of `one`. A customer whom one side lacks counts under
    ``customer_id``; empty if the files agree.
    """
    kind = "full" if where == "true" else "left"
    counts = ["count_if(a.customer_id is null or b.customer_id is null) as customer_id"]
    counts += [f'count_if({_differ(name)} and a.customer_id = b.customer_id) as "{name}"' for name in names]
    query = f"""
        select {", ".join(counts)}
        from (from read_parquet('{one}') where {where}) as a
        {kind} join read_parquet('{other}') as b on a.customer_id = b.customer_id
    """  # noqa: S608
    with duckdb.connect() as engine:
        found = engine.execute(query)
        columns = [column[0] for column in found.description]
        return {name: n for name, n in zip(columns, found.fetchall()[0], strict=True) if n}


def _differ(name: str) -> str:
    one, other = f'cast(a."{name}" as double)', f'cast(b."{name}" as double)'
    if name in WHOLE:
        return f"{one} is distinct from {other}"
    near = f"abs({one} - {other}) <= 1e-9 * greatest(1, abs({one}))"
    return f"not coalesce({near}, {one} is null and {other} is null)"
