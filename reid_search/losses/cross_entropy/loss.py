"""Softmax cross-entropy on taps."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from reid_search.losses.cross_entropy.config import CrossEntropyConfig
from reid_search.losses.targets import Targets
from reid_search.study import TapSpec

_CLASSIFIER_STD = 0.001


class CrossEntropyLoss(nn.Module):
    """A classifier and softmax cross-entropy on each tap, averaged over the taps."""

    def __init__(self, config: CrossEntropyConfig, taps: Sequence[TapSpec], classes: int) -> None:
        super().__init__()
        self._label_smoothing = config.label_smoothing
        self._keys = [tap.key for tap in taps]
        self.classifiers = nn.ModuleList(nn.Linear(tap.dim, classes, bias=config.bias) for tap in taps)
        for classifier in self.classifiers.children():
            nn.init.normal_(classifier.get_parameter("weight"), std=_CLASSIFIER_STD)
            if config.bias:
                nn.init.zeros_(classifier.get_parameter("bias"))

    def forward(self, taps: Mapping[str, Tensor], targets: Targets) -> Tensor:
        """Return the mean over taps and images."""
        values = [
            functional.cross_entropy(
                classifier(taps[key].flatten(1)).float(), targets.identities, label_smoothing=self._label_smoothing
            )
            for key, classifier in zip(self._keys, self.classifiers, strict=True)
        ]
        return torch.stack(values).mean()


def build(config: CrossEntropyConfig, taps: Sequence[TapSpec], classes: int) -> nn.Module:
    """Build the loss on its taps."""
    return CrossEntropyLoss(config, taps, classes)
