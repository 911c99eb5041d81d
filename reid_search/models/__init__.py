"""Architectures: from a batch to named taps.

An architecture is a package here with a torch-free `config.py` (its config class in `CONFIG`) and a `model.py` with
`build(config, image_size) -> ReidModel`. An architecture in another distribution has the same two modules side by side,
and an entry point in the group `reid_search.models` that names its config class.
"""

from typing import TYPE_CHECKING

from reid_search.lazy import lazy_names

if TYPE_CHECKING:
    from reid_search.models.build import build_model, count_macs, count_parameters
    from reid_search.models.model import Batch, ReidModel, Taps

__all__ = ["Batch", "ReidModel", "Taps", "build_model", "count_macs", "count_parameters"]

__getattr__ = lazy_names(
    __name__,
    dict.fromkeys(("Batch", "ReidModel", "Taps"), "model")
    | dict.fromkeys(("build_model", "count_macs", "count_parameters"), "build"),
)
