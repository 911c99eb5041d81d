"""Base classes of the components' configs (data, model, loss, scorer), and the readout. No torch."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, NamedTuple, Self

from pydantic import BeforeValidator, Field, SerializeAsAny, field_validator

from reid_search.errors import StudyError
from reid_search.study.component import ARCHITECTURES, SCORERS, Config
from reid_search.study.language.document import EntryPath
from reid_search.study.rules import MARKET_RULE, EvaluationRule
from reid_search.study.trial.side_cars import PREDICTED, SideCar
from reid_search.study.trial.taps import VECTORS, Scope, TapSpec
from reid_search.study.trial.weights import WeightsConfig

if TYPE_CHECKING:
    from reid_search.study.trial.training import TrainingConfig

_Side = Annotated[int, Field(ge=8, le=2048)]
ImageSize = tuple[_Side, _Side]
Interpolation = Literal["bilinear", "bicubic"]
Seed = Annotated[int, Field(ge=0, le=10**12)]

RESIZING = ("image_size", "interpolation")
"""Entries of `data` that say how images are resized, and nothing of the images themselves."""

OF_ANY_SET = (*RESIZING, "holdout", "split_seed")
"""Entries of `data` that every data set has, and that say nothing of its files."""

Patterns = Annotated[tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)]


@dataclass(frozen=True)
class DataFacts:
    """What is known of a data set before it is trained on.

    Attributes:
        fingerprint: Identifies images, labels and side-cars.
        unused: How many files were found and are not used, by reason.
        notes: What else is worth knowing: counts other than the published ones, a withdrawn data set.
    """

    fingerprint: str
    unused: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Say what is not used and what else is worth knowing; empty if there is nothing."""
        return "; ".join([*([f"not used: {self.unused_in_words}"] if self.unused else []), *self.notes])

    def told_of(self, prefix: str) -> "DataFacts":
        """Return the same facts, each beginning with a data set's name: `market1501 (in mA): `."""
        unused = {f"{prefix}{reason}": count for reason, count in self.unused.items()}
        return DataFacts(self.fingerprint, unused, tuple(f"{prefix}{note}" for note in self.notes))

    @property
    def unused_in_words(self) -> str:
        """The numbers of files that are not used: `hidden files (3), unreadable images (1)`."""
        return ", ".join(f"{reason} ({count:,})" for reason, count in self.unused.items())


