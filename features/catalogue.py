"""The catalogue: every feature there is, in column order, and which of them a shop's tables allow."""

from collections.abc import Collection, Sequence

from features.attributes import attributes as attributes_of
from features.basket import basket
from features.cadence import cadence
from features.contacts import contacts
from features.feature import Feature
from features.journey import journey
from features.rfm import WINDOWS, rfm
from features.tenure import tenure


def catalogue(
    horizons: Sequence[int] = (),
    has: Collection[str] | None = (),
    attributes: Sequence[tuple[str, str]] = (),
) -> tuple[Feature, ...]:
    """Return the features in column order.

    Parameters
    ----------
    horizons : sequence of int
        Configured horizons; each gets a trailing window of its length, beside the standard windows.
    has : collection of str, optional
        Optional input columns that are there (`features.records.Records`); None for all of them.
    attributes : sequence of (str, str)
        Attributes of the customers, with ``"number"`` or ``"category"``.

    Examples
    --------
    >>> [f.name for f in catalogue() if f.unit == "purchase cycles"]
    ['silent_cycles', 'purchase_cycles']
    >>> [f.name for f in catalogue(has={"product_id"}) if f.unit == "products"]
    ['n_products']
    """
    windows = sorted({*WINDOWS, *horizons})
    every = (
        *rfm(windows), *cadence(), *tenure(), *basket(), *journey(), *contacts(), *attributes_of(attributes),
    )  # fmt: skip
    return tuple(f for f in every if has is None or set(f.needs) <= set(has))


def visible_features(
    horizons: Sequence[int] = (),
    has: Collection[str] | None = (),
    attributes: Sequence[tuple[str, str]] = (),
) -> tuple[Feature, ...]:
    """Return the columns of the feature table: the catalogue without its intermediate parts."""
    return tuple(f for f in catalogue(horizons, has, attributes) if not f.is_part)
