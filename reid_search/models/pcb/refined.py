"""The part classifier of refined part pooling (Sun et al. 2018, section 3.3)."""

import torch
from torch import Tensor, nn

_WEIGHT_STD = 0.001


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
