"""Everything of a data set that one trial needs: images to learn from, batches, and sets to be tested on."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from reid_search.data.dataset import load_dataset
from reid_search.data.images import Pixels, open_images
from reid_search.data.sampling import IdentitySampler
from reid_search.data.split import split_holdout
from reid_search.study import TrialConfig

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LabelledImages:
    """Images of a table.

    Attributes:
        pixels: Images of the whole table, memory-mapped.
        rows: `(N,)` which of them belong here.
        table: Their `path`, `identity` and `camera`.
    """

    pixels: Pixels
    rows: Integers
    table: pd.DataFrame

    def __len__(self) -> int:
        """Return N."""
        return len(self.rows)

    @property
    def identities(self) -> Integers:
        """`(N,)`."""
        return self.table["identity"].to_numpy(np.int64)

    @property
    def cameras(self) -> Integers:
        """`(N,)`."""
        return self.table["camera"].to_numpy(np.int64)

    def batches(self, size: int) -> Iterator[Pixels]:
        """Yield all images in order, `(size, H, W, 3)` at a time."""
        for start in range(0, len(self), size):
            yield self.pixels[self.rows[start : start + size]]


@dataclass(frozen=True)
class RankingSet:
    """Queries and the gallery that they are searched in.

    Attributes:
        query: Images to search with.
        gallery: Images to find.
    """

    query: LabelledImages
    gallery: LabelledImages


@dataclass(frozen=True)
class TrialData:
    """What a trial learns from and is tested on.

    Attributes:
        train: Images to learn from.
        classes: Their classes, `(N,)`: identities in ascending order, counted from 0.
        class_count: Number of classes.
        sampler: P × K batches of places in `train`.
        sets: By split: `test`, and `val` where there is a holdout.
        fingerprint: What identifies images and labels.
    """

    train: LabelledImages
    classes: Integers
    class_count: int
    sampler: IdentitySampler
    sets: dict[str, RankingSet]
    fingerprint: str


def open_trial_data(config: TrialConfig, seed: int, cache: Path | None = None) -> TrialData:
    """Open the data of a trial, making and decoding it first where no process did so before.

    Args:
        config: The trial.
        seed: Seed of the order of training images.
        cache: Folder of made data sets and decoded images; the user's cache folder where omitted.

    Raises:
        DataError: The data set is missing, of another layout or unreadable, or cannot fill the holdout or P × K.
    """
    dataset = load_dataset(config.data, cache)
    split = split_holdout(dataset.train, config.data.holdout, config.data.split_seed)
    identities, classes = np.unique(split.train["identity"].to_numpy(np.int64), return_inverse=True)
    sampler = IdentitySampler(classes, config.training.batch, seed)
    images = open_images(dataset, config.data.image_size, cache)
    sets = {"test": RankingSet(_all(images.query, dataset.query), _all(images.gallery, dataset.gallery))}
    if config.data.holdout:
        sets["val"] = RankingSet(_all(images.train, split.query), _all(images.train, split.gallery))
    return TrialData(
        train=_all(images.train, split.train),
        classes=classes.astype(np.int64),
        class_count=len(identities),
        sampler=sampler,
        sets=sets,
        fingerprint=dataset.fingerprint,
    )


def _all(pixels: Pixels, table: pd.DataFrame) -> LabelledImages:
    return LabelledImages(pixels, table.index.to_numpy(np.int64), table)
