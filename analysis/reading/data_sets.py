"""What the trials' configs say of their data sets, in words: which are trained on, and which are tested on, by name."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from reid_search.records import StudyState, TrialId
from reid_search.study import DATASETS
from reid_search.study.trial.set_names import SetNames
from reid_search.study.trial.side_cars import SIDE_CARS

Entries = Mapping[str, object]

_PLACES = ("root", *SIDE_CARS)


@dataclass(frozen=True)
class DataSets:
    """The data sets of a study's trials.

    Attributes:
        sections: What the config of each trial that has begun says of its data. Where a folder was moved between two
            trials, both have its first place.
        names: Names that tell the data sets apart.
    """

    sections: Mapping[TrialId, Entries]
    names: SetNames

    def trained_on(self, data: Entries) -> list[str]:
        """Return the data sets that a trial learns from."""
        return [self.names.of(member) for member in _training_sets(data)]

    def kinds(self, data: Entries) -> list[str]:
        """Return what a trial learns from and is tested on, by its names in study files: `market1501`."""
        return [str(member.get("name")) for member in (*_training_sets(data), *_test_sets(data).values())]

    def tests_of(self, data: Entries) -> dict[str, str]:
        """Return the data set of each of several tests, by the name of the test; none where there is one data set."""
        return {name: self.names.of(member) for name, member in _test_sets(data).items()}

    def photographed(self, data: Entries) -> list[str]:
        """Return the data sets to train on whose people are photographed rather than drawn."""
        drawn = [name for name in DATASETS.names() if getattr(DATASETS.config_class(name), "is_drawn", False)]
        return [self.names.of(member) for member in _training_sets(data) if member.get("name") not in drawn]


def data_sets(state: StudyState) -> DataSets:
    """Return the data sets of a study's trials."""
    first: dict[tuple[str, str | None], Entries] = {}
    sections = {
        trial.id: first.setdefault((_without_places(section), trial.data_fingerprint), section)
        for trial in state.trials.values()
        if trial.config and (section := trial.section("data"))
    }
    members = (item for own in first.values() for item in (*_training_sets(own), *_test_sets(own).values()))
    return DataSets(sections, SetNames(members))


def is_trained_on(data: Entries, test: str) -> bool:
    """Say whether a test is of a data set whose training people are trained on."""
    return _test_sets(data).get(test) in _training_sets(data)


def _training_sets(data: Entries) -> list[Entries]:
    found = data.get("train")
    if not isinstance(found, list | tuple):
        return [data]
    return [_placed(item, data) for item in found if isinstance(item, Mapping)]


def _test_sets(data: Entries) -> dict[str, Entries]:
    if "train" not in data:
        return {}
    found = data.get("test")
    if isinstance(found, Mapping) and found:
        return {str(name): _placed(item, data) for name, item in found.items() if isinstance(item, Mapping)}
    return {str(item.get("name")): item for item in _training_sets(data)}


def _placed(member: Entries, data: Entries) -> Entries:
    """Return one of several data sets with the folder that it has below theirs, if it has none of its own."""
    around = data.get("root")
    if "root" not in member or member["root"] or not around:
        return member
    return {**member, "root": str(PurePath(str(around), str(member.get("name"))))}


def _without_places(data: Entries) -> str:
    """Return entries as text, without those that say where files are."""
    return json.dumps(dict(_unplaced(data)), sort_keys=True)


def _unplaced(entries: Entries) -> Iterator[tuple[str, object]]:
    for name, value in entries.items():
        if isinstance(value, Mapping):
            yield name, dict(_unplaced(value))
        elif isinstance(value, list | tuple):
            yield name, [dict(_unplaced(item)) if isinstance(item, Mapping) else item for item in value]
        elif name not in _PLACES:
            yield name, value
