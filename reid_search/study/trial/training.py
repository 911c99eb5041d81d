"""Settings of training: budget in images, batches, optimiser, schedule, augmentation, stages."""

import math
from collections.abc import Mapping
from itertools import accumulate
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from reid_search.study.component import DATASETS, Config, Either, EntryError, Factor, absolute, inside
from reid_search.study.language.places import Entries
from reid_search.words import several

Share = Annotated[float, Field(ge=0.0, le=1.0)]
_Side = Annotated[int, Field(ge=8, le=2048)]
_MOST_IMAGES = 10**12
_Level = Annotated[int, Field(ge=0, le=255)]
_Aspect = Annotated[float, Field(ge=1e-3, le=1e3)]


class PairsConfig(Config):
    """How many of the pairs of `order: pairs` show one person (Zheng et al. 2017: half, then ever fewer).

    Attributes:
        same: Share of such pairs before the first pass over the images.
        decay: What divides this share with every pass, from the first.
        least: Share below which it does not fall.
    """

    same: Share = 0.5
    decay: float = Field(default=1.0, ge=1.0, le=100.0)
    least: Share = 0.0

    def share(self, turn: int) -> float:
        """Return the share in a pass over the images, counted from 0."""
        return max(self.least, self.same / self.decay ** (turn + 1))

    def counts(self, pairs: int) -> tuple[int, int]:
        """Return the most and the fewest of a batch's pairs that show one person in any pass."""
        fewest = self.least if self.decay > 1.0 else self.share(0)
        return round(self.share(0) * pairs), round(fewest * pairs)


class BatchConfig(Config):
    """Batches of `ids` × `per_id` images.

    Attributes:
        ids: P, identities in a batch.
        per_id: K, images of each.
        order: In which order images come. `identities`: P identities with K images each, every identity once a pass,
            however many images it has. `covering`: the same, but an identity comes again until all its images came
            (the identity sampler of torchreid, BoT and fast-reid). `shuffled`: all images in random order, P × K at a
            time. `consecutive`: identities in random order, all images of each one after another (Suh et al. 2018).
            `pairs`: all images in random order, each followed by a partner of the same or of another identity, P × K
            / 2 pairs at a time (Zheng et al. 2017).
        pairs: How many pairs show one person, for the order `pairs`.
    """

    written_if_set: ClassVar[tuple[str, ...]] = ("order", "pairs")
    ids: int = Field(default=8, ge=1, le=65_536)
    per_id: int = Field(default=4, ge=1, le=1_024)
    order: Literal["identities", "covering", "shuffled", "consecutive", "pairs"] = "identities"
    pairs: PairsConfig = PairsConfig()

    @model_validator(mode="after")
    def _has_two_images(self) -> Self:
        if self.size < 2:
            raise EntryError(
                "1 with per_id 1: a batch of one image, which batch norm cannot take; allowed: at least 2 of either",
                "ids",
            )
        return self

    @model_validator(mode="after")
    def _pairs_fill_a_batch(self) -> Self:
        if self.order == "pairs" and self.size % 2:
            raise EntryError(
                f"pairs with {self.ids} × {self.per_id} images; allowed: an even number of images", "order"
            )
        return self

    @property
    def size(self) -> int:
        """Images in a batch."""
        return self.ids * self.per_id

    def check_compared(self, by: str) -> None:
        """Check that a batch can hold two images of one identity, and one of another, which something compares.

        Raises:
            EntryError: It cannot; the path is that of the batch's entry.
        """
        if self.order in ("identities", "covering"):
            for entry, compared in (("per_id", "images of one identity"), ("ids", "identities")):
                if getattr(self, entry) < 2:
                    raise EntryError(f"1, but {by} compares {compared}; allowed: at least 2", entry)
        elif self.size < 3:
            message = f"{self.ids} with per_id {self.per_id}, but {by} compares two images of one identity and another"
            raise EntryError(f"{message}; allowed: at least 3 images in a batch", "ids")

    def check_fits(self, identities: int, images: int | None) -> None:
        """Check that a training set can fill a batch.

        Args:
            identities: How many it has.
            images: How many it has; None where nobody knows.

        Raises:
            EntryError: It cannot; the path is that of the batch's entry.
        """
        if identities < self.fewest_identities:
            has = f"the training set has {several(identities, 'identity')}; allowed: at most {identities}"
            raise EntryError(f"{self.fewest_identities}: {has}", "ids")
        if images is not None and self.order not in ("identities", "covering") and images < self.size:
            batch = f"{several(self.size, 'image')} in a batch, and the training set has {images:,}"
            raise EntryError(f"{batch}; allowed: at most {images:,}")

    @property
    def fewest_identities(self) -> int:
        """How many identities a training set must have."""
        return {"identities": self.ids, "covering": self.ids, "pairs": 2}.get(self.order, 1)


