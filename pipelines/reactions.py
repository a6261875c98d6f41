"""What happens where a limit is passed: nothing, a warning, or the end of the run."""

from models.findings import Finding
from pipelines.config import Reaction
from pipelines.failures import NotReady


def react(finding: Finding | None, how: Reaction, key: str, accept: str) -> list[Finding]:
    """Let a finding pass as the config says.

    Parameters
    ----------
    finding : Finding or None
        None: the limit is kept.
    how : {"ignore", "warn", "fail"}
        What the config says.
    key : str
        Its key in ``[limits]``.
    accept : str
        What a person can do about it, beside setting the key.

    Returns
    -------
    list of Finding
        What is to be said.

    Raises
    ------
    NotReady
        If it is to fail.

    Examples
    --------
    >>> react(Finding("warning", "drift", "days moved"), "fail", "drift", "train again")
    Traceback (most recent call last):
    ...
    pipelines.failures.NotReady: days moved; hint: train again, or set [limits] drift = "warn"
    """
    if finding is None or how == "ignore":
        return []
    if how == "fail":
        raise NotReady(f'{finding.text}; hint: {accept}, or set [limits] {key} = "warn"')
    return [finding]
