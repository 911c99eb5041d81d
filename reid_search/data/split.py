"""An identity-disjoint validation part of the training set, with its own queries and gallery."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from reid_search.errors import DataError

_FEWEST_IDENTITIES = 2


@dataclass(frozen=True)
class HoldoutSplit:
    """A training table cut in two. The rows keep their index, which is their place in the image cache.

    Attributes:
        train: Images that stay in training.
        query: One image of each held-out identity and camera, where another camera saw the identity.
        gallery: All held-out images; a query's own identity and camera, and so itself, do not count.
    """

    train: pd.DataFrame
    query: pd.DataFrame
    gallery: pd.DataFrame


def split_holdout(table: pd.DataFrame, holdout: float, seed: int) -> HoldoutSplit:
    """Hold out a share of the identities.

    Args:
        table: The training table (`identity`, `camera`).
        holdout: Share of the identities, in [0, 1).
        seed: Seed of the split.

    Raises:
        DataError: Too few identities are left on one side, or no held-out identity was seen by two cameras.
    """
    if holdout == 0:
        return HoldoutSplit(table, table.iloc[:0], table.iloc[:0])
    generator = np.random.default_rng([seed, 0])
    identities = np.sort(table["identity"].unique())
    count = round(holdout * len(identities))
    if min(count, len(identities) - count) < _FEWEST_IDENTITIES:
        raise DataError(
            f"data.holdout: {holdout:g} of {len(identities)} identities holds out {count}; "
            f"at least {_FEWEST_IDENTITIES} are needed on either side"
        )
    held = table["identity"].isin(generator.permutation(identities)[:count])
    gallery = table[held]
    query = _queries(gallery, generator)
    if query.empty:
        raise DataError(f"data.split_seed: {seed}: no held-out identity was seen by two cameras; choose another seed")
    return HoldoutSplit(table[~held], query, gallery)


def _queries(gallery: pd.DataFrame, generator: np.random.Generator) -> pd.DataFrame:
    shuffled = gallery.iloc[generator.permutation(len(gallery))]
    one_each = shuffled.drop_duplicates(["identity", "camera"]).sort_index()
    cameras = one_each.groupby("identity")["camera"].transform("count")
    return one_each[cameras > 1]
