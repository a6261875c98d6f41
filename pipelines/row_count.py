"""Where the rows of a table went."""

from dataclasses import dataclass

import pandas as pd

LEFT_OUT = "left_out"
"""The reason of rows that `[policy] leave_out` names."""


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
        Reason to rows that are set aside; among them those that ``[policy] leave_out`` asks for.
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

    @property
    def left_out(self) -> int:
        """Rows that are left out on purpose: nothing is wrong with them."""
        return self.rows_quarantined.get(LEFT_OUT, 0)

    @property
    def broken(self) -> dict[str, int]:
        """Reason to rows that were to be used and cannot be."""
        return {reason: n for reason, n in self.rows_quarantined.items() if reason != LEFT_OUT}

    @property
    def rows_wanted(self) -> int:
        """Rows that are not left out on purpose."""
        return self.rows_in - self.left_out

    def lines(self, of: str = "rows") -> list[str]:
        """Say it for people.

        Examples
        --------
        >>> RowCount(9, 5, 0, {"left_out": 3, "no_date": 1}).lines("orders")
        ['orders: 9 read = 5 used + 3 left out by [policy] leave_out + 1 set aside (no_date 1)']
        """
        asked = f" + {self.left_out:,} left out by [policy] leave_out" if self.left_out else ""
        aside = ", ".join(f"{reason} {n:,}" for reason, n in self.broken.items()) or "none"
        netted = f"; {self.rows_netted:,} of the used are refunds or cancellations" if of == "rows" else ""
        return [
            f"{of}: {self.rows_in:,} read = {self.rows_used:,} used{asked} + {sum(self.broken.values()):,} "
            f"set aside ({aside}){netted}"
        ]
