"""Losses on taps. Each owns what it needs: a classifier, centres, a pair head.

A loss is a package here with a torch-free `config.py` (its config class in `CONFIG`) and a `loss.py` with
`build(config, taps, classes) -> nn.Module`, whose forward takes the taps and labels of a batch and returns the mean
over its taps. A loss of another distribution has the same two modules and an entry point of the group
`reid_search.losses`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reid_search.losses.criterion import Criterion, build_loss

__all__ = ["Criterion", "build_loss"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from reid_search.losses import criterion

        return getattr(criterion, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
