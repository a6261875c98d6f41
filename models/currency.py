"""What is known of a currency by its code: whether it has cents, and what no purchase costs less than."""

NO_CENTS = "BIF CLP DJF GNF IDR ISK JPY KMF KRW LAK PYG RWF UGX UYI VND VUV XAF XOF XPF"
"""ISO 4217 codes with no minor unit, and those whose minor unit is no longer used (IDR, LAK)."""

THOUSANDS = ("IDR", "VND")
"""Where prices are often written in thousands, and nothing costs less than one thousand."""


def cents(currency: str | None) -> int:
    """Return how many decimals amounts are shown with.

    Examples
    --------
    >>> cents("VND"), cents("GBP"), cents(None)
    (0, 2, 2)
    """
    return 0 if (currency or "").upper() in NO_CENTS.split() else 2


def shown(value: float, currency: str | None) -> str:
    """Write an amount with its currency.

    Examples
    --------
    >>> shown(189_000.4, "VND"), shown(12.5, "GBP"), shown(12.5, None)
    ('189,000 VND', '12.50 GBP', '12.50')
    """
    return f"{value:,.{cents(currency)}f} {currency or ''}".rstrip()
