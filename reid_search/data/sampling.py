"""P × K batches as a function of the step, so that a trial resumed at any step sees the same images."""

import numpy as np
import numpy.typing as npt

from reid_search.errors import DataError
from reid_search.study.trial.training import BatchConfig

_ORDER, _IMAGES = 1, 2


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
        labels = np.asarray(identities)
        order = np.argsort(labels, kind="stable")
        self._images = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1) if len(labels) else []
        self._batch = batch
        self._seed = seed
        if len(self._images) < batch.ids:
            raise DataError(
                f"training.batch.ids: {batch.ids}: the training set has {len(self._images)} identities; "
                f"allowed: at most {len(self._images)}"
            )
        self._per_pass = len(self._images) // batch.ids

    def batch(self, step: int) -> npt.NDArray[np.int64]:
        """Return the rows of the batch of a step, counted from 0, `(P · K,)`, identity by identity."""
        turn, place = divmod(step, self._per_pass)
        order = np.random.default_rng([self._seed, _ORDER, turn]).permutation(len(self._images))
        generator = np.random.default_rng([self._seed, _IMAGES, step])
        chosen = order[place * self._batch.ids : (place + 1) * self._batch.ids]
        return np.concatenate([self._some(self._images[identity], generator) for identity in chosen])

    def _some(self, images: npt.NDArray[np.int64], generator: np.random.Generator) -> npt.NDArray[np.int64]:
        wanted = self._batch.per_id
        rounds = -(-wanted // len(images))
        return np.concatenate([generator.permutation(images) for _ in range(rounds)])[:wanted]
