"""Where the rows of a table went."""

from dataclasses import dataclass


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

    def lines(self, of: str = "rows") -> list[str]:
        """Say it for people."""
        aside = ", ".join(f"{reason} {n:,}" for reason, n in self.rows_quarantined.items()) or "none"
        netted = f"; {self.rows_netted:,} of the used are refunds or cancellations" if of == "rows" else ""
        return [
            f"{of}: {self.rows_in:,} read = {self.rows_used:,} used + {self.rows_in - self.rows_used:,} "
            f"set aside ({aside}){netted}"
        ]
