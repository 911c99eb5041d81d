"""What one trial is: data, model, losses on taps, training, readouts. Everything here is known without torch."""

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SerializeAsAny, field_validator, model_validator

from reid_search.errors import StudyError, nearest
from reid_search.study.component import ARCHITECTURES, DATASETS, LOSSES, Config, EntryError
from reid_search.study.merge import merged
from reid_search.study.taps import TapSpec, select_taps
from reid_search.study.training import TrainingConfig

ImageSize = tuple[Annotated[int, Field(ge=8, le=2048)], Annotated[int, Field(ge=8, le=2048)]]


class DataConfig(Config):
    """Which images a trial learns from and is tested on; each data set's own config extends this.

    Attributes:
        name: The data set, `synthetic` or `market1501`.
        image_size: Height and width in pixels to which every image is resized.
        holdout: Share of the training identities kept for validation; answers train with 0.
        split_seed: Seed of the identity-disjoint validation split, constant in a search.
    """

    name: str
    image_size: ImageSize = (64, 32)
    holdout: float = Field(default=0.2, ge=0.0, lt=1.0)
    split_seed: int = Field(default=0, ge=0)

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

    Attributes:
        architecture: The architecture's name, `mgn` or `baseline`.
    """

    architecture: str
    default_losses: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

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

    Attributes:
        kind: The loss, `cross_entropy` or `triplet`.
        on: Tap patterns it sits on; an empty list switches it off.
        weight: Factor of the mean over its taps.
    """

    kind: str
    on: tuple[str, ...] = ()
    weight: float = Field(default=1.0, ge=0.0)

    @field_validator("on", mode="before")
    @classmethod
    def _one_pattern_is_a_list(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value


class ReadoutConfig(Config):
    """How a trained trial is tested.

    Attributes:
        taps: Tap patterns whose features are concatenated; empty means the architecture's own choice.
        normalize: L2 norm of each tap (`blocks`), of the concatenation (`all`), or `none`.
        flip: Add the features of the mirrored image.
        metric: Distance between features.
    """

    taps: tuple[str, ...] = ()
    normalize: Literal["all", "blocks", "none"] = "all"
    flip: bool = True
    metric: Literal["cosine", "euclidean"] = "cosine"

    @field_validator("taps", mode="before")
    @classmethod
    def _one_pattern_is_a_list(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value


def _entry_name(name: str) -> str:
    """Refuse what cannot be a step of a dotted path, a module of torch and a folder."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise ValueError(f"'{name}' should hold letters, digits, '_' and '-' only, and begin with a letter or digit")
    return name


EntryName = Annotated[str, AfterValidator(_entry_name)]
AnyData = Annotated[SerializeAsAny[DataConfig], BeforeValidator(lambda value: DATASETS.validate(value))]
AnyModel = Annotated[SerializeAsAny[ModelConfig], BeforeValidator(lambda value: ARCHITECTURES.validate(value))]
AnyLoss = Annotated[SerializeAsAny[LossConfig], BeforeValidator(lambda value: LOSSES.validate(value))]


class TrialConfig(Config):
    """Everything that decides a trial's measurements, but for its seed.

    Attributes:
        data: The data set.
        model: The architecture.
        losses: Losses by name; the architecture's own `identity` and `triplet` are filled in.
        training: Budget, batches, optimiser, schedule, augmentation, stages.
        readouts: Ways to test what was trained; they do not change the training.
    """

    data: AnyData
    model: AnyModel
    losses: dict[EntryName, AnyLoss] = Field(default_factory=dict)
    training: TrainingConfig = Field(default_factory=TrainingConfig)
    readouts: dict[EntryName, ReadoutConfig] = Field(default_factory=lambda: {"default": ReadoutConfig()})

    @model_validator(mode="before")
    @classmethod
    def _fill_in_losses(cls, value: object) -> object:
        if not isinstance(value, Mapping) or not isinstance(value.get("model"), Mapping):
            return value
        architecture = value["model"].get("architecture")
        if architecture not in ARCHITECTURES.names():
            return value
        defaults = getattr(ARCHITECTURES.config_class(str(architecture)), "default_losses", {})
        given = value.get("losses") or {}
        if not isinstance(given, Mapping):
            return value
        return {**value, "losses": _with_default_losses(defaults, given)}

    @model_validator(mode="after")
    def _placements_exist(self) -> "TrialConfig":
        try:
            offered = self.model.taps(self.data.image_size)
        except StudyError as error:
            raise EntryError(str(error), "model") from None
        for name, loss in self.losses.items():
            _check_patterns(("losses", name, "on"), loss.on, offered)
        if not self.readouts:
            raise EntryError("at least one readout is needed, such as default: {}", "readouts")
        for name, readout in self.readouts.items():
            _check_patterns(("readouts", name, "taps"), readout.taps or self.model.default_readout, offered)
            if not self.readout_taps(name):
                message = (
                    f"{list(readout.taps)} select no tap of this model; {nearest('', [tap.key for tap in offered])}"
                )
                raise EntryError(message, "readouts", name, "taps")
        if not any(self.loss_taps(name) for name in self.losses):
            raise EntryError("every loss is switched off, so nothing would be learnt; place one on a tap", "losses")
        return self

    @model_validator(mode="after")
    def _stages_learn(self) -> "TrialConfig":
        for index, stage in enumerate(self.training.stages):
            names = self.losses if stage.losses is None else stage.losses
            unknown = [name for name in names if name not in self.losses]
            if unknown:
                message = f"unknown loss '{unknown[0]}'; {nearest(unknown[0], self.losses)}"
                raise EntryError(message, "training", "stages", index, "losses")
            if not any(self.loss_taps(name) for name in names):
                message = f"no loss of stage '{stage.name}' sits on a tap, so nothing would be learnt in it"
                raise EntryError(message, "training", "stages", index)
        return self

    def loss_taps(self, name: str) -> list[TapSpec]:
        """Return the taps that a loss sits on; none where it is switched off."""
        loss = self.losses[name]
        if loss.weight == 0:
            return []
        return select_taps(loss.on, self.model.taps(self.data.image_size))

    def epoch_metric(self, readout: str, metric: str) -> str:
        """Return the name under which an epoch's row holds a readout's metric: plain for the first, else prefixed."""
        return metric if readout == next(iter(self.readouts)) else f"{readout}/{metric}"

    def readout_taps(self, name: str) -> list[TapSpec]:
        """Return the taps that a readout concatenates."""
        patterns = self.readouts[name].taps or self.model.default_readout
        return select_taps(patterns, self.model.taps(self.data.image_size))


def _with_default_losses(
    defaults: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any]
) -> dict[str, Mapping[str, Any] | Any]:
    filled: dict[str, Any] = {}
    for name in {**defaults, **given}:
        default, wanted = defaults.get(name, {}), given.get(name, {})
        if not isinstance(wanted, Mapping):
            filled[name] = wanted
        elif wanted.get("kind", default.get("kind")) == default.get("kind"):
            filled[name] = merged(default, wanted)
        else:
            kept = {key: default[key] for key in ("on", "weight") if key in default}
            filled[name] = merged(kept, wanted)
    return filled


def _check_patterns(path: tuple[str, ...], patterns: Sequence[str], offered: Sequence[TapSpec]) -> None:
    try:
        select_taps(patterns, offered)
    except StudyError as error:
        raise EntryError(str(error), *path) from None
