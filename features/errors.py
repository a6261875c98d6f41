"""The one error a user can cause: bad input."""


class ContractError(ValueError):
    """Input that breaks the contract; the message says what, where, how often, and what to do.

    Parameters
    ----------
    what : str
        The complaint in one sentence, with the file, column and count where they exist.
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
        super().__init__("; ".join(parts))
        self.what, self.example, self.hint = what, example, hint