class DataConfig(Config):
    """Which images a trial learns from and is tested on; the config of each data set extends this.

    `places` are the entries that say where files are; the files themselves are in the fingerprint. `is_drawn` says that
    the people are computed rather than photographed.

    Attributes:
        name: The data set, `synthetic` or `market1501`.
        image_size: Height and width in pixels to which every image is resized.
        interpolation: How, by Pillow, which smooths what it makes smaller: `bilinear`, or `bicubic` (torchvision's
            `interpolation=3`, and what MATLAB does if told nothing).
        holdout: Share of the training identities kept for validation, [0, 1); answers train with 0.
        split_seed: Seed of the identity-disjoint validation split, constant in a search.
    """

    places: ClassVar[tuple[str, ...]] = ()
    is_drawn: ClassVar[bool] = False
    written_if_set: ClassVar[tuple[str, ...]] = ("interpolation",)
    name: str
    image_size: ImageSize = (64, 32)
    interpolation: Interpolation = "bilinear"
    holdout: float = Field(default=0.2, ge=0.0, lt=1.0)
    split_seed: Seed = 0

    @property
    def rule(self) -> EvaluationRule:
        """The rule by which its test is evaluated: what a ranking leaves out, and which gallery is searched."""
        return MARKET_RULE

    @property
    def validation_rule(self) -> EvaluationRule:
        """The rule by which held-out training images are ranked.

        Raises:
            StudyError: There are several data sets to train on, with different rules.
        """
        return self.rule

    @property
    def sets(self) -> "tuple[SetUse, ...]":
        """Every data set that is read, each once: those to train on first."""
        return (SetUse(self),)

    @property
    def tested(self) -> "Mapping[str, DataConfig]":
        """The data set of each test split: `test`, and with several data sets `test/<name>` too."""
        return {"test": self}

    @property
    def as_entries(self) -> dict[str, object]:
        """Its entries as JSON has them."""
        return self.model_dump(mode="json")

    @property
    def located(self) -> Mapping[str, str]:
        """Where its files are, by entry."""
        return {place: str(getattr(self, place, None)) for place in self.places}

    def unplaced(self, entries: Mapping[str, object]) -> dict[str, object]:
        """Return entries of this config without those that say where files are."""
        return {name: value for name, value in entries.items() if name not in self.places}

    @property
    def offers(self) -> frozenset[SideCar]:
        """What comes with every image (part maps, keypoints) or training identity (attributes)."""
        return frozenset()

    def origin_of(self, kind: SideCar) -> str:
        """Return where a side-car comes from: `predicted`, `truth` or `truth with noise 0.5`."""
        del kind
        return PREDICTED

    @property
    def train_identities(self) -> int | None:
        """Number of training identities, held out ones included; None if only the files tell."""
        return None

    @property
    def train_images(self) -> int | None:
        """Number of training images, held out ones included; None if only the files tell."""
        return None

    def how_to_offer(self, kind: SideCar) -> str:
        """Say how to make the data set offer a side-car that it lacks."""
        del kind
        return f"no setting of data set '{self.name}' offers them"

    def misplaced(self) -> Iterator[tuple[EntryPath, str]]:
        """Yield what is not at the place that an entry names, each with the entry's path here."""
        yield from ()

    def redrawn(self, number: int) -> "DataConfig":
        """Return draw `number` of this data set, for `redraw_data`; draw 0 is this one.

        Raises:
            StudyError: The data set is not drawn at random.
        """
        del number
        allowed = "allowed: false, or data that are, such as synthetic"
        raise StudyError(f"redraw_data: true: data set '{self.name}' is not drawn at random; {allowed}")

    @abstractmethod
    def fingerprint(self) -> str:
        """Return what identifies the images and labels: their content, or what they are drawn from.

        Raises:
            DataError: The data set is missing or has another layout.
        """

    def facts(self) -> DataFacts:
        """Return what is known of the data set before it is trained on.

        Raises:
            DataError: The data set is missing or has another layout.
        """
        return self.facts_and_check()[0]

    def facts_and_check(self) -> "tuple[DataFacts, Callable[[SetUse], Seen]]":
        """Read the data set once; return what is known of it, and a check for uses that differ in the holdout alone.

        The check returns which images are used, by content. It raises DataError where a person is in training and
        test, no query could find a match, the holdout is of no use, or an image lacks a side-car that it needs.

        Raises:
            DataNotGiven: The study does not say where the data are.
            DataError: The data set is missing or has another layout.
        """
        return DataFacts(self.fingerprint()), lambda _: Seen()

    def at(self, root: Path) -> "DataConfig":
        """Return this config with `root` as its folder, for `--data`.

        Raises:
            StudyError: The data set is not read from a folder.
        """
        raise StudyError(f"--data {root}: data set '{self.name}' is not read from a folder; allowed: name: market1501")


class SetUse(NamedTuple):
    """A data set and what a trial does with it.

    Attributes:
        data: The data set.
        train: Whether the trial learns from its training images.
        test: Whether it is tested on its queries and gallery.
        needs: The side-cars that images of each table need, of which those of used tables are asked.
    """

    data: DataConfig
    train: bool = True
    test: bool = True
    needs: "Mapping[str, frozenset[SideCar]]" = MappingProxyType({})

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables of images that are used."""
        return (*(("train",) if self.train else ()), *(("query", "gallery") if self.test else ()))


class Seen(NamedTuple):
    """The images that are trained on and those that are tested on: where each lies, by its content.

    Attributes:
        trained: The training images, if these are used.
        held: Those of the training images that are held out for validation.
        tested: The queries and the gallery, if these are used.
        own_test: The queries and the gallery of the data set, whether these are used or not.
        learnt: How many identities and how many images are left to train on; None where no files were read.
    """

    trained: Mapping[str, str] = MappingProxyType({})
    held: Mapping[str, str] = MappingProxyType({})
    tested: Mapping[str, str] = MappingProxyType({})
    own_test: Mapping[str, str] = MappingProxyType({})
    learnt: tuple[int, int] | None = None


class ModelConfig(Config):
    """An architecture and its settings; the config of each architecture extends this.

    `default_losses` are the losses of a trial that names none; `modes` are the ways in which a stage of training may
    use the model, other than the one in which it is tested.

    Attributes:
        architecture: The architecture's name, `mgn` or `baseline`.
    """

    architecture: str
    default_losses: ClassVar[Mapping[str, Mapping[str, object]]] = {}
    modes: ClassVar[tuple[str, ...]] = ()

    @property
    def needs(self) -> frozenset[SideCar]:
        """What must come with every image, in training and in testing: `maps`, `keypoints`."""
        return frozenset()

    @property
    def pretrained(self) -> Mapping[str, tuple[str, WeightsConfig]]:
        """The pretrained weights in use, by the entry that names them, each with the backbone that it fills."""
        return {}

    @property
    def default_readout(self) -> tuple[str, ...]:
        """The taps of a readout that names none."""
        return ()

    def check_image_size(self, image_size: tuple[int, int]) -> None:
        """Refuse images that the model cannot take, whatever its taps.

        Raises:
            StudyError: They are too small, or of a size that its backbone does not take.
        """

    @abstractmethod
    def taps(self, image_size: tuple[int, int]) -> tuple[TapSpec, ...]:
        """Return every tap that the model offers for images of this height and width.

        Raises:
            StudyError: The settings do not fit the image size (more stripes than rows).
        """


def default_losses(model: object) -> Mapping[str, Mapping[str, object]] | None:
    """Return the losses by default of the architecture that a model's plain data name; None where they name none."""
    name = model.get(ARCHITECTURES.discriminator) if isinstance(model, Mapping) else None
    return ARCHITECTURES.config_class(str(name)).default_losses if name in ARCHITECTURES.names() else None  # type: ignore[attr-defined]


