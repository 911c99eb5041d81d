"""Softmax cross-entropy on taps."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from reid_search.losses.cross_entropy.config import CrossEntropyConfig
from reid_search.losses.cross_entropy.logits import circle_logits, cosine_logits
from reid_search.losses.tap_loss import TapLoss
from reid_search.losses.targets import Targets
from reid_search.study import TapSpec

_LINEAR_STD = 0.001
_COSINE_STD = 0.01  # only the direction counts, but steps turn a short vector too far; FastReID's choice


class _CosineClassifier(nn.Linear):
    """The cosine between a feature and each class."""

    def forward(self, features: Tensor) -> Tensor:
        return functional.linear(functional.normalize(features), functional.normalize(self.weight))


class CrossEntropyLoss(TapLoss):
    """A classifier and softmax cross-entropy on each tap, averaged over the taps."""

    def __init__(self, config: CrossEntropyConfig, taps: Sequence[TapSpec], classes: int) -> None:
        super().__init__(taps)
        self._config = config
        self.dropout = nn.Dropout(config.dropout)
        classified = taps[:1] if config.shared else taps
        self.classifiers = nn.ModuleList(_classifier(config, tap.dim, classes) for tap in classified)

    def value(self, index: int, features: Tensor, targets: Targets) -> Tensor:
        """Return the mean over images."""
        classifier = self.classifiers[0 if self._config.shared else index]
        logits = self._logits(classifier(self.dropout(features.flatten(1))), targets.identities)
        return functional.cross_entropy(logits, targets.identities, label_smoothing=self._config.label_smoothing)

    def _logits(self, scores: Tensor, classes: Tensor) -> Tensor:
        if self._config.logits == "linear":
            return scores
        change = cosine_logits if self._config.logits == "cosine" else circle_logits
        return change(scores, classes, self._config.scale, self._config.margin)


def _classifier(config: CrossEntropyConfig, dim: int, classes: int) -> nn.Linear:
    linear = config.logits == "linear"
    has_bias = linear and config.bias
    classifier = (nn.Linear if linear else _CosineClassifier)(dim, classes, bias=has_bias)
    nn.init.normal_(classifier.weight, std=_LINEAR_STD if linear else _COSINE_STD)
    if has_bias:
        nn.init.zeros_(classifier.bias)
    return classifier


build = CrossEntropyLoss
