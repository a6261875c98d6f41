"""How satisfied customers are, where an attribute says so: what the mean and the NPS are made of."""

import ibis.expr.types as ir

from features.spellings import unaccented

WORDS = ("nps", "satisf", "csat", "hai long", "hai_long")
"""What the name of such an attribute holds, without accents."""
PROMOTER, DETRACTOR, TOP = 9, 6, 10
"""On a scale from 0 to 10, promoters give 9 or 10 and detractors 0 to 6 (Reichheld 2003)."""


def is_satisfaction(name: str) -> bool:
    """Whether an attribute's name speaks of satisfaction.

    Examples
    --------
    >>> is_satisfaction("NPS_2025"), is_satisfaction("Mức độ hài lòng"), is_satisfaction("tier")
    (True, True, False)
    """
    return any(word in unaccented(name).lower() for word in WORDS)


def satisfaction_counts(people: ir.Table, score: str, by: str | None = None) -> ir.Table:
    """Count answers.

    Parameters
    ----------
    people : ibis Table
        One row a customer.
    score : str
        The column of the answer; null for who gave none.
    by : str, optional
        The column of a group.

    Returns
    -------
    ibis Table
        ``group`` (where asked for), ``answers``, their ``total``, ``promoters, detractors, lowest, highest``.

    Examples
    --------
    >>> import ibis
    >>> people = ibis.memtable({"nps": [10.0, 9.0, 7.0, 3.0]})
    >>> satisfaction_counts(people, "nps").to_pandas().iloc[0].tolist()
    [4.0, 29.0, 2.0, 1.0, 3.0, 10.0]
    """
    given = people.filter(people[score].notnull())
    sums = {
        "answers": given.count(),
        "total": given[score].sum(),
        "promoters": (given[score] >= PROMOTER).cast("int64").sum(),
        "detractors": (given[score] <= DETRACTOR).cast("int64").sum(),
        "lowest": given[score].min(),
        "highest": given[score].max(),
    }
    return given.aggregate(**sums) if by is None else given.group_by(group=given[by]).agg(**sums)
