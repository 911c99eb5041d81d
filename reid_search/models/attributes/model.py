"""Attribute-person recognition: a global vector and classifiers of attributes."""

import torch
from torch import Tensor, nn

from reid_search.backbones import build_backbone
from reid_search.models.attributes.config import AttributesConfig
from reid_search.models.layers.branch import build_vector_head, named
from reid_search.models.layers.heads import Pooling
from reid_search.models.model import Batch, ReidModel, Taps
from reid_search.study.trial.side_cars import ATTRIBUTE_SETS


class AttributeRecognition(ReidModel):
    """A backbone, a classifier of each attribute, and a head on the pooled map with the re-weighted predictions."""

    def __init__(self, config: AttributesConfig, image_size: tuple[int, int]) -> None:
        super().__init__(config.taps(image_size), config.default_readout)
        self.backbone = build_backbone(config.backbone, config.weights, config.last_stride)
        self.pooling = Pooling(config.pooling)
        self.classifiers = nn.Linear(config.channels, config.logits)
        self.gate = nn.Linear(config.logits, config.logits) if config.reweighting else None
        self._sizes = list(ATTRIBUTE_SETS[config.attribute_set].values())
        self.head = build_vector_head(config.vector_size, config)

    def taps_of(self, batch: Batch) -> Taps:
        """Return the taps of the global vector and of the attributes."""
        vector = self.pooling(self.backbone(batch.images))
        logits = self.classifiers(vector)
        if self.gate is not None:
            predictions = predict(logits, self._sizes)
            vector = torch.cat([vector, self.gate(predictions).sigmoid() * predictions], dim=1)
        return {**named("p1.global", self.head.stages(vector)), "attributes.logits@coarse": logits}


def predict(logits: Tensor, sizes: list[int]) -> Tensor:
    """Return the probabilities of all attributes' values, shaped like their logits; each has `sizes` values."""
    each = torch.split(logits.float(), sizes, dim=1)
    return torch.cat([values.softmax(dim=1) for values in each], dim=1)


build = AttributeRecognition
