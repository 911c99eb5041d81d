"""Batches as a function of the step, so that a trial resumed at any step sees the same images."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt

from reid_search.common.arrays import Integers
from reid_search.errors import DataError
from reid_search.study.component import EntryError
from reid_search.study.trial.training import BatchConfig

_ORDER, _IMAGES = 1, 2


class Sampler(Protocol):
    """Says which images a step learns from."""

    def batch(self, step: int) -> Integers:
        """Return the rows of the batch of a step, counted from 0, `(P · K,)`."""


def build_sampler(identities: npt.ArrayLike, batch: BatchConfig, seed: int) -> Sampler:
    """Return the sampler of a trial.

    Args:
        identities: `(N,)` identity of each training image.
        batch: P (`ids`), K (`per_id`) and the order of images.
        seed: Seed of the order.

    Raises:
        DataError: There are fewer than P identities, or fewer images than a batch has.
    """
    if batch.order == "identities":
        return IdentitySampler(identities, batch, seed)
    return PassSampler(identities, batch, seed)


class IdentitySampler:
    """Draws batches of P identities with K images each.

    Identities come in a new random order each pass; those left over at the end of a pass are skipped. An identity with
    fewer than K images repeats them; the repeat counts differ by at most one.

    Args:
        identities: `(N,)` identity of each training image.
        batch: P (`ids`) and K (`per_id`).
        seed: Seed of the order.

    Raises:
        DataError: There are fewer than P identities.
    """

    def __init__(self, identities: npt.ArrayLike, batch: BatchConfig, seed: int) -> None:
        self._images = _images_of(identities, batch)
        self._batch = batch
        self._seed = seed
        self._per_pass = len(self._images) // batch.ids

    def batch(self, step: int) -> Integers:
        """Return the rows of the batch of a step, counted from 0, `(P · K,)`, identity by identity."""
        turn, place = divmod(step, self._per_pass)
        order = np.random.default_rng([self._seed, _ORDER, turn]).permutation(len(self._images))
        generator = np.random.default_rng([self._seed, _IMAGES, step])
        chosen = order[place * self._batch.ids : (place + 1) * self._batch.ids]
        return np.concatenate([_some(self._images[identity], self._batch.per_id, generator) for identity in chosen])


class PassSampler:
    """Draws batches so that one pass shows every image once, apart from those left over at its end.

    `covering` cuts the images of each identity into groups of K (fewer than K are filled up by repeats) and draws P
    identities at a time until fewer than P have a group left (torchreid's `RandomIdentitySampler`). `shuffled` and
    `consecutive` cut one long row of images into batches. `pairs` does so too, with half the images of a batch at a
    time, each followed by its partner: in the first pairs of a batch another image of its identity, in the others any
    image of any other. An identity's only image is always paired with another identity.

    Args:
        identities: `(N,)` identity of each training image.
        batch: P (`ids`), K (`per_id`) and the order of images.
        seed: Seed of the order.

    Raises:
        DataError: There are fewer than P identities, or fewer images than a batch has.
    """

    def __init__(self, identities: npt.ArrayLike, batch: BatchConfig, seed: int) -> None:
        self._images = _images_of(identities, batch)
        self._owners = np.unique(np.asarray(identities), return_inverse=True)[1]
        self._batch = batch
        self._seed = seed
        self._first_steps = [0]  # of each pass; how many batches it has depends on its draws
        self._turn, self._pass = -1, np.empty((0, batch.size), np.int64)

    def batch(self, step: int) -> Integers:
        """Return the rows of the batch of a step, counted from 0, `(P · K,)`."""
        while self._first_steps[-1] <= step:
            self._first_steps.append(self._first_steps[-1] + len(self._of_turn(len(self._first_steps) - 1)))
        turn = int(np.searchsorted(self._first_steps, step, side="right")) - 1
        found: Integers = self._of_turn(turn)[step - self._first_steps[turn]]
        return found

    def _of_turn(self, turn: int) -> Integers:
        """Return the batches of a pass, `(batches, P · K)`."""
        if turn != self._turn:
            generator = np.random.default_rng([self._seed, _ORDER, turn])
            self._turn, self._pass = turn, np.stack(list(self._batches(turn, generator)))
        return self._pass

    def _batches(self, turn: int, generator: np.random.Generator) -> Iterator[Integers]:
        if self._batch.order == "covering":
            return self._covering(generator)
        return self._pairs(turn, generator) if self._batch.order == "pairs" else self._cut(generator)

    def _pairs(self, turn: int, generator: np.random.Generator) -> Iterator[Integers]:
        count = self._batch.size // 2
        same = round(self._batch.pairs.share(turn) * count)
        row = generator.permutation(np.concatenate(self._images))
        for start in range(0, len(row) - count + 1, count):
            first = row[start : start + count]
            partners = [self._partner(image, place < same, generator) for place, image in enumerate(first)]
            yield np.stack([first, partners], axis=1).ravel()

    def _partner(self, image: int, same: bool, generator: np.random.Generator) -> int:
        """Return another image of an image's identity, or any image of another."""
        own = self._images[self._owners[image]]
        if same and len(own) > 1:
            return int(generator.choice(own[own != image]))
        while True:
            other = int(generator.integers(len(self._owners)))
            if self._owners[other] != self._owners[image]:
                return other

    def _covering(self, generator: np.random.Generator) -> Iterator[Integers]:
        left = [self._groups(images, generator) for images in self._images]
        able = np.flatnonzero([len(groups) for groups in left])
        while len(able) >= self._batch.ids:
            chosen = generator.choice(able, self._batch.ids, replace=False)
            yield np.concatenate([left[identity].pop(0) for identity in chosen])
            able = able[[len(left[identity]) > 0 for identity in able]]

    def _groups(self, images: Integers, generator: np.random.Generator) -> list[Integers]:
        size = self._batch.per_id
        if len(images) < size:
            return [_some(images, size, generator)]
        shuffled = generator.permutation(images)
        return [shuffled[start : start + size] for start in range(0, len(images) - size + 1, size)]

    def _cut(self, generator: np.random.Generator) -> Iterator[Integers]:
        if self._batch.order == "shuffled":
            row = generator.permutation(np.concatenate(self._images))
        else:
            order = generator.permutation(len(self._images))
            row = np.concatenate([generator.permutation(self._images[identity]) for identity in order])
        for start in range(0, len(row) - self._batch.size + 1, self._batch.size):
            yield row[start : start + self._batch.size]


def _images_of(identities: npt.ArrayLike, batch: BatchConfig) -> list[Integers]:
    """Return the rows of each identity's images.

    Raises:
        DataError: There are too few identities, or fewer images than a batch has.
    """
    labels = np.asarray(identities)
    order = np.argsort(labels, kind="stable")
    images = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1) if len(labels) else []
    try:
        batch.check_fits(len(images), len(labels))
    except EntryError as error:
        raise DataError(f"{'.'.join(map(str, ('training', 'batch', *error.path)))}: {error}") from None
    return images


def _some(images: Integers, wanted: int, generator: np.random.Generator) -> Integers:
    rounds = -(-wanted // len(images))
    return np.concatenate([generator.permutation(images) for _ in range(rounds)])[:wanted]
