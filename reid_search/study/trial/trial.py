"""What one trial is: data, model, losses on taps, training, readouts. Everything here is known without torch."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SerializeAsAny, ValidationError, model_validator

from reid_search.errors import StudyError, nearest
from reid_search.study.component import ARCHITECTURES, DATASETS, LOSSES, Config, EntryError
from reid_search.study.language.merge import merged
from reid_search.study.language.places import Place
from reid_search.study.language.validation_errors import first_problem
from reid_search.study.trial.config import DataConfig, LossConfig, ModelConfig, ReadoutConfig, ScorerConfig
from reid_search.study.trial.side_cars import SideCar, in_words, missing
from reid_search.study.trial.taps import TapSpec, select_taps, untrained
from reid_search.study.trial.training import StageConfig, TrainingConfig


def _entry_name(name: str) -> str:
    """Refuse what cannot be a step of a dotted path, a module of torch and a folder."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise ValueError(f"'{name}' should hold letters, digits, '_' and '-' only, and begin with a letter or digit")
    return name


EntryName = Annotated[str, AfterValidator(_entry_name)]
AnyData = Annotated[SerializeAsAny[DataConfig], DATASETS]
AnyModel = Annotated[SerializeAsAny[ModelConfig], ARCHITECTURES]
AnyLoss = Annotated[SerializeAsAny[LossConfig], LOSSES]


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
            _check_taps(name, loss, self.loss_taps(name))
        if not any(self.loss_taps(name) for name in self.losses):
            raise EntryError("every loss is switched off, so nothing would be learnt; place one on a tap", "losses")
        if not self.readouts:
            raise EntryError("at least one readout is needed, such as default: {}", "readouts")
        for name in self.readouts:
            self._check_readout(name, offered)
        return self

    @model_validator(mode="after")
    def _data_offer_what_is_needed(self) -> "TrialConfig":
        if lacking := _lacking(self.model.needs, self.data):
            raise EntryError(f"architecture '{self.model.architecture}' needs {lacking}", "data")
        for name, loss in self.losses.items():
            lacking = _lacking(loss.needs, self.data) if self.loss_taps(name) else None
            if lacking:
                raise EntryError(f"loss '{loss.kind}' needs {lacking}", "losses", name)
        return self

    @model_validator(mode="after")
    def _images_keep_their_side_cars(self) -> "TrialConfig":
        accompanied = (self.model.needs | self.training_needs) - {"attributes"}
        if self.training.augment.auto and accompanied:
            message = f"AutoAugment moves pixels but not {' and '.join(sorted(accompanied))}, which this trial needs"
            raise EntryError(f"{message}; allowed: 0", "training", "augment", "auto")
        return self

    @model_validator(mode="after")
    def _stages_learn(self) -> "TrialConfig":
        for index, stage in enumerate(self.training.stages):
            for message, *path in _problems_of_stage(self, stage):
                raise EntryError(message, "training", "stages", index, *path)
        return self

    def stage_data(self, stage: StageConfig) -> DataConfig:
        """Return the data that a stage learns from; of another data set, with what both have of the trial's entries."""
        if not stage.data:
            return self.data
        content = merged(self.data.model_dump(mode="json"), stage.data, Place(DATASETS))
        return DATASETS.validate(content)  # type: ignore[return-value]

    @property
    def training_needs(self) -> frozenset[SideCar]:
        """What the losses at work need of the training images."""
        return frozenset(kind for name, loss in self.losses.items() if self.loss_taps(name) for kind in loss.needs)

    def loss_taps(self, name: str) -> list[TapSpec]:
        """Return the taps that a loss sits on; none where it is switched off."""
        loss = self.losses[name]
        if loss.weight == 0:
            return []
        return select_taps(loss.on, self.model.taps(self.data.image_size))

    @property
    def loss_sites(self) -> list[TapSpec]:
        """The taps that a loss sits on in some stage of training, whatever of the model trains in it."""
        stages = self.training.resolved_stages
        at_work = (name for name in self.losses if any(name in (stage.losses or self.losses) for stage in stages))
        return [tap for name in at_work for tap in self.loss_taps(name)]

    def untrained_taps(self, readout: str) -> dict[TapSpec, frozenset[str]]:
        """Return the taps of a readout that are not trained throughout, with the modules that no loss trains."""
        return untrained(self.readout_taps(readout), self.loss_sites)

    @property
    def trained_taps(self) -> list[TapSpec]:
        """Every tap that is trained throughout."""
        offered = self.model.taps(self.data.image_size)
        bare = untrained(offered, self.loss_sites)
        return [tap for tap in offered if tap not in bare]

    def readout_taps(self, name: str) -> list[TapSpec]:
        """Return the taps that a readout concatenates."""
        patterns = self.readouts[name].taps or self.model.default_readout
        return select_taps(patterns, self.model.taps(self.data.image_size))

    def can_measure(self, readout: ReadoutConfig) -> bool:
        """Say whether this trial could be tested so: the model has the taps, and a loss at work the scoring head."""
        alone = self.model_copy(update={"readouts": {"default": readout}})
        try:
            alone._check_readout("default", self.model.taps(self.data.image_size))
        except EntryError:
            return False
        return True

    def _check_readout(self, name: str, offered: Sequence[TapSpec]) -> None:
        readout = self.readouts[name]
        _check_patterns(("readouts", name, "taps"), readout.taps or self.model.default_readout, offered)
        if not self.readout_taps(name):
            message = f"{list(readout.taps)} select no tap of this model; {nearest('', [tap.key for tap in offered])}"
            raise EntryError(message, "readouts", name, "taps")
        if readout.scorer and readout.scorer.loss is not None:
            self._check_head(name, readout.scorer, readout.scorer.loss)

    def _check_head(self, readout: str, scorer: ScorerConfig, loss: str) -> None:
        place = ("readouts", readout, "scorer")
        if loss not in self.losses or not self.loss_taps(loss):
            at_work = [other for other in self.losses if self.loss_taps(other)]
            message = f"no loss '{loss}' is at work whose head could score; {nearest(loss, at_work)}"
            raise EntryError(message, *place)
        if problem := scorer.problem_with(self.losses[loss]):
            raise EntryError(problem, *place)
        normalize = self.readouts[readout].normalize
        if normalize != "none":
            message = f"'{normalize}', but the head of loss '{loss}' was trained on features as they are; allowed: none"
            raise EntryError(message, "readouts", readout, "normalize")
        read, trained = self.readout_taps(readout), self.loss_taps(loss)
        if read != trained:
            message = (
                f"the head of loss '{loss}' scores {', '.join(tap.key for tap in trained)}, but the readout has "
                f"{', '.join(tap.key for tap in read)}; give both the same taps"
            )
            raise EntryError(message, "readouts", readout, "taps")


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


