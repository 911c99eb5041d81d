"""The data of one trial: training images, batches, and sets to test on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from reid_search.common.arrays import Integers
from reid_search.data.checks import checked_split
from reid_search.data.compared import compared_columns
from reid_search.data.dataset import ReidDataset, load_dataset
from reid_search.data.images import open_images
from reid_search.data.samples import Samples
from reid_search.data.sampling import Sampler, build_sampler
from reid_search.data.several.joining import JoinedSamples, joined_tables
from reid_search.data.split import HoldoutSplit
from reid_search.study import MARKET_RULE, DataConfig, EvaluationRule, TrialConfig
from reid_search.study.trial.config import DataFacts, SetUse
from reid_search.study.trial.key import fingerprint_of_sets, joint_facts, joint_fingerprint

_NOWHERE = np.empty(0, np.int64)


@dataclass(frozen=True)
class LabelledImages:
    """N images of a table.

    Attributes:
        samples: Images of the whole table with their side-cars, memory-mapped.
        rows: `(N,)` rows of these images.
        table: Their `path`, `identity` and what else the data set knows of an image (`camera`, `clothes`).
    """

    samples: Samples | JoinedSamples
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
        sampler: Batches of places in `images`.
    """

    images: LabelledImages
    classes: Integers
    class_count: int
    sampler: Sampler


@dataclass(frozen=True)
class TrialData:
    """What a trial learns from and is tested on.

    Attributes:
        stages: What each stage learns from.
        class_count: Number of training identities.
        sets: By split: `test` (with several data sets `test/<name>` too), and `val` where there is a holdout.
        facts: Fingerprint, files that are not used, and what else is worth knowing, of all data sets together.
        fingerprints: What identifies the images and labels of each split, where that is not all of the data.
    """

    stages: tuple[TrainingImages, ...]
    class_count: int
    sets: dict[str, RankingSet]
    facts: DataFacts
    fingerprints: Mapping[str, str] = field(default_factory=dict)

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
    opened = _Opened(config, config.data.sets, cache)
    others = {
        index: _Opened(config, (SetUse(config.stage_data(stage), test=False),), cache)
        for index, stage in enumerate(config.training.stages)
        if stage.data
    }
    training = opened.training(config, seed)
    stages = [
        others[index].training(config, seed) if index in others else training
        for index, _ in enumerate(config.training.resolved_stages)
    ]
    return TrialData(
        stages=tuple(stages),
        class_count=training.class_count,
        sets=opened.ranking_sets(config.data),
        facts=_joined_facts(
            [
                (config.data, opened),
                *((config.stage_data(config.training.stages[index]), item) for index, item in others.items()),
            ]
        ),
        fingerprints=opened.fingerprints(config.data) if len(opened.datasets) > 1 else {},
    )


@dataclass(frozen=True)
class Tested:
    """A test of a trial.

    Attributes:
        split: Its name: `test`, and with several data sets `test/<name>`.
        images: Its queries and gallery.
        dataset: The data set.
    """

    split: str
    images: RankingSet
    dataset: ReidDataset

    def __str__(self) -> str:
        """Say on which data set it is, under which rule, and what else is worth knowing."""
        facts = f"; {self.dataset.facts}" if str(self.dataset.facts) else ""
        place = f"{self.split}: {self.dataset.place} (fingerprint {self.dataset.fingerprint})"
        return f"{place}; a ranking leaves out: {self.images.rule}{facts}"


def open_tests(config: TrialConfig, cache: Path | None = None) -> list[Tested]:
    """Open the tests of a trial and nothing that it learns from.

    Raises:
        DataError: A data set is missing, has another layout, is unreadable or lacks what the model needs; or its test
            could not find anything.
    """
    opened = _Opened(config, [use._replace(train=False) for use in config.data.sets if use.test], cache)
    return opened.tests(config.data)


def _joined_facts(opened: "Sequence[tuple[DataConfig, _Opened]]") -> DataFacts:
    """Return what is known of all data sets, under the fingerprint that a plan makes of them."""
    fingerprints = [fingerprint_of_sets(data, [found.fingerprint for _, found in item.facts]) for data, item in opened]
    return joint_facts([found for _, item in opened for found in item.facts], joint_fingerprint(fingerprints))