_LEAST_WEIGHT = 1e-9


class LossConfig(Config):
    """A loss on taps; the config of each kind extends this.

    `scopes` are the scopes of taps that it accepts, `of_identities` says whether it uses identity labels, and
    `compares_images` whether it learns from images of a batch that show one person and others that do not.

    Attributes:
        kind: The loss, `cross_entropy` or `triplet`.
        on: Patterns of the taps that it sits on; an empty list switches it off.
        weight: Factor of the mean over its taps, from 1e-9 to 1e6, or 0, which switches it off.
    """

    kind: str
    scopes: ClassVar[frozenset[Scope]] = VECTORS
    of_identities: ClassVar[bool] = True
    compares_images: ClassVar[bool] = False
    on: Patterns = ()
    weight: float = Field(default=1.0, ge=0.0, le=1e6)

    @field_validator("weight")
    @classmethod
    def _counts_or_is_off(cls, weight: float) -> float:
        if 0.0 < weight < _LEAST_WEIGHT:
            rule = f"0, which switches the loss off, or at least {_LEAST_WEIGHT:g}"
            raise ValueError(f"{weight:g} would be lost in rounding; allowed: {rule}")
        return weight

    @property
    def needs(self) -> frozenset[SideCar]:
        """What must come with the training images: `maps`, `keypoints`, `attributes`."""
        return frozenset()

    def check_taps(self, taps: Sequence[TapSpec]) -> None:
        """Check the taps that `on` selects, beyond their scopes.

        Raises:
            StudyError: The loss does not accept the shape of a tap.
        """

    def check_training(self, training: "TrainingConfig", stages: Sequence[str]) -> None:
        """Check what it asks of the training, such as its batches.

        Args:
            training: The training.
            stages: The names of the stages that use the loss.

        Raises:
            EntryError: The training is not as the loss needs it; the path is that of the loss's entry.
        """


class ScorerConfig(Config):
    """How distances are computed if not by the readout's `metric`; the config of each kind extends this.

    Attributes:
        kind: The scorer, `k_reciprocal` or `pair_head`.
    """

    kind: str

    @property
    def loss(self) -> str | None:
        """Name of the loss whose trained head it uses, if any."""
        return None

    @property
    def transductive(self) -> bool:
        """Whether a pair's distance depends on other images of the gallery."""
        return True

    def problem_with(self, loss: LossConfig) -> str | None:
        """Return why it cannot use the head of this loss, or None."""
        del loss
        return None


AnyScorer = Annotated[
    SerializeAsAny[ScorerConfig],
    SCORERS,
    BeforeValidator(lambda value: {"kind": value} if isinstance(value, str) else value),
]


class ReadoutConfig(Config):
    """How a trained trial is tested.

    Attributes:
        taps: Tap patterns whose features are concatenated; empty means the architecture's own choice.
        normalize: L2 norm of each tap (`blocks`), of the concatenation (`all`), or `none`.
        flip: Average the features of the image and of the mirrored image.
        metric: Distance between features.
        scorer: What computes other distances, such as re-ranking; none if omitted.
        control: Whether it may read taps that no loss trains. This changes no measurement and no key.
    """

    written_if_set: ClassVar[tuple[str, ...]] = ("control",)
    taps: Patterns = ()
    normalize: Literal["all", "blocks", "none"] = "all"
    flip: bool = True
    metric: Literal["cosine", "euclidean"] = "cosine"
    scorer: AnyScorer | None = None
    control: bool = False

    @property
    def unmarked(self) -> Self:
        """The readout without `control`, which does not change what is measured."""
        return self.model_copy(update={"control": False})