class OptimizerConfig(Config):
    """The optimiser.

    Attributes:
        kind: `sgd` (with momentum), `adam` or `adamw`.
        lr: Learning rate after warm-up, from 1e-12 to 1e6: numbers of seven digits lose smaller steps, and no network
            survives larger ones.
        weight_decay: Weight decay of every parameter.
        momentum: Momentum of `sgd`; ignored by the others.
        new_lr: Factor on `lr` for parameters without pretrained weights (heads, classifiers).
        amsgrad: Whether `adam` or `adamw` keeps the largest second moment (Reddi et al. 2018); `sgd` has none.
        clip_norm: Largest norm of the gradient; no limit if omitted.
        nesterov: Whether the momentum of `sgd` is Nesterov's; the others have none.
        decay_norms: Whether weight decay also applies to normalisation layers and biases.
        bias_lr: Factor on `lr` for biases.
        rates: Factors on `lr` of single parameters, each a glob pattern of names and a factor; the first that fits
            counts. Those of a loss are `losses.<name>.…`, such as `losses.identity.*.bias`.
    """

    written_if_set: ClassVar[tuple[str, ...]] = ("nesterov", "decay_norms", "bias_lr", "rates")

    kind: Literal["sgd", "adam", "adamw"] = "adam"
    lr: float = Field(default=3.5e-4, ge=1e-12, le=1e6)
    weight_decay: float = Field(default=5e-4, ge=0.0, le=1e3)
    momentum: float = Field(default=0.9, ge=0.0, lt=1.0)
    new_lr: Factor = 1.0
    amsgrad: bool = False
    clip_norm: Factor | None = None
    nesterov: bool = False
    decay_norms: bool = True
    bias_lr: Factor = 1.0
    rates: tuple[tuple[str, Factor], ...] = ()

    @model_validator(mode="after")
    def _has_what_is_switched_on(self) -> Self:
        if self.nesterov and self.kind != "sgd":
            raise EntryError(f"true with kind {self.kind}, which has no such momentum; allowed: false", "nesterov")
        if self.nesterov and self.momentum == 0:
            raise EntryError("true with momentum 0; allowed: false, or a momentum such as 0.9", "nesterov")
        if self.amsgrad and self.kind == "sgd":
            raise EntryError("true with kind sgd, which has no second moment; allowed: false", "amsgrad")
        return self


class ScheduleConfig(Config):
    """The learning rate during a stage; positions are shares of its images.

    Attributes:
        kind: `cosine` (to `floor`), `step` (times `gamma` at each milestone), `poly` (the share of the images that is
            left to the power .9, changed at each tenth; SPReID's code) or `constant`.
        warmup: Share over which the rate rises linearly to `lr`.
        milestones: Shares at which `step` decays: with the first batch that begins there. Eight decimals are enough.
        gamma: Factor of a decay step.
        floor: Share of the rate at which `cosine` ends.
        warmup_start: Share of `lr` at which warm-up starts.
        delay: Share of the images before which `cosine` stays at `lr`; from the end of warm-up where that is later.
    """

    written_if_set: ClassVar[tuple[str, ...]] = ("warmup_start", "delay")

    kind: Literal["cosine", "step", "poly", "constant"] = "cosine"
    warmup: Share = 0.1
    milestones: tuple[Share, ...] = (0.5, 0.75)
    gamma: float = Field(default=0.1, gt=0.0, le=1.0)
    floor: Share = 0.0
    warmup_start: Share = 0.01
    delay: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0