class _Opened:
    """Data sets, split and opened: each with its images by table and, if it is trained on, its split."""

    def __init__(self, config: TrialConfig, sets: Sequence[SetUse], cache: Path | None) -> None:
        needs = config.needed_by_table
        self._uses = sets
        self.datasets = [load_dataset(use.data, cache) for use in sets]
        self._splits = [checked_split(dataset, use) for dataset, use in zip(self.datasets, sets, strict=True)]
        self._images = [
            open_images(
                dataset,
                use.data.image_size,
                cache,
                needs,
                _opened_tables(dataset, use),
                use.data.interpolation,
            )
            for dataset, use in zip(self.datasets, sets, strict=True)
        ]

    @property
    def facts(self) -> list[tuple[DataConfig, DataFacts]]:
        """What is known of each data set."""
        return [(use.data, dataset.facts) for use, dataset in zip(self._uses, self.datasets, strict=True)]

    def training(self, config: TrialConfig, seed: int) -> TrainingImages:
        images = self._of_training(lambda split: split.train)
        identities, classes = np.unique(images.identities, return_inverse=True)
        return TrainingImages(
            images=images,
            classes=classes.astype(np.int64),
            class_count=len(identities),
            sampler=build_sampler(classes, config.training.batch, seed),
        )

    def tests(self, data: DataConfig) -> list[Tested]:
        sets = {index: self._tested(index) for index, use in enumerate(self._uses) if use.test}
        places = {split: self._place(tested) for split, tested in data.tested.items()}
        return [Tested(split, sets[index], self.datasets[index]) for split, index in places.items()]

    def ranking_sets(self, data: DataConfig) -> dict[str, RankingSet]:
        sets = {test.split: test.images for test in self.tests(data)}
        if data.holdout:
            query = self._of_training(lambda split: split.query)
            gallery = self._of_training(lambda split: split.gallery)
            rule = data.validation_rule
            sets["val"] = RankingSet(query, gallery, rule, gallery if rule.multi_query else None)
        return sets

    def fingerprints(self, data: DataConfig) -> dict[str, str]:
        found = {split: self.datasets[self._place(tested)].fingerprint for split, tested in data.tested.items()}
        trained = [item.fingerprint for item, use in zip(self.datasets, self._uses, strict=True) if use.train]
        return found | {"val": joint_fingerprint(trained)}

    def _place(self, data: DataConfig) -> int:
        return [use.data for use in self._uses].index(data)

    def _tested(self, index: int) -> RankingSet:
        dataset, images = self.datasets[index], self._images[index]
        query, gallery = (_labelled(images[name], dataset.tables[name]) for name in ("query", "gallery"))
        pool = dataset.multi_query
        pooled = None if pool is None else _labelled(images["multi_query"], pool)
        return RankingSet(query, gallery, self._uses[index].data.rule, pooled)

    def _of_training(self, part: Callable[[HoldoutSplit], pd.DataFrame]) -> LabelledImages:
        """Return a part of the training images of all data sets."""
        used = [index for index, use in enumerate(self._uses) if use.train]
        tables = [part(self._splits[index]) for index in used]
        samples = [self._images[index]["train"] for index in used]
        if len(used) == 1:
            return _labelled(samples[0], tables[0])
        starts = np.cumsum([0, *map(len, samples)])
        rows = [table.index.to_numpy(np.int64) + start for table, start in zip(tables, starts[:-1], strict=True)]
        # Numbered before they are cut, so that a held-out person has one number in queries and gallery.
        whole = joined_tables([self.datasets[index].train for index in used])
        return _labelled(JoinedSamples(tuple(samples)), whole.iloc[np.concatenate(rows)])


def _opened_tables(dataset: ReidDataset, use: SetUse) -> tuple[str, ...]:
    return (*use.tables, *(("multi_query",) if use.test and dataset.multi_query is not None else ()))


def _labelled(samples: Samples | JoinedSamples, table: pd.DataFrame) -> LabelledImages:
    return LabelledImages(samples, table.index.to_numpy(np.int64), table)
