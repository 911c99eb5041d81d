"""Data sets, the image cache that all trials of a node share, splits, P × K batches and augmentation.

A data set is a package here with a torch-free `config.py` (its config class in `CONFIG`, which knows its fingerprint)
and a `data.py` with `load(config, cache) -> ReidDataset`. A data set of another distribution has the same two modules
side by side and names its config class in an entry point of the group `reid_search.data`.
"""

from typing import TYPE_CHECKING

from reid_search.common.places import cache_folder
from reid_search.lazy import lazy_names

if TYPE_CHECKING:
    from reid_search.data.dataset import ReidDataset, load_dataset
    from reid_search.data.images import open_images
    from reid_search.data.samples import Samples
    from reid_search.data.sampling import IdentitySampler
    from reid_search.data.split import HoldoutSplit, split_holdout
    from reid_search.data.trial_data import (
        LabelledImages,
        RankingSet,
        Tested,
        TrainingImages,
        TrialData,
        open_tests,
        open_trial_data,
    )

__all__ = [
    "HoldoutSplit",
    "IdentitySampler",
    "LabelledImages",
    "RankingSet",
    "ReidDataset",
    "Samples",
    "Tested",
    "TrainingImages",
    "TrialData",
    "cache_folder",
    "load_dataset",
    "open_images",
    "open_tests",
    "open_trial_data",
    "split_holdout",
]

__getattr__ = lazy_names(
    __name__,
    {"open_images": "images", "Samples": "samples", "IdentitySampler": "sampling"}
    | dict.fromkeys(("ReidDataset", "load_dataset"), "dataset")
    | dict.fromkeys(("HoldoutSplit", "split_holdout"), "split")
    | dict.fromkeys(
        ("LabelledImages", "RankingSet", "Tested", "TrainingImages", "TrialData", "open_tests", "open_trial_data"),
        "trial_data",
    ),
)
