"""What may be shown of addresses and options: never a password, a key or a token."""

import re
from collections.abc import Mapping

_CREDENTIALS = re.compile(r"//\S*@")  # to the last @: a password may hold any sign
_QUERY = re.compile(
    r"([?&;][^=&;\s]*(?:pass|pwd|secret|token|key|sig|user)[^=&;\s]*=)[^&;\s]*", re.IGNORECASE
)
_SECRET = re.compile(r"pass|pwd|secret|token|credential|key|sig", re.IGNORECASE)
HIDDEN = "***"


def masked(text: str) -> str:
    """Hide credentials of every address in a text.

    Examples
    --------
    >>> masked("cannot reach postgresql://shop:s3/cr@t@db:5432/mlflow, twice")
    'cannot reach postgresql://***@db:5432/mlflow, twice'
    >>> masked("postgresql://db/mlflow?user=shop&password=s3cret&sslmode=require")
    'postgresql://db/mlflow?user=***&password=***&sslmode=require'
    """
    return _QUERY.sub(rf"\1{HIDDEN}", _CREDENTIALS.sub(f"//{HIDDEN}@", text))


def masked_options(options: Mapping[str, object]) -> dict[str, object]:
    """Hide the values of options whose names speak of secrets, and credentials in the others.

    Examples
    --------
    >>> masked_options({"spark.hadoop.fs.s3a.secret.key": "AKIA", "threads": 2})
    {'spark.hadoop.fs.s3a.secret.key': '***', 'threads': 2}
    """
    return {
        name: HIDDEN if _SECRET.search(name) else masked(value) if isinstance(value, str) else value
        for name, value in options.items()
    }
