"""The part classifiers of refined part pooling: that of the paper (Sun et al. 2018, section 3.3), and of its code."""

import torch
from torch import Tensor, nn

from reid_search.models.layers.weighted import weighted_pooling, weighted_sum

_WEIGHT_STD = 0.001
_GROUPS = 256


class PartClassifier(nn.Module):
    """Gives every place of a map its probability of belonging to each part: a linear layer without bias and a softmax.

    The probabilities start out nearly equal.
    """

    def __init__(self, channels: int, parts: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(parts, channels))
        nn.init.normal_(self.weight, std=_WEIGHT_STD)

    def forward(self, features: Tensor) -> Tensor:
        """Return `(B, parts, H, W)` of a map `(B, C, H, W)`; at each place the parts sum to 1."""
        count, _, height, width = features.shape
        scores = torch.matmul(self.weight, features.flatten(2))
        return scores.float().softmax(dim=1).view(count, -1, height, width)

    def pooled(self, features: Tensor) -> Tensor:
        """Return the average of each part, `(B, parts, C)`."""
        return weighted_pooling(features, self(features))


class GroupClassifier(nn.Module):
    """The same from averages of neighbouring channels, less their means over the map, by a layer with bias.

    As in the authors' code: `dropout` of the map comes first, and a part's sum is divided by the places of a stripe,
    whatever its weights sum to.
    """

    def __init__(self, channels: int, parts: int, dropout: float) -> None:
        super().__init__()
        shares = range(max(1, channels // _GROUPS), 0, -1)
        self._share = next(share for share in shares if channels % share == 0)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(channels // self._share, parts)
        nn.init.kaiming_normal_(self.linear.weight, mode="fan_out")
        nn.init.zeros_(self.linear.bias)

    def forward(self, features: Tensor) -> Tensor:
        """Return `(B, parts, H, W)` of a map `(B, C, H, W)`; at each place the parts sum to 1."""
        count, channels, height, width = features.shape
        grouped = self.dropout(features).view(count, channels // self._share, self._share, height * width).mean(dim=2)
        centred = grouped - grouped.mean(dim=2, keepdim=True)
        scores: Tensor = self.linear(centred.transpose(1, 2)).transpose(1, 2)
        return scores.float().softmax(dim=1).view(count, -1, height, width)

    def pooled(self, features: Tensor) -> Tensor:
        """Return the sum of each part by the places of a stripe, `(B, parts, C)`."""
        weights = self(features)
        return weighted_sum(features, weights * (weights.shape[1] / (features.shape[2] * features.shape[3])))