class ErasingConfig(Config):
    """What random erasing erases (Zhong et al. 2020).

    Attributes:
        area: Smallest and largest share of the image's area.
        aspect: Smallest and largest height to width of the rectangle.
        aspect_law: How the aspect is drawn between them: `log` (torchvision, fast-reid) or `uniform` (the authors'
            code, BoT), which erases taller rectangles.
        fill: What the rectangle shows: the `mean` pixel of the model's normalisation, `black`, `noise` (normal around
            the mean with the deviation of the normalisation, clipped), or red, green and blue.
    """

    area: tuple[Share, Share] = (0.02, 0.4)
    aspect: tuple[_Aspect, _Aspect] = (0.3, 3.3)
    aspect_law: Literal["log", "uniform"] = "log"
    fill: Annotated[
        Literal["mean", "black", "noise"] | tuple[_Level, _Level, _Level],
        Either("mean", "black", "noise", "[red, green, blue] from 0 to 255"),
    ] = "mean"

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for name in ("area", "aspect"):
            low, high = getattr(self, name)
            if low > high:
                raise EntryError(f"[{low:g}, {high:g}]: the first is the smallest; allowed: [{high:g}, {low:g}]", name)
        return self

    def fits(self, image_size: tuple[int, int]) -> bool:
        """Say whether any rectangle of these settings has at least a pixel and is smaller than the image both ways.

        The logarithm of an area is the sum of those of height and width, that of an aspect their difference. So the
        aspects that fit are a range, and the areas that rectangles of these aspects can have are one too.
        """
        if self.area[1] == 0:
            return False
        smallest = math.log(0.5)  # which is rounded to a pixel
        tallest, widest = (math.log(side - 0.5) for side in image_size)
        whole = math.log(math.prod(image_size))
        low, high = (math.log(aspect) for aspect in self.aspect)
        low, high = max(low, smallest - widest), min(high, tallest - smallest)
        least = 2 * smallest + abs(min(max(0.0, low), high))
        corner = min(max(tallest - widest, low), high)
        most = min(2 * tallest - corner, 2 * widest + corner)
        areas = [math.log(share) + whole if share else -math.inf for share in self.area]
        return low <= high and max(least, areas[0]) <= min(most, areas[1])


class AugmentConfig(Config):
    """Random changes to each training image.

    Attributes:
        flip: Probability of mirroring.
        pad_crop: Padding on each side as a share of the image's height and width, then a random crop; 0 is off.
        pad: The same in pixels, in place of `pad_crop`.
        crop: Height and width in pixels of a random crop, for training on smaller images than those of the test.
        erase: Probability of random erasing (Zhong et al. 2020).
        erasing: What it erases.
        auto: Probability of a change drawn from AutoAugment's ImageNet policy (Cubuk et al. 2019). It moves only
            pixels, so part maps and keypoints would no longer fit.
    """

    written_if_set: ClassVar[tuple[str, ...]] = ("pad", "crop", "erasing")
    flip: Share = 0.5
    pad_crop: Annotated[float, Field(ge=0.0, le=0.5)] = 0.0
    pad: int = Field(default=0, ge=0, le=512)
    crop: tuple[_Side, _Side] | None = None
    erase: Share = 0.0
    erasing: ErasingConfig = ErasingConfig()
    auto: Share = 0.0

    @model_validator(mode="after")
    def _one_padding(self) -> Self:
        if self.pad and self.pad_crop:
            raise EntryError(f"{self.pad} with pad_crop {self.pad_crop:g}; allowed: one of the two", "pad")
        if self.crop and (self.pad or self.pad_crop):
            raise EntryError(f"{list(self.crop)} with padding, which crops to the whole image; allowed: null", "crop")
        return self


