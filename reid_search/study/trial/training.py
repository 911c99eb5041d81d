"""The settings of training: budget in images seen, batches, optimiser, schedule, augmentation, stages."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

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
        new_lr: Factor on `lr` for what does not start from pretrained weights (heads, classifiers).
        amsgrad: Whether `adam` and `adamw` keep the largest second moment (Reddi et al. 2018); ignored by `sgd`.
        clip_norm: Largest norm of the gradient; none where omitted.
    """

    kind: Literal["sgd", "adam", "adamw"] = "adam"
    lr: float = Field(default=3.5e-4, gt=0.0)
    weight_decay: float = Field(default=5e-4, ge=0.0)
    momentum: float = Field(default=0.9, ge=0.0, lt=1.0)
    new_lr: float = Field(default=1.0, gt=0.0)
    amsgrad: bool = False
    clip_norm: float | None = Field(default=None, gt=0.0)


class ScheduleConfig(Config):
    """The learning rate over a stage; positions are shares of the images of that stage.

    Attributes:
        kind: `cosine` (to `floor`), `step` (times `gamma` at each milestone) or `constant`.
        warmup: Share over which the rate rises linearly from a hundredth.
        milestones: Shares at which `step` decays.
        gamma: Factor of a decay step.
        floor: Share of the rate that `cosine` ends at.
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
        auto: Probability of a change drawn from ImageNet's policy of AutoAugment (Cubuk et al. 2019). It moves pixels
            alone, so that part maps and keypoints would no longer fit.
    """

    flip: Share = 0.5
    pad_crop: Annotated[float, Field(ge=0.0, le=0.5)] = 0.0
    erase: Share = 0.0
    auto: Share = 0.0


class StageConfig(Config):
    """One stage of training.

    Attributes:
        name: What logs call it.
        images: Images seen in this stage.
        losses: Names of the losses at work; all where omitted.
        train: Glob patterns of the model parameters that train (`branches.*`); the rest is frozen.
        train_losses: Whether what the losses own trains as well (classifiers, pair heads).
        lr: Factor on the optimiser's learning rate.
        mode: How the model works in this stage, one of the architecture's `modes`; as it will be tested where omitted.
        data: Entries of `data` that differ in this stage (`{seed: 1}`: other people). Only losses that do not look at
            identities may be at work on other data.
    """

    name: str
    images: int = Field(ge=1)
    losses: tuple[str, ...] | None = None
    train: tuple[str, ...] = ("*",)
    train_losses: bool = True
    lr: float = Field(default=1.0, gt=0.0)
    mode: str | None = None
    data: Annotated[dict[str, Any], Entries(DATASETS)] = Field(default_factory=dict)

    @field_validator("data")
    @classmethod
    def _paths_from_the_root(cls, data: dict[str, Any]) -> dict[str, Any]:
        places = {place for name in DATASETS.names() for place in getattr(DATASETS.config_class(name), "places", ())}
        return {
            key: str(absolute(Path(value))) if key in places and isinstance(value, str) else value
            for key, value in data.items()
        }


class TrainingConfig(Config):
    """How a trial trains.

    Attributes:
        images: Budget in images seen; the sum of the stages where there are several.
        report_every: Images of one epoch, after which a trial reports and checkpoints, at least a batch; a tenth of
            `images` where omitted.
        batch: P × K.
        optimizer: The optimiser.
        schedule: The learning rate over each stage.
        augment: Random changes to each image.
        precision: `full` (float32) or `amp` (float16 on a GPU, bfloat16 on a CPU).
        threads: CPU threads; the last digits of a gradient depend on it.
        stages: Stages in order; one over all of `images` where omitted.
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
    def _stages_fill_the_budget(self) -> "TrainingConfig":
        total = sum(stage.images for stage in self.stages)
        if self.stages and total != self.images:
            raise ValueError(
                f"images: {self.images} is not the sum of the stages' images ({total}); leave it out or make them equal"
            )
        return self

    @model_validator(mode="after")
    def _every_epoch_has_a_step(self) -> "TrainingConfig":
        if self.report_every < self.batch.size and self.steps > 1:
            raise EntryError(
                f"{self.report_every} is less than a batch of {self.batch.ids} × {self.batch.per_id} images; "
                f"allowed: at least {self.batch.size}",
                "report_every",
            )
        return self

    @property
    def resolved_stages(self) -> tuple[StageConfig, ...]:
        """The stages as they run: one over the whole budget where none is written."""
        return self.stages or (StageConfig(name="main", images=self.images),)

    @property
    def steps(self) -> int:
        """Optimiser steps of the whole trial, each stage rounded up to whole batches."""
        return sum(-(-stage.images // self.batch.size) for stage in self.resolved_stages)

    @property
    def epochs(self) -> int:
        """Reports of the whole trial; epoch e ends with the step that reaches e × `report_every` images."""
        return (self.steps - 1) * self.batch.size // self.report_every + 1


def _count(value: object) -> int:
    """Return a count, also one that is written as 5e3; 0 for anything else, which is reported where it stands."""
    whole = isinstance(value, int | float) and value > 0 and float(value).is_integer()
    return int(value) if whole else 0  # type: ignore[call-overload]


def _batch_size(value: object) -> int:
    try:
        return BatchConfig.model_validate({} if value is None else value).size
    except ValidationError:
        return 1  # the batch's own mistake is reported where it stands
