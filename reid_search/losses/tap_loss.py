"""The base class of losses that treat each tap separately."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from reid_search.losses.targets import Targets
from reid_search.study import TapSpec


class TapLoss(nn.Module):
    """The mean, over one or more taps, of a value computed on each tap alone.

    Values are computed in float32 even under autocast: squares, distances and scaled cosines overflow or lose precision
    in half precision, and a loss costs little compared with the network.
    """

    def __init__(self, taps: Sequence[TapSpec]) -> None:
        super().__init__()
        self._keys = tuple(tap.key for tap in taps)

    @abstractmethod
    def value(self, index: int, features: Tensor, targets: Targets) -> Tensor:
        """Return the value of one tap, a scalar.

        Args:
            index: Which of the loss's taps.
            features: Its features, `(B, *shape)`, float32.
            targets: The images' labels and side-cars.
        """

    def forward(self, taps: Mapping[str, Tensor], targets: Targets) -> Tensor:
        """Return the mean over taps."""
        values = []
        for index, key in enumerate(self._keys):
            features = taps[key]
            with torch.autocast(features.device.type, enabled=False):
                values.append(self.value(index, features.float(), targets))
        return torch.stack(values).mean()
