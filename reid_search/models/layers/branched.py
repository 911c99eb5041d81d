"""A model of branches on a shared part of a backbone."""

from collections.abc import Sequence

from torch import nn

from reid_search.models.model import Batch, ReidModel, Taps
from reid_search.study import TapSpec


class BranchedModel(ReidModel):
    """Sends images through the shared blocks, if any, and then through every branch.

    `reduction` is the one that all heads share, if any.
    """

    def __init__(
        self,
        taps: Sequence[TapSpec],
        readout: Sequence[str],
        shared: nn.Sequential,
        branches: nn.ModuleList,
        *,
        reduction: nn.Module | None = None,
    ) -> None:
        super().__init__(taps, readout)
        self.shared = shared
        self.branches = branches
        self.reduction = reduction

    def taps_of(self, batch: Batch) -> Taps:
        """Return the taps of all branches."""
        features = self.shared(batch.images)
        taps: Taps = {}
        for branch in self.branches:
            taps |= branch(features)
        return taps
