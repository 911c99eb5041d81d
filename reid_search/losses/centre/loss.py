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
    """The centres `(classes, dim)`: buffers, so that no optimiser moves them and checkpoints keep them."""

    positions: Tensor

    def __init__(self, classes: int, dim: int, config: CentreConfig) -> None:
        super().__init__()
        self._config = config
        shape = (classes, dim)
        self.register_buffer("positions", torch.zeros(shape) if config.form == "wen" else torch.randn(shape))

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        """Return the distance of each image to its centre, `(B,)`; then, in training, move the centres."""
        distances = (features - self.positions[labels]).square().sum(1)
        if self.training:
            self._move(features.detach(), labels)
        return distances / 2 if self._config.form == "wen" else distances

    @torch.no_grad()
    def _move(self, features: Tensor, labels: Tensor) -> None:
        """Move each centre c with the images x of its class in the batch.

        `wen`: by -α Σ(c - x) / (1 + n) over its n images (Wen et al. 2016, equation 4). `luo`: by a step of SGD on the
        mean over the B images of the batch, -α · 2 Σ(c - x) / B.

        Sums are a matrix product: adding rows at an index has no fixed order on a GPU.
        """
        members = functional.one_hot(labels, len(self.positions)).T.float()
        counts = members.sum(1, keepdim=True)
        pull = counts * self.positions - members @ features
        change = pull / (1 + counts) if self._config.form == "wen" else 2 * pull / len(features)
        self.positions -= self._config.rate * change


class CentreLoss(TapLoss):
    """The distance to the class's centre, averaged over images and taps."""

    def __init__(self, config: CentreConfig, taps: Sequence[TapSpec], classes: int) -> None:
        super().__init__(taps)
        self.centres = nn.ModuleList(Centres(classes, tap.dim, config) for tap in taps)

    def value(self, index: int, features: Tensor, targets: Targets) -> Tensor:
        """Return the mean over images."""
        distances: Tensor = self.centres[index](features.flatten(1), targets.identities)
        return distances.mean()


build = CentreLoss
