"""Whether a test on other data shows again what a trial was trained on: its images, or its people."""

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from reid_search.common.contents import hash_files
from reid_search.common.labels import DISTRACTOR
from reid_search.data.dataset import ReidDataset, load_dataset
from reid_search.data.split import split_holdout
from reid_search.errors import DataError
from reid_search.study import TrialConfig
from reid_search.words import several

_MOST_NAMED = 3
_LEARNT = "what is measured on them was learnt by heart"


def trained_on(config: TrialConfig, tests: Sequence[ReidDataset]) -> list[str]:
    """Say which images and people of some tests a trial was trained on, one sentence each.

    An image is known by its content, a person by an image, or by the number or name of the same data set.

    Args:
        config: The trial as it was trained.
        tests: The data sets of the tests.

    Returns:
        The sentences; one that nobody knows where the training images cannot be read.
    """
    stages = [config.stage_data(stage) for stage in config.training.stages if stage.data]
    told: dict[str, None] = {}
    for use in [use for data in (config.data, *stages) for use in data.sets if use.train]:
        try:
            dataset = load_dataset(use.data)
            trained = split_holdout(dataset.train, use.data.holdout, use.data.split_seed, use.data.rule).train
        except DataError as error:
            told[f"whether the trial was trained on people of this test is not known: {error}"] = None
            continue
        for test in tests:
            told |= dict.fromkeys([*_images(dataset, trained, test), *_people(dataset, trained, test)])
    return list(told)


def _images(dataset: ReidDataset, trained: pd.DataFrame, test: ReidDataset) -> Iterator[str]:
    tested = pd.concat([test.query, test.gallery], ignore_index=True)
    known = dict(zip(_contents(trained), trained["path"], strict=True))
    found = [(content, row) for row, content in enumerate(_contents(tested)) if content in known]
    if found:
        content, row = found[0]
        people = _persons(tested.iloc[[row for _, row in found]], test.labels)
        of_people = f", of {_listed(people)}" if people else ""
        yield (
            f"{len(found):,} of {several(len(tested), 'image')} of {test.place} {'is' if len(found) == 1 else 'are'} "
            f"among those of {dataset.place} that the trial was trained on ({tested['path'][row]} is {known[content]})"
            f"{of_people}; {_LEARNT}"
        )


def _people(dataset: ReidDataset, trained: pd.DataFrame, test: ReidDataset) -> Iterator[str]:
    if dataset.name != test.name or not (dataset.one_numbering and test.one_numbering):
        return
    names = set(_persons(trained, dataset.labels))
    people = [name for name in _persons(test.query, test.labels) if name in names]
    if people:
        yield (
            f"{_listed(people)} of {test.place} {'has' if len(people) == 1 else 'have'} the number or name of a person "
            f"of {dataset.place} that the trial was trained on; if they are the same, {_LEARNT}"
        )


def _contents(table: pd.DataFrame) -> list[tuple[str, object]]:
    """Return what tells images apart: the content of the file and the box; one that cannot be read is like no other."""
    digests = hash_files(table["path"]).digests
    boxes = table["box"] if "box" in table else [None] * len(table)
    return [(digests.get(str(path), str(path)), box) for path, box in zip(table["path"], boxes, strict=True)]


def _persons(table: pd.DataFrame, labels: Mapping[int, str]) -> list[str]:
    numbers = sorted({int(number) for number in table["identity"] if number > DISTRACTOR})
    return [labels.get(number, str(number)) for number in numbers]


def _listed(people: Sequence[str]) -> str:
    more = ", …" if len(people) > _MOST_NAMED else ""
    return f"{several(len(people), 'identity')} ({', '.join(people[:_MOST_NAMED])}{more})"
