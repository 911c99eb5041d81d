"""ResNeSts in blocks."""

from collections import OrderedDict

from torch import nn

from reid_search.backbones.backbone import Backbone, modules_of, timm_network
from reid_search.backbones.resnest.config import ResNeStConfig
from reid_search.backbones.weights import Weights


class ResNeSt(Backbone):
    """A ResNeSt without its head."""

    def set_last_stride(self, stride: int) -> None:
        """Give the pooling layers of the first block of `layer4` another stride."""
        block = getattr(self, "layer4_0", None)
        if block is not None:
            block.avd_last.stride = stride
            pooled = nn.AvgPool2d(2, stride, ceil_mode=True, count_include_pad=False)
            block.downsample[0] = nn.Identity() if stride == 1 else pooled


def build(config: ResNeStConfig, weights: Weights | None) -> ResNeSt:
    """Build a ResNeSt with freshly drawn weights, or with those of a file.

    Raises:
        StudyError: The weights cannot be read or do not fit.
    """
    network = timm_network(config, weights, head=("fc.",))
    stem = (network.get_submodule(name) for name in ("conv1", "bn1", "act1", "maxpool"))
    blocks: OrderedDict[str, nn.Module] = OrderedDict(stem=nn.Sequential(*stem))
    return ResNeSt(blocks | modules_of(network, config.blocks(1)[1:]))
