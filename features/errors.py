"""The one error a user can cause: bad input."""

_LONGEST = 500
"""Signs of each part of a message: a name or a value of any length may be in it."""


class ContractError(ValueError):
    """Input that breaks the contract; the message says what, where, how often, and what to do.

    Parameters
    ----------
    what : str
        The complaint in one sentence, with the file, column and count where they exist. What no screen shows
        (control signs, marks that turn the line around) is written as an escape.
    example : object, optional
        A first offender, shown so that it can be found in the source.
    hint : str, optional
        What the user should do about it.

    Examples
    --------
    >>> raise ContractError("orders.csv: column 'amount' is missing", hint="did you mean 'total'?")
    Traceback (most recent call last):
    ...
    features.errors.ContractError: orders.csv: column 'amount' is missing; hint: did you mean 'total'?
    """

    def __init__(self, what: str, *, example: object = None, hint: str | None = None) -> None:
        parts = [what]
        if example is not None:
            parts.append(f"for example {example!r}")
        if hint is not None:
            parts.append(f"hint: {hint}")
        super().__init__("; ".join(_shown(part) for part in parts))
        self.what, self.example, self.hint = what, example, hint


def _shown(part: str) -> str:
    """Cut a part of a message to what can be read, and leave no sign in it that works on a screen."""
    cut = part if len(part) <= _LONGEST else f"{part[: _LONGEST - 40]} … {part[-30:]}"
    return "".join(sign if sign.isprintable() or sign == "\n" else ascii(sign)[1:-1] for sign in cut)
