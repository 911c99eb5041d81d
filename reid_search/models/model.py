"""The base class of architectures: a module that turns a batch into named taps."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from reid_search.backbones import Backbone
from reid_search.backbones.weights import Pretrained
from reid_search.errors import StudyError
from reid_search.records import LoadedWeights
from reid_search.study import TapSpec, select_taps
from reid_search.study.trial.side_cars import KEYPOINTS, MIRRORED_KEYPOINTS, PARTS, SideCar, in_words

Taps = dict[str, Tensor]


@dataclass
class Batch:
    """Images and their side-cars, all transformed together.

    Attributes:
        images: `(B, 3, H, W)`, normalised.
        maps: `(B, 4, H, W)` part maps in [0, 1], in the order of `PARTS`; the rest is background.
        keypoints: `(B, 17, 3)`: x and y in pixels of the image, visibility 0 (absent), 1 (occluded) or 2 (visible).
        attributes: `(B, 32)` values of the identity's attributes, in the order of `ALL_ATTRIBUTES`; -1 is unknown.
    """

    images: Tensor
    maps: Tensor | None = None
    keypoints: Tensor | None = None
    attributes: Tensor | None = None

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return int(self.images.shape[2]), int(self.images.shape[3])

    def need(self, kind: SideCar, architecture: str) -> Tensor:
        """Return one kind of side-car, or raise a StudyError if the batch has none."""
        value: Tensor | None = getattr(self, kind)
        if value is None:
            raise StudyError(f"architecture '{architecture}' needs {in_words(kind)}, and this batch has none")
        return value

    def mirrored(self) -> "Batch":
        """Return the batch with left and right exchanged, side-cars included."""
        return Batch(
            self.images.flip(3),
            None if self.maps is None else self.maps.flip(3),
            None if self.keypoints is None else _mirrored_keypoints(self.keypoints, self.images.shape[3]),
            self.attributes,
        )

    @classmethod
    def example(cls, image_size: tuple[int, int], count: int = 1, device: torch.device | None = None) -> "Batch":
        """Return a batch of black images with maps and keypoints, to measure a model with."""
        height, width = image_size
        maps = torch.full((count, len(PARTS), height, width), 1 / (len(PARTS) + 1), device=device)
        place = torch.tensor([(width - 1) / 2, (height - 1) / 2, 2.0], device=device)
        keypoints = place.repeat(count, len(KEYPOINTS), 1)
        return cls(torch.zeros(count, 3, height, width, device=device), maps, keypoints)


def _mirrored_keypoints(keypoints: Tensor, width: int) -> Tensor:
    exchanged = keypoints[:, list(MIRRORED_KEYPOINTS)]
    return torch.cat([width - 1 - exchanged[..., :1], exchanged[..., 1:]], dim=2)


class ReidModel(nn.Module):
    """Turns a batch into the listed taps; `readout` holds the tap patterns of the default readout."""

    def __init__(self, taps: Sequence[TapSpec], readout: Sequence[str]) -> None:
        super().__init__()
        self.tap_specs = tuple(taps)
        self._readout = tuple(tap.key for tap in select_taps(readout, self.tap_specs))

    @abstractmethod
    def taps_of(self, batch: Batch) -> Taps:
        """Return the taps of a batch, by `TapSpec.key`, each `(B, *shape)`."""

    def use_mode(self, mode: str | None) -> None:
        """Switch to one of the config's `modes`, or to testing (None); a model with modes overrides this."""
        if mode is not None:
            raise ValueError(f"{type(self).__name__} has no mode '{mode}'")

    def forward(self, batch: Batch | Tensor) -> Taps:
        """Return the taps of a batch, or of a plain tensor of normalised images `(B, 3, H, W)`."""
        return self.taps_of(Batch(batch) if isinstance(batch, Tensor) else batch)

    def embed(self, batch: Batch | Tensor) -> Tensor:
        """Return the default readout of a batch, `(B, D)` of unit length."""
        taps = self(batch)
        return functional.normalize(torch.cat([taps[key].flatten(1) for key in self._readout], dim=1), dim=1)

    def loaded_weights(self) -> tuple[LoadedWeights, ...]:
        """Return what was taken from each file of weights."""
        return tuple(dict.fromkeys(backbone.report for _, backbone in self._pretrained()))

    def new_parameters(self) -> frozenset[str]:
        """Return the names of the parameters that start from random values."""
        taken = {
            f"{place}.{name}"
            for place, pretrained in self._pretrained()
            for name, _ in self.get_submodule(place).named_parameters()
            if name not in pretrained.drawn
        }
        return frozenset(name for name, _ in self.named_parameters()) - taken

    def _pretrained(self) -> Iterator[tuple[str, Pretrained]]:
        """Yield the places of the backbones that took weights from a file, and what they took."""
        for place, module in self.named_modules():
            if isinstance(module, Backbone) and module.pretrained is not None:
                yield place, module.pretrained
