"""What every architecture is: a module that turns a batch into named taps."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from reid_search.study import TapSpec, select_taps

Taps = dict[str, Tensor]


@dataclass
class Batch:
    """Images with what else an architecture may want, all transformed together.

    Attributes:
        images: `(B, 3, H, W)`, normalised.
        maps: `(B, K, h, w)` part maps in [0, 1].
        keypoints: `(B, K, 3)`: x and y in pixels, visibility 0, 1 or 2.
        attributes: `(B, A)`.
    """

    images: Tensor
    maps: Tensor | None = None
    keypoints: Tensor | None = None
    attributes: Tensor | None = None


class ReidModel(nn.Module):
    """Turns a batch into taps.

    Args:
        taps: Every tap that `forward` returns, in order.
        readout: Patterns of the default readout.
    """

    def __init__(self, taps: Sequence[TapSpec], readout: Sequence[str]) -> None:
        super().__init__()
        self.tap_specs = tuple(taps)
        self._readout = tuple(tap.key for tap in select_taps(readout, self.tap_specs))
        self._pretrained: frozenset[str] = frozenset()

    @abstractmethod
    def taps_of(self, batch: Batch) -> Taps:
        """Return the taps of a batch, by `TapSpec.key`, each `(B, *shape)`."""

    def forward(self, batch: Batch | Tensor) -> Taps:
        """Return the taps of a batch, or of a plain tensor of normalised images `(B, 3, H, W)`."""
        return self.taps_of(Batch(batch) if isinstance(batch, Tensor) else batch)

    def embed(self, batch: Batch | Tensor) -> Tensor:
        """Return the default readout of a batch, `(B, D)` of unit length."""
        taps = self(batch)
        return functional.normalize(torch.cat([taps[key].flatten(1) for key in self._readout], dim=1), dim=1)

    def mark_pretrained(self, names: Sequence[str]) -> None:
        """Remember which parameters came from a weights file."""
        self._pretrained = frozenset(names)

    def new_parameters(self) -> frozenset[str]:
        """Return the names of the parameters that start from random values."""
        return frozenset(name for name, _ in self.named_parameters()) - self._pretrained