def _check_taps(name: str, loss: LossConfig, taps: Sequence[TapSpec]) -> None:
    for tap in taps:
        if tap.scope not in loss.scopes:
            allowed = ", ".join(sorted(loss.scopes))
            message = f"loss '{loss.kind}' cannot sit on {tap.key}, whose scope is '{tap.scope}'; allowed: {allowed}"
            raise EntryError(message, "losses", name, "on")
    try:
        if taps:
            loss.check_taps(taps)
    except StudyError as error:
        raise EntryError(str(error), "losses", name, "on") from None


def _lacking(needed: Iterable[SideCar], data: DataConfig) -> str | None:
    """Say what is needed and not offered, and what would help; None where nothing is lacking."""
    kinds = missing(needed, data.offers)
    return f"{in_words(kinds[0])}, and there are none; {data.how_to_offer(kinds[0])}" if kinds else None


def _problems_of_stage(config: TrialConfig, stage: StageConfig) -> Iterator[tuple[str, ...]]:
    """Yield what is wrong with a stage, with the entry of the stage that it stands in."""
    names = list(config.losses) if stage.losses is None else list(stage.losses)
    for name in names:
        if name not in config.losses:
            yield f"unknown loss '{name}'; {nearest(name, config.losses)}", "losses"
            return
    if not any(config.loss_taps(name) for name in names):
        yield (f"no loss of stage '{stage.name}' sits on a tap, so nothing would be learnt in it",)
    if stage.mode is not None and stage.mode not in config.model.modes:
        yield (
            f"architecture '{config.model.architecture}' has no mode '{stage.mode}'; "
            f"{nearest(stage.mode, config.model.modes)}",
            "mode",
        )
    if stage.data:
        yield from _problems_of_stage_data(config, stage, names)


def _problems_of_stage_data(config: TrialConfig, stage: StageConfig, names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for name in names:
        if config.loss_taps(name) and config.losses[name].of_identities:
            yield f"loss '{name}' looks at identities, which are others in other data; leave it out here", "losses"
    try:
        data = config.stage_data(stage)
    except ValidationError as error:
        yield first_problem(error), "data"
        return
    if data.image_size != config.data.image_size:
        yield "images of another size than in the other stages", "data"
    needed = config.model.needs.union(*(config.losses[name].needs for name in names))
    if lacking := _lacking(needed, data):
        yield f"this stage needs {lacking}", "data"
