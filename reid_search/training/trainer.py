"""The steps of training, stage by stage, and the state needed to resume."""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from reid_search.data import RankingSet, TrialData
from reid_search.data.augment import auto_augmented, draw_transforms, filling, transform
from reid_search.errors import TrialFailure
from reid_search.evaluation import RankingResult
from reid_search.losses import Criterion, Targets
from reid_search.models import Batch, build_model
from reid_search.study import StageConfig, TrialConfig
from reid_search.study.trial.weights import normalization_of
from reid_search.training.batches import memory_format, targets_of, to_batch
from reid_search.training.determinism import derived_seed, seeded
from reid_search.training.measuring import ReadoutPlan, rank
from reid_search.training.optimizer import build_optimizer, freeze, freeze_at_first, set_learning_rate, set_mode
from reid_search.training.patterns import ParameterNames, dotted, problems
from reid_search.training.schedule import learning_rate_factor

_MOST_SKIPPED_STEPS = 30


class Trainer:
    """Trains the model and the losses of a trial; `seed` is that of initial values and augmentation."""

    def __init__(self, config: TrialConfig, data: TrialData, seed: int, device: torch.device) -> None:
        self._config = config.training
        self._data = data
        self._seed = seed
        self._device = device
        with seeded(derived_seed(seed, "model"), torch.device("cpu")):
            self.normalization = normalization_of(config.model)
            self.model = build_model(config.model, image_size=config.data.image_size)
        self.model.to(device).to(memory_format=memory_format(device))
        taps = {name: config.loss_taps(name) for name in config.losses}
        self.criterion = Criterion(config.losses, taps, data.class_count, derived_seed(seed, "losses")).to(device)
        names = ParameterNames.of(self.model, self.criterion)
        for entry, problem in problems(config, names):
            raise TrialFailure(f"{dotted(entry)}: {problem}")
        self._may_train = frozenset(names.model)
        self._half = config.training.precision == "amp" and device.type == "cuda"
        self._skipped = 0
        self._gradient_seen = False
        self.step = 0
        self._ends = self._config.stage_ends
        self._enter(0)

    @property
    def images_seen(self) -> int:
        """Training images seen so far."""
        return self.step * self._config.batch.size

    @property
    def done(self) -> bool:
        """Whether every stage is over."""
        return self.step >= self._ends[-1]

    def train_epoch(self, epoch: int) -> dict[str, float]:
        """Train until the images of an epoch, counted from 1, are seen or the stages are over.

        Returns:
            Means over the epoch's steps: `loss`, and `loss/<name>` of each loss without its weight.

        Raises:
            TrialFailure: A loss or gradient is not finite, or no gradient reaches any parameter.
        """
        sums: dict[str, float] = defaultdict(float)
        first = self.step
        with seeded(derived_seed(self._seed, "epoch", epoch), self._device):
            while not self.done and self.images_seen < epoch * self._config.report_every:
                for name, value in self._train_step().items():
                    sums[name] += value
        if not self._gradient_seen:
            raise TrialFailure("no gradient: the losses give the model's parameters nothing to learn from")
        return {name: value / (self.step - first) for name, value in sums.items()}

    def rank(self, plans: Mapping[str, ReadoutPlan], images: RankingSet) -> dict[str, RankingResult]:
        """Return the ranking of each readout with the weights as they are now."""
        return rank(self.model, plans, images, self._device, dict(self.criterion.losses.items()), self.normalization)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return the weights, and what else is needed to resume."""
        weights = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        weights |= {f"criterion.{name}": value for name, value in self.criterion.state_dict().items()}
        progress = {"step": self.step, "stage": self._stage_index, "optimizer": self._optimizer.state_dict()}
        return weights, {**progress, "scaler": self._scaler.state_dict(), "gradient_seen": self._gradient_seen}

    def load_weights(self, weights: dict[str, Tensor]) -> None:
        """Load the weights of a checkpoint."""
        for prefix, module in (("model.", self.model), ("criterion.", self.criterion)):
            own = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
            module.load_state_dict(own)

    def load_progress(self, progress: dict[str, Any]) -> None:
        """Load the rest of a checkpoint's state."""
        self._enter(progress["stage"])
        self._optimizer.load_state_dict(progress["optimizer"])
        self._scaler.load_state_dict(progress["scaler"])
        self._gradient_seen = progress["gradient_seen"]
        self.step = progress["step"]

    @property
    def _stage(self) -> StageConfig:
        return self._config.resolved_stages[self._stage_index]

    def _enter(self, stage: int) -> None:
        self._stage_index = stage
        self._gradient_seen = False
        self.model.use_mode(self._stage.mode)
        freeze(self.model, self._stage, self._may_train)
        self.criterion.enter(self._stage.name)
        settings = self._stage.optimizer or self._config.optimizer
        multiplier = self._config.lr_multiplier
        self._optimizer = build_optimizer(settings, self._stage, self.model, self.criterion, multiplier)
        self._thawed = not self._stage.freeze
        if not self._thawed:
            freeze_at_first(self.model, self._stage)
        self._scaler = torch.amp.GradScaler(self._device.type, enabled=self._half)

    def _train_step(self) -> dict[str, float]:
        if self.step >= self._ends[self._stage_index]:
            self._enter(self._stage_index + 1)
        start = self._ends[self._stage_index - 1] if self._stage_index else 0
        if not self._thawed and (self.step - start) * self._config.batch.size >= self._stage.frozen_images:
            freeze(self.model, self._stage, self._may_train)
            self._thawed = True
        share = (self.step - start) / (self._ends[self._stage_index] - start)
        schedule = self._stage.schedule or self._config.schedule
        set_learning_rate(self._optimizer, learning_rate_factor(schedule, share))
        batch, targets = self._batch()
        set_mode(self.model)
        self.criterion.train(self._stage.train_losses)
        with torch.autocast(self._device.type, self._autocast_type, enabled=self._config.precision != "full"):
            total, values = self.criterion(self.model(batch), targets, self._stage.losses)
        measured = dict(
            zip(("loss", *(f"loss/{name}" for name in values)), _numbers(total, *values.values()), strict=True)
        )
        if not math.isfinite(measured["loss"]):
            wrong = ", ".join(f"{name} = {value}" for name, value in measured.items() if not math.isfinite(value))
            raise TrialFailure(f"step {self.step + 1}: {wrong}; a lower learning rate or full precision may help")
        self._update(total)
        self.step += 1
        return measured

    def _batch(self) -> tuple[Batch, Targets]:
        learnt_from = self._data.stages[self._stage_index]
        places = learnt_from.sampler.batch(self.step)
        generator = np.random.default_rng([self._seed, derived_seed(self._seed, "augment"), self.step])
        samples = learnt_from.images.at(places)
        transforms = draw_transforms(len(places), samples.pixels.shape[1:3], self._config.augment, generator)
        fill = self.normalization.mean_pixel
        samples = replace(samples, pixels=auto_augmented(samples.pixels, self._config.augment, generator, fill))
        erased = filling(transforms, self._config.augment.erasing, self.normalization, generator)
        batch = to_batch(transform(samples, transforms, erased), self._device, self.normalization)
        return batch, targets_of(batch, learnt_from.classes[places])

    def _update(self, loss: Tensor) -> None:
        self._optimizer.zero_grad(set_to_none=True)
        if not loss.requires_grad:
            raise TrialFailure("no gradient: the losses at work do not depend on any parameter that trains")
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self._scaler.unscale_(self._optimizer)
        trained = [item for group in self._optimizer.param_groups for item in group["params"]]
        norm = torch.nn.utils.get_total_norm([item.grad for item in trained if item.grad is not None])
        clip_norm = (self._stage.optimizer or self._config.optimizer).clip_norm
        if clip_norm is not None:
            torch.nn.utils.clip_grads_with_norm_(trained, clip_norm, norm)
        self._check(float(norm))
        self._scaler.step(self._optimizer)
        self._scaler.update()

    def _check(self, norm: float) -> None:
        """Refuse a gradient that is not finite; half precision may skip such steps until its scale fits."""
        self._gradient_seen = self._gradient_seen or norm > 0
        self._skipped = 0 if math.isfinite(norm) else self._skipped + 1
        if self._skipped > (_MOST_SKIPPED_STEPS if self._half else 0):
            raise TrialFailure(f"step {self.step + 1}: the gradient's norm is {norm}; a lower learning rate may help")

    @property
    def _autocast_type(self) -> torch.dtype:
        return torch.float16 if self._half else torch.bfloat16


def _numbers(*values: Tensor) -> list[float]:
    """Copy several scalars from the device in one transfer."""
    numbers: list[float] = torch.stack([value.detach().float() for value in values]).tolist()
    return numbers
