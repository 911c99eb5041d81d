"""The part-based convolutional baseline."""

import torch

from reid_search.backbones import build_backbone
from reid_search.models.layers.branch import Head, HeadSettings, Stripes, named
from reid_search.models.layers.heads import build_reduction
from reid_search.models.model import Batch, ReidModel, Taps
from reid_search.models.pcb.config import PCBConfig
from reid_search.models.pcb.refined import GroupClassifier, PartClassifier


class PCB(ReidModel):
    """One map with a head on each part.

    Its parameters are `backbone.*`, `parts.*` and, where the config asks for them, `part_classifier.*`, `whole.*` and
    `reduction.*`.
    """

    def __init__(self, config: PCBConfig, image_size: tuple[int, int]) -> None:
        super().__init__(config.taps(image_size), config.default_readout)
        settings, region = HeadSettings.of(config), config.region(image_size)
        self._name, self._has_mean = config.name, config.part_mean
        self.backbone = build_backbone(config.backbone, config.weights, config.last_stride)
        self.reduction = None
        if config.reduction_shared:
            self.reduction = build_reduction(settings.channels, config.embedding_dim, config.reduction)
        self.whole = Head(settings, self.reduction, region) if config.global_head else None
        self.parts = Stripes(config.name, config.parts, settings, self.reduction, region)
        self.part_classifier: PartClassifier | GroupClassifier | None = None
        if config.partition == "refined":
            self.part_classifier = PartClassifier(settings.channels, config.parts)
        elif config.is_refined:
            self.part_classifier = GroupClassifier(settings.channels, config.parts, config.dropout)
        self._refines = self.part_classifier is not None

    def use_mode(self, mode: str | None) -> None:
        """Cut the map into rows (`stripes`), or find the parts as in testing (None)."""
        if mode not in (None, *PCBConfig.modes):
            super().use_mode(mode)
        self._refines = mode is None and self.part_classifier is not None

    def taps_of(self, batch: Batch) -> Taps:
        """Return the taps of the parts, and of the whole map where it has a head."""
        features = self.backbone(batch.images)
        taps: Taps = {}
        if self.whole is not None:
            taps |= named(f"{self._name}.global", self.whole(features))
        if self._refines and self.part_classifier is not None:
            taps |= self.parts.taps_of_vectors(self.part_classifier.pooled(features))
        else:
            taps |= self.parts(features)
        if self._has_mean:
            reduced = [taps[f"{self._name}.part{number}@reduced"] for number in range(1, len(self.parts) + 1)]
            taps[f"{self._name}.mean@reduced"] = torch.stack(reduced).mean(dim=0)
        return taps


build = PCB
