"""One trial: data, model, losses on taps, training, readouts. No torch."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self, cast

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, SerializeAsAny, ValidationError, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from reid_search.errors import StudyError, nearest
from reid_search.study.component import ARCHITECTURES, DATASETS, LOSSES, Config, EntryError, inside
from reid_search.study.language.merge import merged
from reid_search.study.language.places import Place
from reid_search.study.language.validation_errors import first_problem
from reid_search.study.trial.config import (
    DataConfig,
    LossConfig,
    ModelConfig,
    ReadoutConfig,
    ScorerConfig,
    default_losses,
)
from reid_search.study.trial.recipes import KEY, over_recipe, recipe, recipe_names
from reid_search.study.trial.side_cars import SideCar, in_words, missing
from reid_search.study.trial.taps import TapSpec, select_taps, untrained
from reid_search.study.trial.training import StageConfig, TrainingConfig


def _entry_name(name: str) -> str:
    """Refuse names that cannot be a step of a dotted path, a torch module or a folder."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        rule = "a name holds letters, digits, '_' and '-' only, and begins with a letter or digit"
        raise ValueError(f"'{name}' is not a valid name; {rule}")
    return name


EntryName = Annotated[str, AfterValidator(_entry_name)]
AnyData = Annotated[SerializeAsAny[DataConfig], DATASETS]
AnyModel = Annotated[SerializeAsAny[ModelConfig], ARCHITECTURES]
AnyLoss = Annotated[SerializeAsAny[LossConfig], LOSSES]


