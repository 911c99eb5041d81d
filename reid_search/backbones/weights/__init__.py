"""Pretrained weights of a backbone from a file, in the forms that files have.

`reading` opens a file without running code, `unwrapping` finds the tensors in it, `naming` finds the backbone's names
among theirs, `published` lists the names that other code gives them, `positions` resizes tables of positions, `filling`
decides what is taken and what is an error, and `examining` does all of it in another process, for commands that load no
torch.
"""

from typing import TYPE_CHECKING

from reid_search.lazy import lazy_names

if TYPE_CHECKING:
    from reid_search.backbones.weights.examining import examine_weights
    from reid_search.backbones.weights.loading import Pretrained, Weights, load_weights

__all__ = ["Pretrained", "Weights", "examine_weights", "load_weights"]

__getattr__ = lazy_names(
    __name__,
    {"examine_weights": "examining", **dict.fromkeys(("Pretrained", "Weights", "load_weights"), "loading")},
)
