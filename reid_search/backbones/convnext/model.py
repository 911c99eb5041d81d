"""ConvNeXts in blocks."""

from collections import OrderedDict

from torch import nn

from reid_search.backbones.backbone import Backbone, modules_of, timm_network
from reid_search.backbones.convnext.config import ConvNeXtConfig
from reid_search.backbones.weights import Weights


class ConvNeXt(Backbone):
    """A ConvNeXt without its head."""

    def set_last_stride(self, stride: int) -> None:
        """Give the convolution before the last stage another stride."""
        block = getattr(self, "stages_3_downsample", None)
        if block is not None:
            further = 2 - stride
            block.further.padding = (0, further, 0, further)
            block.get_submodule("1").stride = (stride, stride)


def build(config: ConvNeXtConfig, weights: Weights | None) -> ConvNeXt:
    """Build a ConvNeXt with freshly drawn weights, or with those of a file.

    Raises:
        StudyError: The weights cannot be read or do not fit.
    """
    network = timm_network(config, weights, head=("head.",))
    blocks = modules_of(network, config.blocks(1))
    norm, convolution = blocks["stages_3_downsample"].children()
    parts = OrderedDict([("0", norm), ("further", nn.ZeroPad2d(0)), ("1", convolution)])
    return ConvNeXt(blocks | {"stages_3_downsample": nn.Sequential(parts)})
