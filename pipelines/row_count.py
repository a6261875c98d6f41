"""Where the rows of a table went."""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class RowCount:
    """Where the rows of a table went: ``rows_in = rows_used + sum(rows_quarantined)``.

    Parameters
    ----------
    rows_in, rows_used : int
        Rows of the source, and those that keep the contract.
    rows_netted : int
        Of the used: refunds and cancellations, which reduce what they refund.
    rows_quarantined : dict of str to int
        Reason to rows that are set aside.
    """

    rows_in: int
    rows_used: int
    rows_netted: int
    rows_quarantined: dict[str, int]

    @classmethod
    def of(cls, by_reason: pd.DataFrame) -> "RowCount":
        """Read it from rows ``reason`` (null: used), ``n`` and, where there are any, ``n_refunds``."""
        used = by_reason["reason"].isna()
        aside = by_reason[~used].sort_values("reason")
        return cls(
            rows_in=int(by_reason["n"].sum()),
            rows_used=int(by_reason.loc[used, "n"].sum()),
            rows_netted=int(by_reason.loc[used, "n_refunds"].sum()) if "n_refunds" in by_reason else 0,
            rows_quarantined={str(r): int(n) for r, n in zip(aside["reason"], aside["n"], strict=True)},
        )

    def lines(self, of: str = "rows") -> list[str]:
        """Say it for people."""
        aside = ", ".join(f"{reason} {n:,}" for reason, n in self.rows_quarantined.items()) or "none"
        netted = f"; {self.rows_netted:,} of the used are refunds or cancellations" if of == "rows" else ""
        return [
            f"{of}: {self.rows_in:,} read = {self.rows_used:,} used + {self.rows_in - self.rows_used:,} "
            f"set aside ({aside}){netted}"
        ]
