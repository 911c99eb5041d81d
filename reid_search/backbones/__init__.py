"""Backbones: from images to a map, in blocks between which an architecture may cut.

A backbone is a package here with a torch-free `config.py` (its config class in `CONFIG`, which says what blocks it has)
and a `model.py` with `build(config, weights) -> Backbone`, which hands weights to `load_weights`. Backbones
that differ in numbers alone may share a package: the type of the config's `name` lists them. A backbone of another
distribution has the same two modules side by side and names its config class in an entry point of the group
`reid_search.backbones`, one for each name.
"""

from typing import TYPE_CHECKING

from reid_search.backbones.config import BackboneConfig, BackboneName, Block, backbone_config
from reid_search.lazy import lazy_names

if TYPE_CHECKING:
    from reid_search.backbones.backbone import Backbone, build_backbone
    from reid_search.backbones.weights import Weights, load_weights

__all__ = [
    "Backbone",
    "BackboneConfig",
    "BackboneName",
    "Block",
    "Weights",
    "backbone_config",
    "build_backbone",
    "load_weights",
]

__getattr__ = lazy_names(
    __name__, {"Backbone": "backbone", "build_backbone": "backbone", "Weights": "weights", "load_weights": "weights"}
)
