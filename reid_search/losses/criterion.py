"""The losses of a trial together: each weight times its mean over taps."""

import zlib
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol, cast, runtime_checkable

import torch
from torch import Tensor, nn

from reid_search.losses.targets import Targets
from reid_search.study import LOSSES, LossConfig, TapSpec


def build_loss(config: LossConfig, taps: Sequence[TapSpec], classes: int) -> nn.Module:
    """Build a loss on its taps; its forward takes taps by key and `Targets`, and returns the mean over its taps.

    Raises:
        StudyError: The loss cannot sit on these taps.
    """
    config.check_taps(taps)
    return cast("nn.Module", LOSSES.work_module(config).build(config, taps, classes))


@runtime_checkable
class LooksAtStages(Protocol):
    """A loss that works differently in some stages of training."""

    def enter(self, stage: str) -> None:
        """Begin a stage, by its name."""


class Criterion(nn.Module):
    """All losses that have taps, for a number of training identities, `classes`.

    Each loss draws its initial values from its own generator, seeded by `seed` and its name, so that switching one on
    or off does not change the others.
    """

    def __init__(
        self, losses: Mapping[str, LossConfig], taps: Mapping[str, Sequence[TapSpec]], classes: int, seed: int
    ) -> None:
        super().__init__()
        self.losses = nn.ModuleDict()
        self.weights: dict[str, float] = {}
        for name in sorted(losses):
            if not taps.get(name):
                continue
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(zlib.crc32(f"{seed}/{name}".encode()))
                self.losses[name] = build_loss(losses[name], taps[name], classes)
            self.weights[name] = losses[name].weight

    def enter(self, stage: str) -> None:
        """Tell the losses that look at it which stage of training begins."""
        for loss in self.losses.values():
            if isinstance(loss, LooksAtStages):
                loss.enter(stage)

    def forward(
        self, taps: Mapping[str, Tensor], targets: Targets | Tensor, active: Collection[str] | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the weighted sum, and each loss by name without its weight.

        Classes `(B,)` are enough as targets if no loss needs more. `active` names the losses to apply; None: all.
        """
        known = Targets(targets) if isinstance(targets, Tensor) else targets
        values = {name: loss(taps, known) for name, loss in self.losses.items() if active is None or name in active}
        weighted = [self.weights[name] * value for name, value in values.items()]
        total = torch.stack(weighted).sum() if weighted else torch.zeros((), device=known.identities.device)
        return total, values
