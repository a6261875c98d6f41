"""Which columns of the customers become features: none that knows the future, none that is sensitive."""

from collections import Counter

import ibis.expr.types as ir

from features.attributes import is_sensitive
from features.contracts import are_names, did_you_mean, own_columns
from features.doors import number_of, word
from features.errors import ContractError
from pipelines.config import OtherTable
from pipelines.console import Console
from pipelines.engine import Engine

Attributes = tuple[tuple[str, str], ...]

ODD_SHARE = 0.05
"""Of the filled texts of an attribute that is still a number: so many may be something else, and are lost.
One slip in an export must not turn a number that a model was trained on into text."""


def choose_attributes(
    engine: Engine, raw: ir.Table, section: OtherTable, table: str, console: Console
) -> Attributes:
    """Choose the attributes that may become features, and tell which may not, and why.

    What is said names columns and counts, never what a customer's row holds.

    Parameters
    ----------
    engine : Engine
        Counts what can be read as a number.
    raw : ibis Table
        The user's table.
    section : OtherTable
        Its section of the config.
    table : str
        Its name there: ``"customers"``.
    console : Console
        Where it is said.

    Returns
    -------
    tuple of (str, str)
        Column and ``"number"`` or ``"category"``, in the order of the config.

    Raises
    ------
    ContractError
        If an attribute is missing, named twice, mapped to a standard column as well, has no date and is not
        static, or is named as sensitive alone; if another table than the customers names any.
    """
    named = list(dict.fromkeys([*section.attributes, *section.static]))
    _refuse_slips(section, named, table)
    own = own_columns(raw)
    for name in named:
        if name not in own:
            raise ContractError(
                f"{section.source}: attribute {name!r} is missing among {len(own)} columns",
                example=own[0] if are_names(own) else None,
                hint=did_you_mean(name, own),
            )
    off = [n for n in named if is_sensitive(n) and n not in section.sensitive]
    if off:
        console.warn(
            f"{section.source}: {', '.join(off)}: sensitive, so not used; to use them all the same, name "
            "them in [tables.customers] sensitive"
        )
    used = [n for n in named if n not in off]
    _refuse_undated(used, section)
    return _with_kinds(engine, raw, used, section.source, console)


def _refuse_slips(section: OtherTable, named: list[str], table: str) -> None:
    """Refuse what the lists of attributes cannot mean."""
    lists = {"attributes": section.attributes, "static": section.static, "sensitive": section.sensitive}
    if table != "customers":
        every = [name for listed in lists.values() for name in listed]
        _refuse(section, every, f"named in [tables.{table}]", "only [tables.customers] has attributes")
    for key, listed in lists.items():
        twice = [n for n, count in Counter(listed).items() if count > 1]
        _refuse(section, twice, f"named twice in [tables.customers] {key}", "name each column once")
    mapped = [n for n in named if n in section.columns.values()]
    alone = [n for n in section.sensitive if n not in named]
    _refuse(
        section,
        mapped,
        "mapped in [tables.customers] columns as well",
        "take it out of attributes and static: what is mapped has features of its own",
    )
    _refuse(
        section,
        alone,
        "named in [tables.customers] sensitive alone",
        "sensitive allows what attributes or static name: " + did_you_mean(alone[0] if alone else "", named),
    )


def _refuse_undated(used: list[str], section: OtherTable) -> None:
    undated = [] if "valid_from" in section.columns else [n for n in used if n not in section.static]
    _refuse(
        section,
        undated,
        "without a date from which it is known; what is true today was not true last year",
        "map valid_from, or name those that never change in [tables.customers] static",
    )


def _refuse(section: OtherTable, wrong: list[str], what: str, hint: str) -> None:
    if wrong:
        every = {*section.attributes, *section.static, *section.sensitive}
        raise ContractError(
            f"{section.source}: of {len(every)} attributes, {len(wrong)} {what}", example=wrong[0], hint=hint
        )


def _with_kinds(engine: Engine, raw: ir.Table, used: list[str], source: str, console: Console) -> Attributes:
    """Say which attributes are numbers: text is, if nearly all of it can be read as one (`ODD_SHARE`)."""
    kinds = {n: "number" if _is_number(raw[n]) else "category" for n in used}
    texts = [n for n in used if raw[n].type().is_string()]
    for name, (filled, odd) in zip(texts, _count_texts(engine, raw, texts), strict=True):
        kinds[name] = "number" if odd <= ODD_SHARE * filled else "category"
        if odd and kinds[name] == "number":
            console.warn(f"{source}: {name}: {odd:,} of {filled:,} are no numbers, so taken as missing")
    return tuple(kinds.items())


def _is_number(column: ir.Value) -> bool:
    kind = column.type()
    return bool(kind.is_numeric() or kind.is_boolean())


def _count_texts(engine: Engine, raw: ir.Table, texts: list[str]) -> list[tuple[int, int]]:
    """Count, for each column of text, what is filled and what of that is no number."""
    if not texts:
        return []
    filled = {f"filled_{k}": word(raw[n]).count() for k, n in enumerate(texts)}
    numbers = {f"numbers_{k}": number_of(raw[n]).count() for k, n in enumerate(texts)}
    row = engine.frame(raw.aggregate(**filled, **numbers)).iloc[0]
    return [
        (int(row[f"filled_{k}"]), int(row[f"filled_{k}"] - row[f"numbers_{k}"])) for k in range(len(texts))
    ]