class StageConfig(Config):
    """One stage of training.

    Attributes:
        name: Its name in logs.
        images: Images seen in this stage.
        losses: Names of the losses that are used; all if omitted.
        train: Glob patterns of the model parameters that are trained (`branches.*`); the others are frozen. An empty
            list freezes the whole model, so that only the losses' own parameters learn.
        train_losses: Whether parameters of the losses (classifiers, pair heads) are trained as well.
        lr: Factor on the optimiser's learning rate.
        freeze: Glob patterns of parameters that are frozen at first, such as the backbone while new heads settle.
        frozen_images: For how many images of the stage.
        optimizer: The optimiser of this stage, in place of the training's.
        schedule: The schedule of this stage, in place of the training's.
        mode: How the model works in this stage, one of the architecture's `modes`; as in testing if omitted.
        data: Entries of `data` that differ in this stage (`{seed: 1}`: other people). On other data, only losses that
            do not use identity labels are allowed.
    """

    written_if_set: ClassVar[tuple[str, ...]] = ("freeze", "frozen_images", "optimizer", "schedule")
    name: str
    images: int = Field(ge=1, le=_MOST_IMAGES)
    losses: tuple[str, ...] | None = None
    train: tuple[str, ...] = ("*",)
    train_losses: bool = True
    lr: Factor = 1.0
    freeze: tuple[str, ...] = ()
    frozen_images: int = Field(default=0, ge=0, le=_MOST_IMAGES)
    optimizer: OptimizerConfig | None = None
    schedule: ScheduleConfig | None = None
    mode: str | None = None
    data: Annotated[dict[str, object], Entries(DATASETS)] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _frozen_for_a_while(self) -> Self:
        if bool(self.freeze) != bool(self.frozen_images):
            given, other = ("freeze", "frozen_images") if self.freeze else ("frozen_images", "freeze")
            raise EntryError(f"given without {other}; allowed: both, or none", given)
        return self

    @model_validator(mode="after")
    def _something_learns(self) -> Self:
        if not self.train and not self.train_losses:
            raise EntryError("[] with train_losses false, so nothing learns; allowed: patterns such as ['*']", "train")
        return self

    @field_validator("data")
    @classmethod
    def _absolute_paths(cls, data: dict[str, object]) -> dict[str, object]:
        places = {place for name in DATASETS.names() for place in getattr(DATASETS.config_class(name), "places", ())}
        paths = {key: value for key, value in data.items() if key in places and isinstance(value, str)}
        return {**data, **{key: str(absolute(Path(value))) for key, value in paths.items()}}


