"""What a trial's config says of its data sets, in words: which are trained on, and which are tested on, by name."""

from collections.abc import Iterator, Mapping
from pathlib import PurePath

from reid_search.study import DATASETS, Config
from reid_search.study.question.axes import label_of

Entries = Mapping[str, object]

_OF_ALL = ("image_size", "holdout", "split_seed")


def trained_on(data: Entries) -> list[str]:
    """Return the data sets that a trial learns from."""
    members = _training_sets(data)
    return [_told(member, _alike(member, members)) for member in members]


def tests_of(data: Entries) -> dict[str, str]:
    """Return the data set of each of several tests, by the name of the test; none where there is one data set."""
    named = _test_sets(data)
    return {name: _told(member, _alike(member, list(named.values()))) for name, member in named.items()}


def is_trained_on(data: Entries, test: str) -> bool:
    """Say whether a test is of a data set whose training people are trained on."""
    return _test_sets(data).get(test) in _training_sets(data)


def photographed(data: Entries) -> list[str]:
    """Return the names of the data sets to train on whose people are photographed rather than drawn."""
    names = [str(member.get("name")) for member in _training_sets(data)]
    drawn = [name for name in DATASETS.names() if getattr(DATASETS.config_class(name), "is_drawn", False)]
    return [name for name in names if name not in drawn]


def _training_sets(data: Entries) -> list[Entries]:
    found = data.get("train")
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list | tuple) else [data]


def _test_sets(data: Entries) -> dict[str, Entries]:
    if "train" not in data:
        return {}
    found = data.get("test")
    if isinstance(found, Mapping) and found:
        return {str(name): item for name, item in found.items() if isinstance(item, Mapping)}
    return {str(item.get("name")): item for item in _training_sets(data)}


def _alike(member: Entries, members: list[Entries]) -> bool:
    return sum(other.get("name") == member.get("name") for other in members) > 1


def _told(member: Entries, alike: bool) -> str:
    """Return a data set's name, with the settings that are not its usual ones, and its folder if others are alike."""
    name = str(member.get("name", ""))
    details = [f"{entry} {label_of(value)}" for entry, value in _unusual(member)]
    folder = member.get("root")
    if alike and isinstance(folder, str):
        details.append(f"in {PurePath(folder).name}")
    return f"{name} ({', '.join(details)})" if details else name


def _unusual(member: Entries) -> Iterator[tuple[str, object]]:
    name = str(member.get("name", ""))
    if name not in DATASETS.names():
        return
    config = DATASETS.config_class(name)
    usual = {
        entry: _plain(field.get_default(call_default_factory=True)) for entry, field in config.model_fields.items()
    }
    hidden = ("name", *_OF_ALL, *getattr(config, "places", ()))
    yield from ((entry, value) for entry, value in member.items() if entry not in hidden and usual.get(entry) != value)


def _plain(value: object) -> object:
    return value.model_dump(mode="json") if isinstance(value, Config) else value
