"""Random galleries of one image for each identity: which images are drawn, and how a query's matches rank there."""

from dataclasses import dataclass

import numpy as np

from reid_search.common.arrays import Floats, Integers
from reid_search.common.labels import DISTRACTOR, JUNK
from reid_search.evaluation.labels import Labels
from reid_search.study.rules import SingleShot


@dataclass(frozen=True)
class Draws:
    """N random orders of a gallery of G images; in each, the first image of a group stands for the group.

    A group is an identity, or an identity in a camera; each distractor is one, and junk is in none.

    Attributes:
        places: `(N, groups)`: the place in the gallery of each group's first image.
        identities: `(groups,)`.
        groups: `(G,)`: the group of each image, -1 of junk.
        positions: `(N, G)`: where each image stands in each order.
    """

    places: Integers
    identities: Integers
    groups: Integers
    positions: Integers

    @classmethod
    def drawn(cls, labels: Labels, config: SingleShot) -> "Draws":
        """Draw galleries with the seed of the rule; draw n does not depend on how many there are."""
        ids = labels.gallery_ids
        counted = np.flatnonzero(ids != JUNK)
        cameras = labels.gallery["camera"] if config.per == "identity and camera" else np.zeros_like(ids)
        alone = np.where(ids == DISTRACTOR, np.arange(len(ids)) + 1, 0)
        keys, codes = np.unique(np.stack([ids, cameras, alone], axis=1)[counted], axis=0, return_inverse=True)
        groups = np.full(len(ids), -1, dtype=np.int64)
        groups[counted] = codes.reshape(-1)
        orders = [np.random.default_rng([config.seed, draw]).permutation(len(ids)) for draw in range(config.draws)]
        places = [order[_firsts(groups[order])] for order in orders]
        return cls(np.array(places), keys[:, 0], groups, np.argsort(orders, axis=1))

    def ranks(self, distances: Floats, identity: int, matches: Integers) -> Integers:
        """Return the ascending ranks of a query's matches in every gallery, `(N, R)`, ties last.

        Args:
            distances: `(G,)` of the query.
            identity: Its identity.
            matches: Places of its matches, at least one; the first one of each group is in the gallery.
        """
        own = [matches[self.groups[matches] == group] for group in np.unique(self.groups[matches])]
        first = [places[np.argmin(self.positions[:, places], axis=1)] for places in own]
        near = np.sort(distances[np.stack(first, axis=1)], axis=1)
        others = distances[self.places[:, self.identities != identity]]
        nearer = (others[:, None, :] <= near[:, :, None]).sum(axis=2)
        ranks: Integers = nearer + np.arange(1, near.shape[1] + 1)
        return ranks

    def sizes(self, identity: int, matches: Integers) -> tuple[int, int]:
        """Return how many matches each gallery has for a query, and how many candidates."""
        own = len(np.unique(self.groups[matches]))
        return own, own + int((self.identities != identity).sum())


def _firsts(groups: Integers) -> Integers:
    """Return where each group comes first, in the order of the groups; junk is no group."""
    found, firsts = np.unique(groups, return_index=True)
    return firsts[found >= 0]