class TrainingConfig(Config):
    """How a trial trains.

    Attributes:
        images: Budget in images; the sum of the stages if these are given.
        report_every: Images in an epoch, after which a trial reports and writes a checkpoint; at least a batch, and a
            tenth of `images` if omitted.
        batch: P × K.
        optimizer: The optimiser.
        lr_multiplier: Factor on every learning rate, also on those of stages with an optimiser of their own, so that
            one axis tunes recipes whose rates differ.
        schedule: The learning rate during each stage.
        augment: Random changes to each image.
        precision: `full` (float32), `bf16` (bfloat16), or `amp` (float16 on a GPU, bfloat16 on a CPU).
        threads: CPU threads; the last digits of a gradient depend on it.
        stages: Stages in order; one with all of `images` if omitted.
    """

    written_if_set: ClassVar[tuple[str, ...]] = ("lr_multiplier",)
    images: int = Field(default=20_000, ge=1, le=_MOST_IMAGES)
    report_every: int = Field(default=2_000, ge=1, le=_MOST_IMAGES)
    batch: BatchConfig = Field(default_factory=BatchConfig)
    optimizer: OptimizerConfig = Field(default_factory=OptimizerConfig)
    lr_multiplier: Factor = 1.0
    schedule: ScheduleConfig = Field(default_factory=ScheduleConfig)
    augment: AugmentConfig = Field(default_factory=AugmentConfig)
    precision: Literal["full", "amp", "bf16"] = "full"
    threads: int = Field(default=1, ge=1, le=1_024)
    stages: tuple[StageConfig, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _fill_in_budget(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        filled = dict(value)
        stages = filled.get("stages")
        if stages and "images" not in filled and isinstance(stages, list | tuple):
            counts = [_count(stage.get("images")) if isinstance(stage, Mapping) else 0 for stage in stages]
            if all(counts):
                filled["images"] = sum(counts)
        images = _count(filled.get("images", 20_000))
        if filled.get("report_every") is None and images:
            filled["report_every"] = max(-(-images // 10), _batch_size(filled.get("batch")))
        return filled

    @model_validator(mode="after")
    def _budget_fits(self) -> Self:
        total = sum(stage.images for stage in self.stages)
        if self.stages and total != self.images:
            raise ValueError(
                f"images: {self.images} is not the sum of the stages' images ({total}); leave it out or make them equal"
            )
        for index, stage in enumerate(self.stages):
            with inside("stages", index):
                self._check_stage(index, stage)
        if self.report_every < self.batch.size and self.steps > 1:
            batch = f"a batch of {self.batch.ids} × {self.batch.per_id} images"
            message = f"{self.report_every} is less than {batch}; allowed: at least {self.batch.size}"
            raise EntryError(message, "report_every")
        return self

    def _check_stage(self, index: int, stage: StageConfig) -> None:
        if stage.name in [other.name for other in self.stages[:index]]:
            raise EntryError(f"'{stage.name}': an earlier stage has this name; allowed: another one", "name")
        first, end = (0, *self.stage_ends)[index : index + 2]
        longest = (end - first - 1) * self.batch.size  # until the last step begins
        if stage.frozen_images > longest:
            message = f"{stage.frozen_images}: the stage sees {stage.images} in batches of {self.batch.size}"
            rule = "so what is frozen at first would never train"
            raise EntryError(f"{message}, {rule}; allowed: at most {longest}", "frozen_images")

    @property
    def resolved_stages(self) -> tuple[StageConfig, ...]:
        """The stages as they run: one with the whole budget if none is given."""
        return self.stages or (StageConfig(name="main", images=self.images),)

    @property
    def stage_ends(self) -> tuple[int, ...]:
        """The optimiser steps after which each stage is over: those that its images and all earlier ones fill.

        Rounding up to whole batches is not done stage by stage, so that stages add none to the budget. Each has a step.
        """
        ends: list[int] = []
        for images in accumulate(stage.images for stage in self.resolved_stages):
            ends.append(max(-(-images // self.batch.size), ends[-1] + 1 if ends else 1))
        return tuple(ends)

    @property
    def steps(self) -> int:
        """Optimiser steps of the whole trial, rounded up to whole batches."""
        return self.stage_ends[-1]

    @property
    def epochs(self) -> int:
        """Number of epochs; epoch e ends with the step that reaches e × `report_every` images."""
        return (self.steps - 1) * self.batch.size // self.report_every + 1


def _count(value: object) -> int:
    """Return a count of images, which may be written as 5e3; 0 for anything else, whose own field reports it."""
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return int(value) if whole and 0 < value <= _MOST_IMAGES else 0  # type: ignore[call-overload, operator]


def _batch_size(value: object) -> int:
    try:
        return BatchConfig.model_validate({} if value is None else value).size
    except ValidationError:
        return 1  # the field `batch` reports it