class TrialConfig(Config):
    """Everything that decides a trial's measurements, except its seed.

    Attributes:
        data: The data set.
        model: The architecture.
        losses: Losses by name; the architecture's default losses are filled in.
        training: Budget, batches, optimiser, schedule, augmentation, stages.
        readouts: Ways to test the trained model; they do not change the training.
        from_recipe: The published system that it was made from; files write `recipe`, over which their other entries
            are laid.
    """

    also_written: ClassVar[tuple[str, ...]] = (KEY,)
    noted: ClassVar[tuple[str, ...]] = ("from_recipe",)
    written_if_set: ClassVar[tuple[str, ...]] = ("from_recipe",)
    data: AnyData
    model: AnyModel
    losses: dict[EntryName, AnyLoss] = Field(default_factory=dict)
    training: TrainingConfig = Field(default_factory=TrainingConfig)
    readouts: dict[EntryName, ReadoutConfig] = Field(default_factory=lambda: {"default": ReadoutConfig()})
    from_recipe: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _fill_in_losses(cls, value: object) -> object:
        if isinstance(value, Mapping):
            value = over_recipe(value, Place(cls))
        if not isinstance(value, Mapping) or not isinstance(value.get("model"), Mapping):
            return value
        defaults, given = default_losses(value["model"]), value.get("losses", {})
        if defaults is None or not isinstance(given, Mapping):
            return value
        return {**value, "losses": _with_default_losses(defaults, given)}

    @model_validator(mode="after")
    def _placements_exist(self) -> Self:
        try:
            self.model.check_image_size(self.data.image_size)
        except StudyError as error:
            raise EntryError(str(error), "data", "image_size") from None
        try:
            _ = self.offered_taps
        except StudyError as error:
            raise EntryError(str(error), "model") from None
        for name, loss in self.losses.items():
            self._check_loss(name, loss)
        if not any(self.loss_taps(name) for name in self.losses):
            self._refuse_no_loss()
        if not self.readouts:
            raise EntryError("at least one readout is needed, such as default: {}", "readouts")
        for name in self.readouts:
            self._check_readout(name)
        return self

    @model_validator(mode="after")
    def _data_offer_what_is_needed(self) -> Self:
        for data in (self.data, *self.data.tested.values()):
            if lacking := _lacking(self.model.needs, data):
                raise EntryError(f"architecture '{self.model.architecture}' needs {lacking}", "data")
        for name, loss in self.losses.items():
            if self.loss_taps(name) and (lacking := _lacking(loss.needs, self.data)):
                raise EntryError(f"loss '{loss.kind}' needs {lacking}", "losses", name)
        return self

    @model_validator(mode="after")
    def _images_keep_their_side_cars(self) -> Self:
        accompanied = (self.model.needs | self.training_needs) - {"attributes"}
        if self.training.augment.auto and accompanied:
            needed = f"AutoAugment moves pixels but not the {' and '.join(sorted(accompanied))} that this trial needs"
            raise EntryError(f"{needed}; allowed: 0", "training", "augment", "auto")
        return self

    @model_validator(mode="after")
    def _training_suits_the_losses(self) -> Self:
        for name in self.losses_at_work:
            loss = self.losses[name]
            if loss.compares_images:
                with inside("training", "batch"):
                    self.training.batch.check_compared(f"loss '{name}'")
            with inside("losses", name):
                loss.check_training(self.training, self._stages_with(name))
        return self

    @model_validator(mode="after")
    def _rates_are_of_losses_that_there_are(self) -> Self:
        for index, (pattern, _) in enumerate(self.training.optimizer.rates):
            kind, _, rest = pattern.partition(".")
            name = rest.partition(".")[0]
            if kind == "losses" and name not in (*self.losses, "*"):
                place = ("training", "optimizer", "rates", index)
                raise EntryError(f"'{pattern}': unknown loss '{name}'; {nearest(name, self.losses)}", *place)
        return self

    @model_validator(mode="after")
    def _crops_fit(self) -> Self:
        crop, size, model = self.training.augment.crop, self.data.image_size, self.model
        if crop is None:
            return self
        place = ("training", "augment", "crop")
        if crop[0] > size[0] or crop[1] > size[1]:
            raise EntryError(f"{list(crop)} is larger than the images; allowed: at most {list(size)}", *place)
        try:
            model.check_image_size(crop)
            same = model.taps(crop) == self.offered_taps and getattr(model, "pooling", None) != "fc"
        except StudyError as error:
            raise EntryError(str(error), *place) from None
        if not same:
            rule = f"architecture '{model.architecture}' depends on the size of its images here"
            raise EntryError(f"{list(crop)}, but {rule}, which is {list(size)} in testing; allowed: null", *place)
        return self

    @model_validator(mode="after")
    def _images_are_left(self) -> Self:
        augment, size = self.training.augment, self.training.augment.crop or self.data.image_size
        if augment.pad >= min(size):
            rule = f"images of {size[0]}×{size[1]} may be shifted out of sight"
            raise EntryError(f"{augment.pad}: {rule}; allowed: less than {min(size)}", "training", "augment", "pad")
        if augment.erase and not augment.erasing.fits(size):
            erasing = augment.erasing
            found = f"area {list(erasing.area)} and aspect {list(erasing.aspect)}"
            message = f"{found}: no such rectangle fits into images of {size[0]}×{size[1]}, so nothing would be erased"
            raise EntryError(f"{message}; allowed: erase 0, or another area", "training", "augment", "erasing")
        return self

    @model_validator(mode="after")
    def _stages_learn(self) -> Self:
        for index, stage in enumerate(self.training.stages):
            for message, *path in _problems_of_stage(self, stage):
                raise EntryError(message, "training", "stages", index, *path)
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Allow the key `recipe` too."""
        found = handler.resolve_ref_schema(handler(schema))
        laid = "A published system, over which the other entries are laid."
        found["properties"][KEY] = {"description": laid, "enum": list(recipe_names())}
        found["properties"].pop("from_recipe")
        return found

    def stage_data(self, stage: StageConfig) -> DataConfig:
        """Return the data that a stage learns from: the trial's, with the stage's entries laid over."""
        if not stage.data:
            return self.data
        return cast(
            DataConfig, DATASETS.validate(merged(self.data.model_dump(mode="json"), stage.data, Place(DATASETS)))
        )

    @property
    def offered_taps(self) -> tuple[TapSpec, ...]:
        """Every tap that the model offers.

        Raises:
            StudyError: The model does not fit the image size.
        """
        return self.model.taps(self.data.image_size)

    @property
    def training_needs(self) -> frozenset[SideCar]:
        """The side-cars that the losses in use need with the training images."""
        return frozenset(kind for name, loss in self.losses.items() if self.loss_taps(name) for kind in loss.needs)

    @property
    def needed_by_table(self) -> dict[str, frozenset[SideCar]]:
        """The side-cars that images of each table of its data need."""
        tested = dict.fromkeys(("query", "gallery", "multi_query"), self.model.needs)
        return {"train": self.model.needs | self.training_needs, **tested}

    def read_beside(self, split: str) -> str:
        """Return what the model reads beside each image of a split, and where it is from; empty if nothing is.

        Args:
            split: `val`, `test` or, of several tests, `test/<name>`.
        """
        trained = [use.data for use in self.data.sets if use.train]
        ranked = [self.data.tested[split]] if split in self.data.tested else trained
        origins = {kind: sorted({data.origin_of(kind) for data in ranked}) for kind in sorted(self.model.needs)}
        return "; ".join(f"{kind}: {', '.join(found)}" for kind, found in origins.items())

    def loss_taps(self, name: str) -> list[TapSpec]:
        """Return the taps that a loss sits on; none if it is switched off."""
        loss = self.losses[name]
        return select_taps(loss.on, self.offered_taps) if loss.weight else []

    @property
    def switched_off(self) -> list[str]:
        """The losses that its recipe places on taps, and that it has switched off."""
        theirs = {} if self.from_recipe is None else cast("Mapping[str, Any]", recipe(self.from_recipe)["losses"])
        placed = [name for name, loss in theirs.items() if loss.get("on") and loss.get("weight", 1)]
        return [name for name in placed if name in self.losses and not self.loss_taps(name)]

    @property
    def losses_at_work(self) -> list[str]:
        """The losses that sit on a tap and are used in some stage."""
        return [name for name in self.losses if self._stages_with(name) and self.loss_taps(name)]

    @property
    def loss_sites(self) -> list[TapSpec]:
        """The taps that a loss sits on in some stage, whichever parts of the model this stage trains."""
        return [tap for name in self.losses_at_work for tap in self.loss_taps(name)]

    def untrained_taps(self, readout: str) -> dict[TapSpec, frozenset[str]]:
        """Return the taps of a readout that are not fully trained, each with the modules that no loss trains."""
        return untrained(self.readout_taps(readout), self.loss_sites)

    @property
    def trained_taps(self) -> list[TapSpec]:
        """Every tap that is fully trained."""
        bare = untrained(self.offered_taps, self.loss_sites)
        return [tap for tap in self.offered_taps if tap not in bare]

    def readout_taps(self, name: str) -> list[TapSpec]:
        """Return the taps that a readout concatenates."""
        return select_taps(self.readouts[name].taps or self.model.default_readout, self.offered_taps)

    def can_measure(self, readout: ReadoutConfig) -> bool:
        """Say whether this trial could have a readout: the model has its taps, and a loss in use its scoring head."""
        try:
            self.model_copy(update={"readouts": {"default": readout}})._check_readout("default")
        except EntryError:
            return False
        return True

    def _stages_with(self, loss: str) -> list[str]:
        """Return the names of the stages that use a loss."""
        return [stage.name for stage in self.training.resolved_stages if loss in (stage.losses or self.losses)]

    def _check_loss(self, name: str, loss: LossConfig) -> None:
        try:
            select_taps(loss.on, self.offered_taps)  # even if the weight is 0
            taps = self.loss_taps(name)
            for tap in taps:
                if tap.scope not in loss.scopes:
                    rule = f"loss '{loss.kind}' cannot sit on {tap.key}, whose scope is '{tap.scope}'"
                    raise StudyError(f"{rule}; allowed: {', '.join(sorted(loss.scopes))}")
            if taps:
                loss.check_taps(taps)
        except StudyError as error:
            raise EntryError(str(error), "losses", name, "on") from None

    def _check_readout(self, name: str) -> None:
        readout = self.readouts[name]
        try:
            if not self.readout_taps(name):
                known = nearest("", [tap.key for tap in self.offered_taps])
                raise StudyError(f"{list(readout.taps)} select no tap of this model; {known}")
        except StudyError as error:
            raise EntryError(str(error), "readouts", name, "taps") from None
        if readout.scorer and readout.scorer.transductive:
            for data in self.data.tested.values():
                self._check_gallery(name, readout.scorer, data)
        if readout.scorer and readout.scorer.loss is not None:
            self._check_head(name, readout.scorer, readout.scorer.loss)

    def _check_gallery(self, readout: str, scorer: ScorerConfig, data: DataConfig) -> None:
        if not data.rule.ranks_everyone:
            part = f"the rule of data set '{data.name}' ranks a part of it ({data.rule})"
            message = f"'{scorer.kind}' looks at the whole gallery, but {part}; allowed: null"
            raise EntryError(message, "readouts", readout, "scorer")

    def _refuse_no_loss(self) -> None:
        if not (off := self.switched_off):
            raise EntryError("every loss is switched off, so nothing would be learnt; place one on a tap", "losses")
        alone = f"recipe '{self.from_recipe}' trains by {' and '.join(off)} alone, so nothing would be learnt"
        raise EntryError(f"switched off here, and {alone}; keep it, or place another one on a tap", "losses", off[0])

    def _check_head(self, readout: str, scorer: ScorerConfig, loss: str) -> None:
        place = ("readouts", readout, "scorer")
        if loss in self.switched_off:
            raise EntryError(self._head_is_off(loss), "losses", loss)
        if loss not in self.losses_at_work:
            fitting = [name for name in self.losses_at_work if not scorer.problem_with(self.losses[name])]
            near = nearest(loss, fitting) if fitting else "no loss in use has such a head; allowed: null"
            why = "which no stage uses" if loss in self.losses else "and there is no such loss"
            why = "which is switched off" if loss in self.losses and not self.loss_taps(loss) else why
            raise EntryError(f"needs the head of loss '{loss}', {why}; {near}", *place)
        if problem := scorer.problem_with(self.losses[loss]):
            raise EntryError(problem, *place)
        normalize = self.readouts[readout].normalize
        if normalize != "none":
            message = f"'{normalize}', but the head of loss '{loss}' is trained without normalisation; allowed: none"
            raise EntryError(message, "readouts", readout, "normalize")
        read, trained = self.readout_taps(readout), self.loss_taps(loss)
        if read != trained:
            scores, has = (", ".join(tap.key for tap in taps) for taps in (trained, read))
            message = f"the head of loss '{loss}' scores {scores}, but the readout has {has}; give both the same taps"
            raise EntryError(message, "readouts", readout, "taps")

    def _head_is_off(self, loss: str) -> str:
        """Say which readouts need the head of a loss that was switched off, and what would help."""
        scored = [name for name, item in self.readouts.items() if item.scorer and item.scorer.loss == loss]
        whose = f"readout {scored[0]} needs" if len(scored) == 1 else f"readouts {', '.join(scored)} need"
        gone = ", ".join(
            f"{name}: {'null' if len(scored) < len(self.readouts) else '{scorer: null}'}" for name in scored
        )
        way = "leave them out" if len(scored) < len(self.readouts) else "score without it"
        return (
            f"switched off here, but the scorer of {whose} its head, as in recipe '{self.from_recipe}'; keep the loss, "
            f"or {way}: readouts: {{{gone}}}"
        )


def _with_default_losses(
    defaults: Mapping[str, Mapping[str, object]], given: Mapping[str, object]
) -> dict[str, object]:
    filled: dict[str, object] = {}
    for name in {**defaults, **given}:
        default, wanted = defaults.get(name, {}), given.get(name, {})
        if not isinstance(wanted, Mapping):
            filled[name] = wanted
        else:
            same = wanted.get("kind", default.get("kind")) == default.get("kind")
            below = {key: value for key, value in default.items() if same or key in ("on", "weight")}
            # A null takes away what an architecture has by default; any other is a value.
            values = {key: None for key, value in wanted.items() if value is None and key not in below}
            filled[name] = {**merged(below, wanted), **values}
    return filled


def _lacking(needed: Iterable[SideCar], data: DataConfig) -> str | None:
    """Say which side-car is needed but not offered, and what would help; None if nothing is lacking."""
    kinds = missing(needed, data.offers)
    return f"{in_words(kinds[0])}, but there are none; {data.how_to_offer(kinds[0])}" if kinds else None


def _problems_of_stage(config: TrialConfig, stage: StageConfig) -> Iterator[tuple[str, ...]]:
    """Yield what is wrong with a stage, each with its entry of the stage."""
    names = list(config.losses) if stage.losses is None else list(stage.losses)
    for name in names:
        if name not in config.losses:
            yield f"unknown loss '{name}'; {nearest(name, config.losses)}", "losses"
            return
    if not any(config.loss_taps(name) for name in names):
        off = [name for name in names if name in config.switched_off]
        hint = f"; {', '.join(off)} of recipe '{config.from_recipe}' is switched off here" if off else ""
        yield (f"no loss of stage '{stage.name}' sits on a tap, so it would learn nothing{hint}",)
    if stage.mode is not None and stage.mode not in config.model.modes:
        unknown = f"architecture '{config.model.architecture}' has no mode '{stage.mode}'"
        yield f"{unknown}; {nearest(stage.mode, config.model.modes)}", "mode"
    if stage.data:
        yield from _problems_of_stage_data(config, stage, names)


def _problems_of_stage_data(config: TrialConfig, stage: StageConfig, names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for name in names:
        if config.loss_taps(name) and config.losses[name].of_identities:
            yield f"loss '{name}' uses identity labels, which differ in other data; leave it out here", "losses"
    try:
        data = config.stage_data(stage)
    except ValidationError as error:
        yield first_problem(error), "data"
        return
    if data.image_size != config.data.image_size:
        own, other = list(data.image_size), list(config.data.image_size)
        yield f"image_size {own} differs from the trial's, {other}; use one size in all stages", "data"
    needed = config.model.needs.union(*(config.losses[name].needs for name in names))
    if lacking := _lacking(needed, data):
        yield f"this stage needs {lacking}", "data"
