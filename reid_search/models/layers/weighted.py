"""Pooling of features under soft maps."""

from torch import Tensor

from reid_search.models.layers.precision import at_least_float32, full_precision

_ABSENT = 1e-6


def share_out(weights: Tensor) -> Tensor:
    """Return non-negative weights `(B, K, h, w)` divided by their sum over the map (ℓ1-normalised per channel).

    A channel whose weights sum to less than 1e-6 fades to zero instead, since that part is not on the image.
    """
    values = at_least_float32(weights)
    return values / values.sum(dim=(2, 3), keepdim=True).clamp(min=_ABSENT)


def weighted_sum(features: Tensor, weights: Tensor) -> Tensor:
    """Return `Σ_xy weights_k(xy) · features(xy)`, `(B, K, C)`, of features `(B, C, h, w)` and weights `(B, K, h, w)`.

    It is one matrix product, in float32 at least.
    """
    with full_precision(features):
        values, factors = at_least_float32(features), at_least_float32(weights)
        return factors.flatten(2) @ values.flatten(2).transpose(1, 2)


def weighted_pooling(features: Tensor, weights: Tensor) -> Tensor:
    """Return the average of `(B, C, h, w)` weighted by each map `(B, K, h, w)` ≥ 0, `(B, K, C)`.

    See Kalayeh et al. 2018, section 3.3. The vector of an all-zero map is zero, which a maximum over parts ignores,
    since features after a ReLU are not negative.
    """
    return weighted_sum(features, share_out(weights))
