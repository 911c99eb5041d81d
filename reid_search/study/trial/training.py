"""Settings of training: budget in images, batches, optimiser, schedule, augmentation, stages."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from reid_search.study.component import DATASETS, Config, EntryError, absolute
from reid_search.study.language.places import Entries

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class BatchConfig(Config):
    """P × K batches: `ids` identities with `per_id` images each."""

    ids: int = Field(default=8, ge=1)
    per_id: int = Field(default=4, ge=1)

    @property
    def size(self) -> int:
        """Images in a batch."""
        return self.ids * self.per_id


class OptimizerConfig(Config):
    """The optimiser.

    Attributes:
        kind: `sgd` (with momentum), `adam` or `adamw`.
        lr: Learning rate after warm-up.
        weight_decay: Weight decay of every parameter.
        momentum: Momentum of `sgd`; ignored by the others.
        new_lr: Factor on `lr` for parameters without pretrained weights (heads, classifiers).
        amsgrad: Whether `adam` and `adamw` keep the largest second moment (Reddi et al. 2018); ignored by `sgd`.
        clip_norm: Largest norm of the gradient; no limit if omitted.
    """

    kind: Literal["sgd", "adam", "adamw"] = "adam"
    lr: float = Field(default=3.5e-4, gt=0.0)
    weight_decay: float = Field(default=5e-4, ge=0.0)
    momentum: float = Field(default=0.9, ge=0.0, lt=1.0)
    new_lr: float = Field(default=1.0, gt=0.0)
    amsgrad: bool = False
    clip_norm: float | None = Field(default=None, gt=0.0)


class ScheduleConfig(Config):
    """The learning rate during a stage; positions are shares of its images.

    Attributes:
        kind: `cosine` (to `floor`), `step` (times `gamma` at each milestone) or `constant`.
        warmup: Share over which the rate rises linearly from a hundredth of `lr`.
        milestones: Shares at which `step` decays.
        gamma: Factor of a decay step.
        floor: Share of the rate at which `cosine` ends.
    """

    kind: Literal["cosine", "step", "constant"] = "cosine"
    warmup: Share = 0.1
    milestones: tuple[Share, ...] = (0.5, 0.75)
    gamma: float = Field(default=0.1, gt=0.0, le=1.0)
    floor: Share = 0.0


class AugmentConfig(Config):
    """Random changes to each training image.

    Attributes:
        flip: Probability of mirroring.
        pad_crop: Padding on each side as a share of the image's height and width, then a random crop; 0 is off.
        erase: Probability of random erasing (Zhong et al. 2020; area 2 to 40 %, aspect ratio 0.3 to 3.3).
        auto: Probability of a change drawn from AutoAugment's ImageNet policy (Cubuk et al. 2019). It moves only
            pixels, so part maps and keypoints would no longer fit.
    """

    flip: Share = 0.5
    pad_crop: Annotated[float, Field(ge=0.0, le=0.5)] = 0.0
    erase: Share = 0.0
    auto: Share = 0.0


class StageConfig(Config):
    """One stage of training.

    Attributes:
        name: Its name in logs.
        images: Images seen in this stage.
        losses: Names of the losses that are used; all if omitted.
        train: Glob patterns of the model parameters that are trained (`branches.*`); the others are frozen.
        train_losses: Whether parameters of the losses (classifiers, pair heads) are trained as well.
        lr: Factor on the optimiser's learning rate.
        mode: How the model works in this stage, one of the architecture's `modes`; as in testing if omitted.
        data: Entries of `data` that differ in this stage (`{seed: 1}`: other people). On other data, only losses that
            do not use identity labels are allowed.
    """

    name: str
    images: int = Field(ge=1)
    losses: tuple[str, ...] | None = None
    train: tuple[str, ...] = ("*",)
    train_losses: bool = True
    lr: float = Field(default=1.0, gt=0.0)
    mode: str | None = None
    data: Annotated[dict[str, object], Entries(DATASETS)] = Field(default_factory=dict)

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
        schedule: The learning rate during each stage.
        augment: Random changes to each image.
        precision: `full` (float32) or `amp` (float16 on a GPU, bfloat16 on a CPU).
        threads: CPU threads; the last digits of a gradient depend on it.
        stages: Stages in order; one with all of `images` if omitted.
    """

    images: int = Field(default=20_000, ge=1)
    report_every: int = Field(default=2_000, ge=1)
    batch: BatchConfig = Field(default_factory=BatchConfig)
    optimizer: OptimizerConfig = Field(default_factory=OptimizerConfig)
    schedule: ScheduleConfig = Field(default_factory=ScheduleConfig)
    augment: AugmentConfig = Field(default_factory=AugmentConfig)
    precision: Literal["full", "amp"] = "full"
    threads: int = Field(default=1, ge=1)
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
        if self.report_every < self.batch.size and self.steps > 1:
            batch = f"a batch of {self.batch.ids} × {self.batch.per_id} images"
            message = f"{self.report_every} is less than {batch}; allowed: at least {self.batch.size}"
            raise EntryError(message, "report_every")
        return self

    @property
    def resolved_stages(self) -> tuple[StageConfig, ...]:
        """The stages as they run: one with the whole budget if none is given."""
        return self.stages or (StageConfig(name="main", images=self.images),)

    @property
    def steps(self) -> int:
        """Optimiser steps of the whole trial, each stage rounded up to whole batches."""
        return sum(-(-stage.images // self.batch.size) for stage in self.resolved_stages)

    @property
    def epochs(self) -> int:
        """Number of epochs; epoch e ends with the step that reaches e × `report_every` images."""
        return (self.steps - 1) * self.batch.size // self.report_every + 1


def _count(value: object) -> int:
    """Return a count, which may be written as 5e3; 0 for anything else, whose own field reports it."""
    whole = isinstance(value, int | float) and value > 0 and float(value).is_integer()
    return int(value) if whole else 0  # type: ignore[call-overload]


def _batch_size(value: object) -> int:
    try:
        return BatchConfig.model_validate({} if value is None else value).size
    except ValidationError:
        return 1  # the field `batch` reports it
