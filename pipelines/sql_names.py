"""Names in SQL."""


def quoted(name: str) -> str:
    """Quote a name, so that it is taken literally.

    Examples
    --------
    >>> print(quoted('a "T" b'))
    "a ""T"" b"
    """
    return '"' + name.replace('"', '""') + '"'
