"""The bases of every component's config: data, model, loss, scorer; and the readout. No torch."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
)

from reid_search.errors import StudyError
from reid_search.study.component import SCORERS, Config
from reid_search.study.trial.side_cars import SideCar
from reid_search.study.trial.taps import VECTORS, Scope, TapSpec

ImageSize = tuple[Annotated[int, Field(ge=8, le=2048)], Annotated[int, Field(ge=8, le=2048)]]


class DataConfig(Config):
    """Which images a trial learns from and is tested on; each data set's own config extends this.

    `places` are the entries that say where files lie; what lies there is in the fingerprint.

    Attributes:
        name: The data set, `synthetic` or `market1501`.
        image_size: Height and width in pixels to which every image is resized.
        holdout: Share of the training identities kept for validation; answers train with 0.
        split_seed: Seed of the identity-disjoint validation split, constant in a search.
    """

    places: ClassVar[tuple[str, ...]] = ()
    name: str
    image_size: ImageSize = (64, 32)
    holdout: float = Field(default=0.2, ge=0.0, lt=1.0)
    split_seed: int = Field(default=0, ge=0)

    @property
    def offers(self) -> frozenset[SideCar]:
        """What accompanies every image (part maps, keypoints) or training identity (attributes)."""
        return frozenset()

    def how_to_offer(self, kind: SideCar) -> str:
        """Say what would make the data set offer a side-car that it lacks."""
        del kind
        return f"no setting of data set '{self.name}' offers them"

    def redrawn(self, number: int) -> "DataConfig":
        """Return this data set drawn another time, as `redraw_data` asks for.

        Args:
            number: Which draw, from 0, which is this one.

        Raises:
            StudyError: The data set is not drawn.
        """
        del number
        raise StudyError(
            f"redraw_data: true: data set '{self.name}' is not drawn; allowed: false, or data that are (synthetic)"
        )

    @abstractmethod
    def fingerprint(self) -> str:
        """Return what identifies the images and labels (16 hex digits), without reading the images themselves.

        Raises:
            DataError: The data set is missing or of another layout.
        """

    def at(self, root: Path) -> "DataConfig":
        """Return this config reading from `root`, as `--data` asks for.

        Raises:
            StudyError: The data set is not read from a folder.
        """
        raise StudyError(f"--data {root}: data set '{self.name}' is not read from a folder; allowed: name: market1501")


class ModelConfig(Config):
    """An architecture and its settings; each architecture's own config extends this.

    `default_losses` are the losses of a trial that names none; `modes` are the ways in which a stage of training may
    use the model, beside the one in which it is tested.

    Attributes:
        architecture: The architecture's name, `mgn` or `baseline`.
    """

    architecture: str
    default_losses: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    modes: ClassVar[tuple[str, ...]] = ()

    @property
    def needs(self) -> frozenset[SideCar]:
        """What must accompany every image, in training and in testing: `maps`, `keypoints`."""
        return frozenset()

    @property
    def default_readout(self) -> tuple[str, ...]:
        """The taps of a readout that names none."""
        return ()

    @abstractmethod
    def taps(self, image_size: tuple[int, int]) -> tuple[TapSpec, ...]:
        """Return every tap that the model offers for images of this height and width.

        Raises:
            StudyError: The settings do not fit the image size (more stripes than rows).
        """


class LossConfig(Config):
    """A loss on taps; each kind's own config extends this.

    `scopes` are those that the loss can sit on, `of_identities` says whether it looks at who is on the images.

    Attributes:
        kind: The loss, `cross_entropy` or `triplet`.
        on: Tap patterns it sits on; an empty list switches it off.
        weight: Factor of the mean over its taps.
    """

    kind: str
    scopes: ClassVar[frozenset[Scope]] = VECTORS
    of_identities: ClassVar[bool] = True
    on: tuple[str, ...] = ()
    weight: float = Field(default=1.0, ge=0.0)

    @property
    def needs(self) -> frozenset[SideCar]:
        """What must accompany the training images: `maps`, `keypoints`, `attributes`."""
        return frozenset()

    def check_taps(self, taps: Sequence[TapSpec]) -> None:
        """Make sure that the loss can sit on these taps, beyond their scopes.

        Args:
            taps: The taps that `on` selects; not empty.

        Raises:
            StudyError: A tap is of a shape that the loss cannot sit on.
        """

    @field_validator("on", mode="before")
    @classmethod
    def _one_pattern_is_a_list(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value


class ScorerConfig(Config):
    """How distances are made from features otherwise than by `metric`; each kind's own config extends this.

    Attributes:
        kind: The scorer, `k_reciprocal` or `pair_head`.
    """

    kind: str

    @property
    def loss(self) -> str | None:
        """Name of the loss whose trained head it uses; None where it uses none."""
        return None

    @property
    def transductive(self) -> bool:
        """Whether a pair's distance depends on other images of the gallery."""
        return True

    def problem_with(self, loss: LossConfig) -> str | None:
        """Return why the head of this loss cannot serve; None where it can."""
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
        scorer: What makes other distances of them, such as re-ranking; none where omitted.
        control: Whether it may read taps that no loss trains. It changes no measurement, and no name of one.
    """

    taps: tuple[str, ...] = ()
    normalize: Literal["all", "blocks", "none"] = "all"
    flip: bool = True
    metric: Literal["cosine", "euclidean"] = "cosine"
    scorer: AnyScorer | None = None
    control: bool = False

    @field_validator("taps", mode="before")
    @classmethod
    def _one_pattern_is_a_list(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @model_serializer(mode="wrap")
    def _mention_only_a_mark(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        content: dict[str, object] = handler(self)
        if not self.control:
            content.pop("control", None)
        return content

    @property
    def unmarked(self) -> Self:
        """What is measured, whether it is a control or not."""
        return self.model_copy(update={"control": False})
