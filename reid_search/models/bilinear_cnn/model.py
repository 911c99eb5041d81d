"""The bilinear CNN: one or two streams and their product."""

from reid_search.backbones import backbone_config, build_backbone
from reid_search.models.bilinear_cnn.config import BilinearCNNConfig
from reid_search.models.layers.bilinear import Stream, build_product, finished
from reid_search.models.layers.branch import build_vector_head, named
from reid_search.models.layers.resize import resize
from reid_search.models.model import Batch, ReidModel, Taps


class BilinearCNN(ReidModel):
    """One or two streams, their product, and a head on it."""

    def __init__(self, config: BilinearCNNConfig, image_size: tuple[int, int]) -> None:
        super().__init__(config.taps(image_size), config.default_readout)
        self.config = config
        streams = [
            _build_stream(config, name, entry)
            for name, entry in zip(config.backbones, ("weights", "second_weights"), strict=True)
        ]
        self.first = streams[0]
        self.second = streams[1] if config.streams == "two" else None
        self.product = build_product(config.sizes, config.fusion == "compact", config)
        size = config.product_dim(config.sizes, config.fusion == "compact")
        self.head = build_vector_head(size, config)

    def taps_of(self, batch: Batch) -> Taps:
        """Return the taps of the product."""
        first = second = self.first(batch.images)
        if self.second is not None:
            second = resize(self.second(batch.images), (first.shape[2], first.shape[3]))
        return named("bilinear.global", self.head.stages(finished(self.product(first, second), self.config)))


def _build_stream(config: BilinearCNNConfig, name: str, entry: str) -> Stream:
    _, weights = config.pretrained.get(entry, (name, None))
    blocks = build_backbone(name, weights, config.last_stride, entry=entry)
    return Stream(blocks, backbone_config(name).channels, config.stream_dim)


build = BilinearCNN
