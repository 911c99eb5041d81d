"""Centre loss on taps."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from reid_search.losses.centre.config import CentreConfig
from reid_search.losses.tap_loss import TapLoss
from reid_search.losses.targets import Targets
from reid_search.study import TapSpec


class Centres(nn.Module):
    """The centres `(classes, dim)`: buffers, so that no optimiser moves them and checkpoints keep them; `rate` is α."""

    positions: Tensor

    def __init__(self, classes: int, dim: int, rate: float) -> None:
        super().__init__()
        self._rate = rate
        self.register_buffer("positions", torch.zeros(classes, dim))

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        """Return half the squared distance of each image to its centre, `(B,)`; then, in training, move the centres."""
        distances = (features - self.positions[labels]).square().sum(1) / 2
        if self.training:
            self._follow(features.detach(), labels)
        return distances

    @torch.no_grad()
    def _follow(self, features: Tensor, labels: Tensor) -> None:
        """Move each centre by -α Σ(c - x) / (1 + n) over its n images (Wen et al. 2016, equation 4).

        Sums are a matrix product: adding rows at an index has no fixed order on a GPU.
        """
        members = functional.one_hot(labels, len(self.positions)).T.float()
        counts = members.sum(1, keepdim=True)
        change = (counts * self.positions - members @ features) / (1 + counts)
        self.positions -= self._rate * change


class CentreLoss(TapLoss):
    """The distance to the class's centre, averaged over images and taps."""

    def __init__(self, config: CentreConfig, taps: Sequence[TapSpec], classes: int) -> None:
        super().__init__(taps)
        self.centres = nn.ModuleList(Centres(classes, tap.dim, config.rate) for tap in taps)

    def value(self, index: int, features: Tensor, targets: Targets) -> Tensor:
        """Return the mean over images."""
        distances: Tensor = self.centres[index](features.flatten(1), targets.identities)
        return distances.mean()


build = CentreLoss
