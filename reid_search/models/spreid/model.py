"""SPReID: features pooled under maps of body parts."""

import copy

import torch
from torch import Tensor

from reid_search.backbones import backbone_config, build_backbone
from reid_search.models.layers.branch import build_vector_head, named
from reid_search.models.layers.heads import Pooling
from reid_search.models.layers.resize import Size, resize_area, spread_bilinear
from reid_search.models.layers.weighted import share_out, weighted_pooling, weighted_sum
from reid_search.models.model import Batch, ReidModel, Taps
from reid_search.models.spreid.config import FOREGROUND, SPReIDConfig
from reid_search.models.spreid.maps import Parser, parsed_maps, side_car_maps, stripe_maps, uniform_maps
from reid_search.study.trial.side_cars import PARTS


class SPReID(ReidModel):
    """One or two backbones, five maps, and a head on the concatenated vector."""

    def __init__(self, config: SPReIDConfig, image_size: tuple[int, int]) -> None:
        super().__init__(config.taps(image_size), config.default_readout)
        self.config = config
        self.backbone = build_backbone(config.backbone, config.weights, config.last_stride)
        separate = config.include_global and not config.backbone_shared
        self.global_backbone = copy.deepcopy(self.backbone) if separate else None
        self.pooling = Pooling(config.pooling) if config.include_global else None
        self.head = build_vector_head(config.vectors * config.channels, config)
        self.parser = _build_parser(config) if config.maps == "learnt" else None

    def taps_of(self, batch: Batch) -> Taps:
        """Return the taps of the whole vector, of the five maps, and of the parser."""
        features = self.backbone(batch.images)
        maps, parsing = self._maps(batch, features)
        foreground, *parts = self._pooled(features, maps).unbind(dim=1)
        vectors = [foreground] if self.config.foreground else []
        vectors += _combined(parts, self.config.combine)
        if self.pooling is not None:
            whole = features if self.global_backbone is None else self.global_backbone(batch.images)
            vectors.append(self.pooling(whole))
        taps = named("spreid.global", self.head.stages(torch.cat(vectors, dim=1)))
        named_parts = zip((FOREGROUND, *PARTS), (foreground, *parts), strict=True)
        return taps | {f"spreid.{name}@coarse": part for name, part in named_parts} | parsing

    def _maps(self, batch: Batch, features: Tensor) -> tuple[Tensor, Taps]:
        """Return the five maps on their grid, and the parser's tap where there is one."""
        rows, columns = features.shape[2:]
        grid = self.config.grid((rows, columns))
        if self.parser is not None:
            logits = self.parser(batch.images, features, grid)
            return parsed_maps(logits.detach() if self.config.parser_detached else logits), {"parsing@coarse": logits}
        if self.config.maps == "side_car":
            return side_car_maps(batch.need("maps", "spreid"), grid), {}
        control = stripe_maps if self.config.maps == "stripes" else uniform_maps
        return control(batch.images, grid), {}

    def _pooled(self, features: Tensor, maps: Tensor) -> Tensor:
        """Return the average of features under each map, `(B, 5, C)`."""
        size: Size = (features.shape[2], features.shape[3])
        if self.config.resize == "maps":
            return weighted_pooling(features, resize_area(maps, size))
        return weighted_sum(features, spread_bilinear(share_out(maps), size, align_corners=self.config.align_corners))


class Combined(ReidModel):
    """A network with the foreground and one without, which see the same batches and share nothing else."""

    def __init__(self, config: SPReIDConfig, image_size: tuple[int, int]) -> None:
        super().__init__(config.taps(image_size), config.default_readout)
        self._names = tuple(config.networks)
        for name, own in config.networks.items():
            self.add_module(name, SPReID(own, image_size))

    def taps_of(self, batch: Batch) -> Taps:
        """Return the taps of both networks, each under its own name."""
        return {
            f"{name}.{key.removeprefix('spreid.')}": value
            for name in self._names
            for key, value in self.get_submodule(name)(batch).items()
        }


def _build_parser(config: SPReIDConfig) -> Parser:
    if config.parser == "shared":
        return Parser(config.channels, None)
    return Parser(backbone_config(config.parser_backbone).channels, build_backbone(config.parser_backbone, None, 1))


def _combined(parts: list[Tensor], how: str) -> list[Tensor]:
    """Return what the four body parts, each `(B, C)`, contribute to the concatenation."""
    if how == "none":
        return []
    if how == "concat":
        return parts
    stacked = torch.stack(parts)
    return [stacked.amax(dim=0) if how == "max" else stacked.mean(dim=0)]


def build(config: SPReIDConfig, image_size: tuple[int, int]) -> SPReID | Combined:
    """Build one network, or one with the foreground and one without."""
    return (Combined if config.foreground == "both" else SPReID)(config, image_size)
