"""Which Ibis operations the features may use: each has been run on both engines and compared."""

from collections.abc import Iterable

import ibis.expr.operations as ops
import ibis.expr.types as ir

OPERATIONS = frozenset(
    {
        "Abs", "Add", "Aggregate", "And", "Any", "ArgMax", "ArgMin", "Cast", "Coalesce",
        "CountStar", "DatabaseTable", "Date", "DateDelta", "Distinct", "Divide", "DropColumns",
        "EndsWith", "Equals", "Field", "Filter", "First", "FloorDivide", "Greater", "GreaterEqual",
        "Greatest", "HexDigest", "IdenticalTo", "IfElse", "InValues", "IsInf", "IsNan", "IsNull",
        "JoinChain", "JoinLink", "JoinReference", "LPad", "Lag", "Lead", "Less", "LessEqual",
        "Limit", "Literal", "Lowercase", "Max", "Min", "Modulus", "Multiply", "Negate", "Not",
        "NotEquals", "NotNull", "NullIf", "Or", "Project", "RegexReplace", "RegexSearch", "Round",
        "RowNumber", "SearchedCase", "Sign", "Sort", "SortKey", "Sqrt", "StartsWith",
        "StringConcat", "StringLength", "Strip", "Substring", "Subtract", "Sum", "TimestampAdd",
        "TimestampSub", "TryCast", "Union", "Unnest", "WindowBoundary", "WindowFunction",
    }
)  # fmt: skip
"""A test keeps the features to these, and another one keeps these to what was run on Spark."""


def operations(tables: Iterable[ir.Table]) -> set[str]:
    """Name the operations in some tables' expressions."""
    return {type(node).__name__ for table in tables for node in table.op().find(ops.Node)}
