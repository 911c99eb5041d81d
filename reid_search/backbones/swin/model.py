"""Swin transformers in blocks."""

from torch import Tensor

from reid_search.backbones.backbone import Backbone, modules_of, timm_network
from reid_search.backbones.swin.config import SwinConfig
from reid_search.backbones.weights import Weights


class Swin(Backbone):
    """A Swin transformer without its head; between its blocks channels come last."""

    def as_map(self, features: Tensor) -> Tensor:
        """Return channels first."""
        return features.permute(0, 3, 1, 2).contiguous()

    def forward(self, features: Tensor) -> Tensor:
        """Return a map, or what its blocks pass on where the last are missing."""
        for block in self:
            features = block(features)
        return self.as_map(features) if hasattr(self, "norm") else features


def build(config: SwinConfig, weights: Weights | None) -> Swin:
    """Build a Swin transformer with freshly drawn weights, or with those of a file; it drops no path at random.

    Raises:
        StudyError: The weights cannot be read or do not fit.
    """
    network = timm_network(config, weights, head=("head.",), strict_img_size=False, drop_path_rate=0.0)
    return Swin(modules_of(network, config.blocks(2)))
