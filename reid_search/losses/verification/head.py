"""The pair head: whether two vectors belong to the same person."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from reid_search.losses.comparison import compare
from reid_search.losses.verification.config import VerificationConfig

_STD = 0.001


class PairHead(nn.Module):
    """Comparison of two vectors `(dim,)`, batch norm, dropout, two logits: different (0) and same (1)."""

    def __init__(self, config: VerificationConfig, dim: int) -> None:
        super().__init__()
        self._normalize = config.normalize
        self._comparison = config.comparison
        self.norm = nn.BatchNorm1d(dim) if config.batch_norm else nn.Identity()
        self.dropout = nn.Dropout(config.dropout)
        self.decision = nn.Linear(dim, 2)
        nn.init.normal_(self.decision.weight, std=_STD)
        nn.init.zeros_(self.decision.bias)

    def prepared(self, features: Tensor) -> Tensor:
        """Return vectors `(N, D)`, normalised if the config says so."""
        return functional.normalize(features) if self._normalize else features

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the logits `(N, 2)` of N pairs of prepared vectors; one side may be a single vector `(1, D)`."""
        logits: Tensor = self.decision(self.dropout(self.norm(compare(first, second, self._comparison))))
        return logits

    def log_odds(self, query: Tensor, gallery: Tensor) -> Tensor:
        """Return the log-odds `(Q, K)` that `(Q, D)` and `(K, D)` show the same person."""
        query, gallery = self.prepared(query), self.prepared(gallery)
        logits = torch.stack([self(one, gallery) for one in query[:, None].unbind()])  # never Q × K × D at once
        return logits[..., 1] - logits[..., 0]
