"""How tables are kept, and tables by name, each made when it is first asked for."""

from collections.abc import Callable, Iterator, Mapping

import ibis.expr.types as ir

Maker = Callable[[], ir.Table]

Keep = Callable[[ir.Table, str], ir.Table]
"""Computes a table once and gives it back as one that is there; the engine's business."""


def as_it_is(table: ir.Table, _name: str) -> ir.Table:
    """Keep nothing: the table stays an expression."""
    return table


class Parts(Mapping[str, ir.Table]):
    """A mapping whose tables are made at the first look, and remembered.

    Parameters
    ----------
    makers : Mapping[str, callable]
        How each table is made.
    """

    def __init__(self, makers: Mapping[str, Maker]) -> None:
        self._makers, self._made = dict(makers), dict[str, ir.Table]()

    def __getitem__(self, name: str) -> ir.Table:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._makers  # not made for the question

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)
