"""Spark's dialect of the Ibis expressions; where Ibis' own differs from DuckDB's, it is put right."""

import re
import warnings
from typing import Any

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.schema as sch
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.base import SQLGlotCompiler
from ibis.backends.sql.compilers.pyspark import PySparkCompiler
from ibis.backends.sql.datatypes import PySparkType
from ibis.formats.pandas import PandasData
from pyspark.sql import DataFrame
from pyspark.sql import functions as f
from pyspark.sql.types import IntegerType, TimestampType

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas")
    from ibis.backends.pyspark import Backend
    from ibis.backends.pyspark.datatypes import PySparkType as FromSpark

# What DuckDB takes for a date as text, in Java's words; Spark alone would take 12:30 for today at half past.
_DATE = r"^([0-9]{4,6})([-/ \\])([0-9]{1,2})\2([0-9]{1,2})"
_LOCAL = _DATE + r"(?:(?: +|T)(?=[0-9]{1,2}:[0-9:.]+$)|$)"
_OFFSET = r"(Z|[+-][0-9]{2}(?::?[0-9]{2}(?::[0-9]{2})?)?)"
_PLACE = r" +((?!Z$)[A-Za-z].*)"
_ZONED = _DATE + r"(?: +|T)([0-9]{1,2}:[0-9]{1,2})((?::[0-9.]+)?)" + f"(?:{_OFFSET}|{_PLACE})$"
_SECONDS = 6  # the group of _ZONED that may be empty
_JAVA_NUMBER = r"(?i)[0-9.][df]\s*$|x"  # 1d, 1f, 0x1p3


class Types(PySparkType):
    """Times without a zone are wall clocks, times with one are instants; Ibis' Spark knows instants only."""

    @classmethod
    def _from_ibis_Timestamp(cls, dtype: dt.Timestamp) -> sge.DataType:  # noqa: N802
        kind = sge.DataType.Type
        return sge.DataType(this=kind.TIMESTAMPNTZ if dtype.timezone is None else kind.TIMESTAMPLTZ)


class Compiler(PySparkCompiler):
    """Ibis' compiler for Spark, corrected."""

    __slots__ = ()
    type_mapper = Types
    visit_IsNull = SQLGlotCompiler.visit_IsNull  # noqa: N815  NaN is not null
    visit_NotNull = SQLGlotCompiler.visit_NotNull  # noqa: N815

    def visit_Strip(self, op: ops.Strip, *, arg: Any) -> Any:  # noqa: ARG002, N802
        r"""Strip blanks: Ibis writes ``\v`` and ``\f``, which Spark reads as the letters v and f."""
        blanks = self.f.concat(*(self.f.char(code) for code in (32, 9, 10, 11, 12, 13)))
        return sge.Trim(this=arg, expression=blanks)

    def visit_RegexReplace(  # noqa: N802
        self, op: ops.RegexReplace, *, arg: Any, pattern: Any, replacement: Any
    ) -> Any:
        r"""Replace, with the groups written as Java does: ``$1``, not ``\1``."""
        if not isinstance(op.replacement, ops.Literal):
            return super().visit_RegexReplace(op, arg=arg, pattern=pattern, replacement=replacement)
        java = re.sub(r"\\([0-9])", r"$\1", op.replacement.value.replace("$", r"\$"))
        return self.f.regexp_replace(arg, pattern, sge.convert(java))

    def visit_IsInf(self, op: ops.IsInf, *, arg: Any) -> Any:  # noqa: N802
        """Tell infinity, which Ibis compares while it compiles and so never finds."""
        return self.f.abs(arg).eq(self.POS_INF) if op.arg.dtype.is_floating() else sge.false()

    def visit_TryCast(self, op: ops.TryCast, *, arg: Any, to: Any) -> Any:  # noqa: N802
        """Read as numbers and times what DuckDB reads as such."""
        if not op.arg.dtype.is_string():
            return super().visit_TryCast(op, arg=arg, to=to)
        if to.is_timestamp():
            readable, text = _zoned(self, arg) if to.timezone is not None else _local(self, arg)
            return self.if_(readable, super().visit_TryCast(op, arg=text, to=to), sge.null())
        plain = super().visit_TryCast(op, arg=arg, to=to)
        return self.if_(_matches(arg, _JAVA_NUMBER), sge.null(), plain) if to.is_floating() else plain


def _matches(text: Any, pattern: str) -> Any:
    return sge.RegexpLike(this=text, expression=sge.convert(pattern))


def _local(compiler: Compiler, text: Any) -> tuple[Any, Any]:
    plain = compiler.f.regexp_replace(text, sge.convert(_LOCAL), sge.convert("$1-$3-$4 "))
    return _matches(text, _LOCAL), plain


def _zoned(compiler: Compiler, text: Any) -> tuple[Any, Any]:
    """Write the seconds, which Spark wants before a zone."""
    pattern = sge.convert(_ZONED)
    lacks_seconds = compiler.f.regexp_extract(text, pattern, sge.convert(_SECONDS)).eq("")
    written = (sge.convert("$1-$3-$4 $5:00$7 $8"), sge.convert("$1-$3-$4 $5$6$7 $8"))
    return _matches(text, _ZONED), compiler.f.regexp_replace(
        text, pattern, compiler.if_(lacks_seconds, *written)
    )


class SparkBackend(Backend):
    """Ibis' Spark backend with this dialect; results come through Arrow, typed as DuckDB's are."""

    compiler = Compiler()

    def get_schema(
        self, table_name: str, *, catalog: str | None = None, database: str | None = None
    ) -> sch.Schema:
        """Return a table's schema; instants keep their zone, UTC."""
        qualified = ".".join(part for part in (catalog, database, table_name) if part)
        fields = self._session.table(qualified).schema.fields
        return sch.Schema({field.name: _ibis_type(field.dataType) for field in fields})

    def execute(self, expr: ir.Expr, /, *, params: Any = None, limit: Any = None, **kwargs: Any) -> Any:
        """Compute an expression and hand it over to pandas."""
        self._run_pre_execute_hooks(expr)
        table = expr.as_table()
        found = self.raw_sql(self.compile(table, params=params, limit=limit, **kwargs)).toArrow()
        columns = {name: _values(found[name]) for name in found.column_names}
        return expr.__pandas_result__(PandasData.convert_table(pd.DataFrame(columns), table.schema()))


def _values(column: pa.ChunkedArray) -> Any:
    """Return whole numbers with gaps as objects, as Ibis does for DuckDB: floats would round them."""
    return column.to_pylist() if column.null_count else column.to_pandas()


def _ibis_type(kind: Any) -> dt.DataType:
    return dt.Timestamp(timezone="UTC") if isinstance(kind, TimestampType) else FromSpark.to_ibis(kind)


def as_typed(frame: DataFrame, schema: sch.Schema) -> DataFrame:
    """Widen what Spark counts in 32 bits and Ibis says is 64 wide, such as row numbers."""
    narrow = [
        field.name
        for field in frame.schema
        if isinstance(field.dataType, IntegerType) and schema[field.name].is_int64()
    ]
    return (
        frame.withColumns({name: f.col(f"`{name}`").cast("bigint") for name in narrow}) if narrow else frame
    )


SparkBackend.register_options()  # which Ibis does for the backends that it finds itself
