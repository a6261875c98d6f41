"""Histories drawn from the models' own story: BG/NBD, or MBG/NBD with a chance to leave at once."""

import numpy as np
import pandas as pd


def drawn_histories(
    params: dict[str, float], n: int, T: float, horizon: float, seed: int, *, leaves_at_once: bool
) -> pd.DataFrame:
    """Draw ``frequency, recency, T``, and ``later``: the purchases in the horizon after T."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(params["r"], 1 / params["alpha"], n)
    dropout = rng.beta(params["a"], params["b"], n)
    clock = np.zeros(n)
    alive = rng.random(n) >= dropout if leaves_at_once else np.ones(n, dtype=bool)
    x, t_x, later = np.zeros(n), np.zeros(n), np.zeros(n)
    while alive.any():
        clock = np.where(alive, clock + rng.exponential(size=n) / np.maximum(rate, 1e-300), np.inf)
        alive = clock < T + horizon
        known = clock <= T
        x += known
        t_x = np.where(known, clock, t_x)
        later += alive & ~known
        alive &= rng.random(n) >= dropout
    return pd.DataFrame({"frequency": x, "recency": t_x, "T": T, "later": later})
