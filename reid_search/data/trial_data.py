"""The data of one trial: training images, batches, and sets to test on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from reid_search.common.arrays import Integers
from reid_search.data.checks import checked_split
from reid_search.data.compared import compared_columns
from reid_search.data.dataset import ReidDataset, load_dataset
from reid_search.data.images import open_images
from reid_search.data.samples import Samples
from reid_search.data.sampling import IdentitySampler
from reid_search.data.split import HoldoutSplit
from reid_search.study import MARKET_RULE, DataConfig, EvaluationRule, SideCar, TrialConfig
from reid_search.study.trial.config import DataFacts
from reid_search.study.trial.key import joint_facts

_NOWHERE = np.empty(0, np.int64)


@dataclass(frozen=True)
class LabelledImages:
    """N images of a table.

    Attributes:
        samples: Images of the whole table with their side-cars, memory-mapped.
        rows: `(N,)` rows of these images.
        table: Their `path`, `identity` and what else the data set knows of an image (`camera`, `clothes`).
    """

    samples: Samples
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
    def cameras(self) -> Integers | None:
        """`(N,)`; None where the data set has no cameras."""
        return self.table["camera"].to_numpy(np.int64) if "camera" in self.table else None

    def at(self, places: Integers) -> Samples:
        """Return the images at some places, from 0 to N - 1."""
        return self.samples.at(self.rows[places])

    def batches(self, size: int) -> Iterator[Samples]:
        """Yield all images in order, `size` at a time."""
        for start in range(0, len(self), size):
            yield self.samples.at(self.rows[start : start + size])


@dataclass(frozen=True)
class RankingSet:
    """Queries, the gallery to search for them, and the rule by which the ranking is measured.

    Attributes:
        query: The queries.
        gallery: The gallery.
        rule: The rule.
        multi_query: Images that describe queries together, where the rule pools them.
    """

    query: LabelledImages
    gallery: LabelledImages
    rule: EvaluationRule = MARKET_RULE
    multi_query: LabelledImages | None = None

    def compared(self) -> dict[str, tuple[Integers, Integers]]:
        """Return what the rule compares: by column, the labels of queries and gallery as numbers.

        Raises:
            DataError: The data set lacks a column that the rule compares.
        """
        columns = compared_columns(self.rule.compared, self.query.table, self.gallery.table)
        return {name: (query, gallery) for name, (query, gallery) in columns.items()}

    def pooled(self) -> list[Integers]:
        """Return the places in `multi_query` of the images that describe each query together; none: it stands alone."""
        if self.multi_query is None:
            return [_NOWHERE] * len(self.query)
        labels = ["identity", "camera"]
        found = self.multi_query.table.groupby(labels).indices
        places = {label: np.asarray(rows, np.int64) for label, rows in found.items()}
        return [places.get(label, _NOWHERE) for label in self.query.table[labels].itertuples(index=False, name=None)]


@dataclass(frozen=True)
class TrainingImages:
    """What a stage learns from.

    Attributes:
        images: The training images.
        classes: `(N,)`, their identities as classes from 0, in ascending order.
        class_count: Number of classes.
        sampler: P × K batches of places in `images`.
    """

    images: LabelledImages
    classes: Integers
    class_count: int
    sampler: IdentitySampler


@dataclass(frozen=True)
class TrialData:
    """What a trial learns from and is tested on.

    Attributes:
        stages: What each stage learns from.
        class_count: Number of training identities.
        sets: By split: `test`, and `val` where there is a holdout.
        facts: Fingerprint, files that are not used, and what else is worth knowing, of all data sets together.
    """

    stages: tuple[TrainingImages, ...]
    class_count: int
    sets: dict[str, RankingSet]
    facts: DataFacts

    @property
    def fingerprint(self) -> str:
        """What identifies images, labels and side-cars."""
        return self.facts.fingerprint


def open_trial_data(config: TrialConfig, seed: int, cache: Path | None = None) -> TrialData:
    """Open the data of a trial, rendering and decoding it first if it is not in the cache.

    Args:
        config: The trial.
        seed: Seed of the order of training images.
        cache: Folder of rendered data sets and decoded images; the user's cache folder where omitted.

    Raises:
        DataError: The data set is missing, has another layout, is unreadable, lacks what the model or a loss needs, or
            is too small for the holdout or P × K.
    """
    everywhere = config.model.needs
    needs = {"train": everywhere | config.training_needs, "query": everywhere, "gallery": everywhere}
    needs["multi_query"] = everywhere
    opened = _Opened(config, config.data, seed, cache, needs)
    others = {
        index: _Opened(config, config.stage_data(stage), seed, cache, {"train": needs["train"]})
        for index, stage in enumerate(config.training.stages)
        if stage.data
    }
    stages = range(len(config.training.resolved_stages))
    return TrialData(
        stages=tuple(others.get(index, opened).training for index in stages),
        class_count=opened.training.class_count,
        sets=opened.ranking_sets(),
        facts=joint_facts([item.dataset.facts for item in (opened, *others.values())]),
    )


class _Opened:
    """A data set, split and opened."""

    def __init__(
        self,
        config: TrialConfig,
        data: DataConfig,
        seed: int,
        cache: Path | None,
        needs: Mapping[str, frozenset[SideCar]],
    ) -> None:
        self.dataset: ReidDataset = load_dataset(data, cache)
        self._split: HoldoutSplit = checked_split(self.dataset, data)
        self._rule = data.rule
        self._images = open_images(self.dataset, data.image_size, cache, needs)
        identities, classes = np.unique(self._split.train["identity"].to_numpy(np.int64), return_inverse=True)
        self.training = TrainingImages(
            images=_labelled(self._images["train"], self._split.train),
            classes=classes.astype(np.int64),
            class_count=len(identities),
            sampler=IdentitySampler(classes, config.training.batch, seed),
        )

    def ranking_sets(self) -> dict[str, RankingSet]:
        query = _labelled(self._images["query"], self.dataset.query)
        gallery = _labelled(self._images["gallery"], self.dataset.gallery)
        pool = self.dataset.multi_query
        pooled = None if pool is None else _labelled(self._images["multi_query"], pool)
        sets = {"test": RankingSet(query, gallery, self._rule, pooled)}
        if len(self._split.query):
            train = self._images["train"]
            query, gallery = (_labelled(train, table) for table in (self._split.query, self._split.gallery))
            sets["val"] = RankingSet(query, gallery, self._rule, gallery if self._rule.multi_query else None)
        return sets


def _labelled(samples: Samples, table: pd.DataFrame) -> LabelledImages:
    return LabelledImages(samples, table.index.to_numpy(np.int64), table)
