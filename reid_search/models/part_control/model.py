"""The control of part branches."""

import torch
from torch import Tensor, nn

from reid_search.backbones import build_backbone
from reid_search.errors import StudyError
from reid_search.models.layers.branch import Head, HeadSettings, named, part_taps
from reid_search.models.layers.shapes import Region
from reid_search.models.model import Batch, ReidModel, Taps
from reid_search.models.part_control.config import PartControlConfig


class PartControl(ReidModel):
    """One map with a head on all of it and further heads, each on what the config says.

    Its parameters are `backbone.*`, `whole.*` and `parts.*`, drawn in the order of an MGN's branch.
    """

    def __init__(self, config: PartControlConfig, image_size: tuple[int, int]) -> None:
        super().__init__(config.taps(image_size), config.default_readout)
        settings = HeadSettings.of(config)
        self._name, self._region = config.name, config.region(image_size)
        self.backbone = build_backbone(config.backbone, config.weights, config.last_stride)
        self.whole = Head(settings)
        self.parts = nn.ModuleList(Head(settings) for _ in range(config.parts))
        self.places: Tensor | None
        scattered = config.sees == "scattered"
        self.register_buffer("places", torch.randperm(self._region.rows * self._region.columns) if scattered else None)

    def taps_of(self, batch: Batch) -> Taps:
        """Return the taps of the whole map and of the parts.

        Raises:
            StudyError: The places are those of a map of another size.
        """
        features = self.backbone(batch.images)
        names = [f"{self._name}.part{number}" for number in range(1, len(self.parts) + 1)]
        seen = [features] * len(self.parts) if self.places is None else self._scattered(features, self.places)
        parts = [head(part) for head, part in zip(self.parts, seen, strict=True)]
        return named(f"{self._name}.global", self.whole(features)) | part_taps(names, parts, self._name)

    def _scattered(self, features: Tensor, places: Tensor) -> list[Tensor]:
        """Return the features at each part's places, `(B, C, 1, N)`, with N differing by at most 1."""
        _refuse_another_size(features, self._region)
        flat = features.flatten(2)
        return [flat[:, :, own].unsqueeze(2) for own in places.tensor_split(len(self.parts))]


def _refuse_another_size(features: Tensor, region: Region) -> None:
    rows, columns = features.shape[2:]
    if (rows, columns) != (region.rows, region.columns):
        raise StudyError(
            f"sees 'scattered': the places were drawn on a map of {region}, and this one is {rows}×{columns}; give "
            "images of the size that the model was built for, or choose 'whole', which takes any size"
        )


build = PartControl
