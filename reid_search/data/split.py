"""An identity-disjoint validation part of the training set, with its own queries and gallery."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from reid_search.common.leaving_out import Booleans, meets_any
from reid_search.data.compared import compared_columns
from reid_search.errors import DataError
from reid_search.study import MARKET_RULE, EvaluationRule
from reid_search.words import several

_FEWEST_IDENTITIES = 2


@dataclass(frozen=True)
class HoldoutSplit:
    """A training table cut in two. The rows keep their index, which is their place in the image cache.

    Attributes:
        train: Images that stay in training.
        query: One image of each held-out identity in each camera (or what else the rule compares) that has a match
            under the rule: for that of Market-1501, where another camera saw the identity; without cameras, one of each
            identity with two images.
        gallery: All held-out images; the rule leaves out a query's own image.
    """

    train: pd.DataFrame
    query: pd.DataFrame
    gallery: pd.DataFrame


def split_holdout(table: pd.DataFrame, holdout: float, seed: int, rule: EvaluationRule = MARKET_RULE) -> HoldoutSplit:
    """Hold out a share of the identities.

    Args:
        table: The training table (`identity`, and the columns that the rule compares).
        holdout: Share of the identities, in [0, 1).
        seed: Seed of the split.
        rule: The rule by which the held-out images are ranked.

    Raises:
        DataError: Too few identities are left on one side, no held-out identity has a match, such as one that was seen
            by two cameras, or the table lacks a column that the rule compares.
    """
    if holdout == 0:
        return HoldoutSplit(table, table.iloc[:0], table.iloc[:0])
    generator = np.random.default_rng([seed, 0])
    identities = np.sort(table["identity"].unique())
    count = round(holdout * len(identities))
    if min(count, len(identities) - count) < _FEWEST_IDENTITIES:
        raise DataError(
            f"data.holdout: {holdout:g} of {several(len(identities), 'identity')} holds out {count}; "
            f"at least {_FEWEST_IDENTITIES} are needed on either side"
        )
    held = table["identity"].isin(generator.permutation(identities)[:count])
    gallery = table[held]
    query = _queries(gallery, generator, rule)
    if query.empty:
        lacking = "was seen by two cameras" if rule == MARKET_RULE else f"has a match under the rule '{rule}'"
        raise DataError(f"data.split_seed: {seed}: no held-out identity {lacking}; choose another seed")
    return HoldoutSplit(table[~held], query, gallery)


def _queries(gallery: pd.DataFrame, generator: np.random.Generator, rule: EvaluationRule) -> pd.DataFrame:
    answerable = pd.Series(_have_match(gallery, rule), index=gallery.index)
    shuffled = gallery.iloc[generator.permutation(len(gallery))]
    kinds = [column for column in rule.compared if column != "image"]
    one_each = shuffled.drop_duplicates(["identity", *kinds]).sort_index()
    return one_each[answerable[one_each.index]]


def _have_match(table: pd.DataFrame, rule: EvaluationRule) -> Booleans:
    """Say which images would find a match among all of them, `(N,)`."""
    columns = {name: codes for name, [codes] in compared_columns(rule.compared, table).items()}
    conditions = [*rule.left_out, *([f"other {rule.within}"] if rule.within else [])]
    found = np.zeros(len(table), dtype=np.bool_)
    for places in table.groupby("identity").indices.values():
        images = {name: codes[places] for name, codes in columns.items()}
        for offset, place in enumerate(places):
            own = {name: int(codes[offset]) for name, codes in images.items()}
            found[place] = not meets_any(conditions, own, images).all()
    return found
