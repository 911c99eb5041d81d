"""Attribute classification on taps."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from reid_search.losses.attributes.config import AttributesConfig
from reid_search.losses.tap_loss import TapLoss
from reid_search.losses.targets import Targets
from reid_search.study import TapSpec
from reid_search.study.trial.side_cars import ALL_ATTRIBUTES, ATTRIBUTE_SETS, UNKNOWN, logits_of
from reid_search.study.trial.taps import Scope

_STD = 0.001


class AttributesLoss(TapLoss):
    """Cross-entropy of each attribute, averaged over the images that have it, the attributes that one has, and taps."""

    def __init__(self, config: AttributesConfig, taps: Sequence[TapSpec], _classes: int) -> None:
        super().__init__(taps)
        attributes, places = ATTRIBUTE_SETS[config.attribute_set], list(ALL_ATTRIBUTES)
        self._sizes = list(attributes.values())
        self._columns = [places.index(name) for name in attributes]
        self.classifiers = nn.ModuleList(_classifier(tap, logits_of(config.attribute_set)) for tap in taps)

    def value(self, index: int, features: Tensor, targets: Targets) -> Tensor:
        """Return the mean over attributes and images; an attribute that no image has is left out."""
        logits = self.classifiers[index](features.flatten(1)).split(self._sizes, dim=1)
        wanted = targets.need("attributes").long()[:, self._columns].unbind(1)
        values = [functional.cross_entropy(*pair, ignore_index=UNKNOWN) for pair in zip(logits, wanted, strict=True)]
        known = [value for value, column in zip(values, wanted, strict=True) if bool((column != UNKNOWN).any())]
        return torch.stack(known).mean() if known else features.sum() * 0


def _classifier(tap: TapSpec, logits: int) -> nn.Module:
    """Return the linear classifiers of all attributes side by side; logits need none."""
    if tap.scope is Scope.ATTRIBUTE:
        return nn.Identity()
    classifier = nn.Linear(tap.dim, logits)
    nn.init.normal_(classifier.weight, std=_STD)
    nn.init.zeros_(classifier.bias)
    return classifier


build = AttributesLoss
