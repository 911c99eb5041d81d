"""Scorers: distances between queries and gallery other than a plain comparison of two features.

A scorer is a package here with a torch-free `config.py` (its config class in `CONFIG`) and a `scorer.py` with
`build(config, head) -> Scorer`, where `head` is the trained loss that the config names, or None. A scorer in another
distribution has the same two modules side by side and an entry point in the group `reid_search.scorers`.
"""

from typing import TYPE_CHECKING

from reid_search.lazy import lazy_names

if TYPE_CHECKING:
    from reid_search.scorers.build import build_scorer
    from reid_search.scorers.scorer import Scorer, ScorerError
    from reid_search.scorers.top_k import Candidates, TopKRescorer

__all__ = ["Candidates", "Scorer", "ScorerError", "TopKRescorer", "build_scorer"]

__getattr__ = lazy_names(
    __name__,
    dict.fromkeys(("Candidates", "TopKRescorer"), "top_k")
    | dict.fromkeys(("Scorer", "ScorerError"), "scorer")
    | {"build_scorer": "build"},
)
