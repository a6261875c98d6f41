"""Who is to be let alone for now, for what the shop sent them of late."""

import numpy as np
from numpy.typing import NDArray

RECENTLY, OFTEN = "contacted_recently", "contacted_often"
HOLDS = (RECENTLY, OFTEN)


def holds(n_now: NDArray[np.float64], n_late: NDArray[np.float64], most: int) -> NDArray[np.str_]:
    """Say why a customer is to be let alone; empty where they may be contacted.

    Parameters
    ----------
    n_now : ndarray, shape (n,)
        Contacts in the quiet days before the list.
    n_late : ndarray, shape (n,)
        Contacts in the days before the list in which they are counted.
    most : int
        So many in these days are enough.

    Examples
    --------
    >>> holds(np.array([0, 1, 0]), np.array([2, 9, 8]), most=8)
    array(['', 'contacted_recently', 'contacted_often'], dtype='<U18')
    """
    return np.select([n_now > 0, n_late >= most], [RECENTLY, OFTEN], "")
