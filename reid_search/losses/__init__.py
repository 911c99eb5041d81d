"""Losses on taps. Each has the parameters that it needs: a classifier, centres, a pair head.

A loss is a package here with a torch-free `config.py` (its config class in `CONFIG`) and a `loss.py` with
`build(config, taps, classes) -> nn.Module`, whose forward takes the taps and `Targets` of a batch and returns the mean
over its taps (subclass `tap_loss.TapLoss` if each tap is treated separately). A loss whose head can compare two images
in testing sets `scores_pairs` in its config and offers `pair_scores(query (Q, D), gallery (K, D)) -> (Q, K)`; higher
means more similar. A loss in another distribution has the same two modules and an entry point in the group
`reid_search.losses`.
"""

from typing import TYPE_CHECKING

from reid_search.lazy import lazy_names

if TYPE_CHECKING:
    from reid_search.losses.criterion import Criterion, build_loss
    from reid_search.losses.targets import Targets

__all__ = ["Criterion", "Targets", "build_loss"]

__getattr__ = lazy_names(__name__, {"Criterion": "criterion", "Targets": "targets", "build_loss": "criterion"})
