"""Settings of a study on several data sets: which are trained on together, and which are tested on, by name."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from reid_search.errors import StudyError
from reid_search.study import DATASETS, DataConfig, EntryName, EvaluationRule, SideCar
from reid_search.study.component import AbsolutePath, ByName, EntryError, absolute
from reid_search.study.language.document import EntryPath
from reid_search.study.language.places import Entries
from reid_search.study.trial.config import OF_ANY_SET, DataFacts, SetUse
from reid_search.study.trial.key import fingerprint_of_sets, joint_facts

_OF_ALL = (*OF_ANY_SET, "skip_broken")


def _listed(value: object) -> object:
    return [value] if isinstance(value, Mapping | str | DataConfig) else value


Member = Annotated[SerializeAsAny[DataConfig], DATASETS, ByName(DATASETS)]


class SeveralConfig(DataConfig):
    """Several data sets. `name: several` may be left out where `train` is given.

    Training joins the people of all of `train`; no two sets share a person or a camera. Each set holds out its own
    share of people for validation, and these are ranked together. Each test is ranked by itself, by the rule of its
    data set, and measured as `test/<name>/mAP`; `test/mAP` is that of the first.

    Attributes:
        train: The data sets to train on; one of them may be given by its name alone.
        test: The data sets to test on, by a name; those of `train` under their own names where omitted.
        root: Folder that holds each data set without a root of its own in a folder of its name; `--data` sets it.
        skip_broken: Whether images that cannot be read are left out, and counted, instead of being an error.
    """

    places: ClassVar[tuple[str, ...]] = ("root",)
    name: Literal["several"]
    train: Annotated[tuple[Member, ...], Entries(DATASETS), BeforeValidator(_listed), Field(min_length=1)]
    test: dict[EntryName, Member] = Field(default_factory=dict)
    root: AbsolutePath | None = None
    skip_broken: bool = False

    @model_validator(mode="before")
    @classmethod
    def _size_of_the_first(cls, value: object) -> object:
        """Give images the usual size of the first data set, where none is given."""
        if not isinstance(value, Mapping) or "image_size" in value:
            return value
        members = _listed(value.get("train"))
        first = members[0] if isinstance(members, Sequence) and members else None
        if isinstance(first, DataConfig):
            return {**value, "image_size": first.image_size}
        name = DATASETS.name_in(first) if isinstance(first, Mapping) else first
        if str(name) not in DATASETS.names():
            return value  # said where it is validated
        return {**value, "image_size": DATASETS.config_class(str(name)).model_fields["image_size"].default}

    @model_validator(mode="after")
    def _one_setting_for_all(self) -> Self:
        for place, member in self._members():
            if isinstance(member, SeveralConfig):
                raise EntryError("several data sets within several; list all of them in one", *place)
            for name in sorted({*_OF_ALL} & member.model_fields_set):
                raise EntryError(f"one value holds for all data sets; write it once, as data.{name}", *place, name)
        for index, member in enumerate(self.train):
            if member in self.train[:index]:
                raise EntryError("this data set is in the list twice; train on it once", "train", index)
        if not self.test and len(set(self._own_names())) < len(self.train):
            names = ", ".join(self._own_names())
            raise EntryError(f"missing: the data sets to train on ({names}) are not told apart by their names", "test")
        return self

    @model_serializer(mode="wrap")
    def _write_settings_of_all_once(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        content: dict[str, object] = handler(self)
        members = [*content.get("train", ()), *content.get("test", {}).values()]  # type: ignore[misc, attr-defined]
        for member in members:
            for name in _OF_ALL:
                member.pop(name, None)
        if not self.skip_broken:
            content.pop("skip_broken", None)
        if self.interpolation == "bilinear":
            content.pop("interpolation", None)
        if not self.test:
            content.pop("test", None)
        if self.root is None:
            content.pop("root", None)
        return content

    @property
    def sets(self) -> tuple[SetUse, ...]:
        """Every data set that is read, each once: those to train on first."""
        trained, tested = self._trained, list(self.tested.values())
        others = [item for index, item in enumerate(tested) if item not in [*trained, *tested[:index]]]
        return (
            *(SetUse(item, train=True, test=item in tested) for item in trained),
            *(SetUse(item, train=False, test=True) for item in others),
        )

    @property
    def tested(self) -> Mapping[str, DataConfig]:
        """The data set of each test split: `test`, the first, and every `test/<name>`."""
        named = self.test or dict(zip(self._own_names(), self.train, strict=True))
        own = {f"test/{name}": self._with_own(item) for name, item in named.items()}
        return {"test": next(iter(own.values())), **own}

    @property
    def rule(self) -> EvaluationRule:
        """The rule of the first test."""
        return self.tested["test"].rule

    @property
    def validation_rule(self) -> EvaluationRule:
        """The rule of all data sets to train on."""
        rules = {str(member.rule): member.rule for member in self._trained}
        if len(rules) > 1:
            told = ", ".join(f"'{member.rule}' of {member.name}" for member in self._trained)
            raise StudyError(
                f"data.train: held-out people of sets with different rules ({told}) cannot be ranked together; "
                "allowed: holdout: 0, or sets with one rule"
            )
        return next(iter(rules.values()))

    @property
    def offers(self) -> frozenset[SideCar]:
        """The side-cars that all data sets to train on have."""
        return frozenset.intersection(*(member.offers for member in self._trained))

    @property
    def train_identities(self) -> int | None:
        """Those of all data sets to train on."""
        counts = [member.train_identities for member in self.train]
        return None if None in counts else sum(count for count in counts if count is not None)

    @property
    def train_images(self) -> int | None:
        """Those of all data sets to train on."""
        counts = [member.train_images for member in self.train]
        return None if None in counts else sum(count for count in counts if count is not None)

    def how_to_offer(self, kind: SideCar) -> str:
        """Say where a side-car is expected of the first data set that lacks it."""
        lacking = next(member for member in self._trained if kind not in member.offers)
        return f"{lacking.name}: {lacking.how_to_offer(kind)}"

    def misplaced(self) -> Iterator[tuple[EntryPath, str]]:
        """Yield what is not at the place that an entry of a data set names, each with the entry's path here."""
        for place, member in self._members():
            for entry, problem in member.misplaced():
                yield (*place, *entry), problem

    def redrawn(self, number: int) -> "SeveralConfig":
        """Return draw `number` of every data set; no draw of one set is another draw of another."""
        step = len(self.sets)
        return self.model_copy(
            update={
                "train": tuple(member.redrawn(number * step) for member in self.train),
                "test": {name: member.redrawn(number * step) for name, member in self.test.items()},
            }
        )

    def fingerprint(self) -> str:
        """Return one fingerprint for all data sets."""
        return self.facts().fingerprint

    def facts(self) -> DataFacts:
        """Return what is known of all data sets together."""
        return self.joined([use.data.facts() for use in self.sets])

    def joined(self, facts: Sequence[DataFacts]) -> DataFacts:
        """Return what is known of all data sets together, given what is known of each of `sets`."""
        fingerprint = fingerprint_of_sets(self, [item.fingerprint for item in facts])
        return joint_facts([(use.data, item) for use, item in zip(self.sets, facts, strict=True)], fingerprint)

    @property
    def located(self) -> Mapping[str, str]:
        """Where the files of each data set are."""
        tests = {f"test.{name}.{key}": at for name, item in self.test.items() for key, at in item.located.items()}
        return {**super().located, "train": str([member.located for member in self.train]), **tests}

    def unplaced(self, entries: Mapping[str, object]) -> dict[str, object]:
        """Return entries of this config without those of its data sets that say where files are."""
        found = super().unplaced(entries)
        if "train" in entries:
            found["train"] = [member.unplaced(_dumped(member)) for member in self.train]
        if "test" in entries:
            found["test"] = {name: member.unplaced(_dumped(member)) for name, member in self.test.items()}
        return found

    def at(self, root: Path) -> "SeveralConfig":
        """Return this config with `root` as the folder that holds the data sets.

        Raises:
            StudyError: Every data set that is read from a folder has one of its own.
        """
        if all(getattr(member, "root", "") is not None for _, member in self._members()):
            raise StudyError(f"--data {root}: every data set has a root of its own; leave out --data or these")
        return self.model_copy(update={"root": absolute(root)})

    def _members(self) -> Iterator[tuple[tuple[str | int, ...], DataConfig]]:
        yield from ((("train", index), member) for index, member in enumerate(self.train))
        yield from ((("test", name), member) for name, member in self.test.items())

    @property
    def _trained(self) -> list[DataConfig]:
        return [self._with_own(member) for member in self.train]

    def _own_names(self) -> list[str]:
        return [member.name for member in self.train]

    def _with_own(self, member: DataConfig) -> DataConfig:
        """Return a data set with the settings that hold for all."""
        settings = {name: getattr(self, name) for name in _OF_ALL if name in type(member).model_fields}
        if self.root is not None and getattr(member, "root", "") is None:
            settings["root"] = self.root / member.name
        return member.model_copy(update=settings)


def _dumped(member: DataConfig) -> dict[str, object]:
    return {name: value for name, value in member.model_dump(mode="json").items() if name not in _OF_ALL}


CONFIG = SeveralConfig
