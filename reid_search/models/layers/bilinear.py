"""Products of two maps, cell by cell: full, or compact by tensor sketch."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from reid_search.models.layers.bilinear_settings import BilinearSettings
from reid_search.models.layers.precision import at_least_float32, full_precision

_SMALLEST = 1e-5


class FullProduct(nn.Module):
    """The outer product of two maps, averaged over cells: `f = 1/N Σ_xy vec(a_xy ⊗ b_xy)`.

    `⟨f, f'⟩ = 1/N² Σ_xy Σ_x'y' ⟨a_xy, a'_x'y'⟩ ⟨b_xy, b'_x'y'⟩`, so one map gates the other (Suh et al. 2018,
    section 3).
    """

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Return `(B, C1 · C2)` of `(B, C1, h, w)` and `(B, C2, h, w)`, in float32 at least."""
        with full_precision(first):
            left, right = (at_least_float32(values).flatten(2) for values in (first, second))
            return (left @ right.transpose(1, 2)).flatten(1) / left.shape[2]


class TensorSketch(nn.Module):
    """A short vector whose inner products are on average those of the full product (Gao et al. 2016, section 3).

    The tensor sketch of Pham and Pagh 2013. Both maps, of `sizes` channels, are count-sketched (every channel is added
    to one of `dim` places, with a sign); the sketch of the product is the circular convolution of the sketches, by FFT.
    The error of an inner product falls as 1/√dim.
    """

    places: Tensor
    signs: Tensor

    def __init__(self, sizes: tuple[int, int], dim: int, seed: int) -> None:
        super().__init__()
        self.dim = dim
        self.sizes = sizes
        generator = torch.Generator().manual_seed(seed)
        places = torch.randint(dim, (sum(sizes),), generator=generator, device="cpu")
        signs = 2.0 * torch.randint(2, (sum(sizes),), generator=generator, device="cpu") - 1
        device = torch.get_default_device()
        self.register_buffer("places", places.to(device))
        self.register_buffer("signs", signs.to(device))

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Return `(B, dim)` of `(B, C1, h, w)` and `(B, C2, h, w)`, averaged over cells, in float32 at least."""
        with full_precision(first):
            halves = zip((first, second), self._count_sketches(first), strict=True)
            left, right = (_spectrum(at_least_float32(values), sketch) for values, sketch in halves)
            sketch: Tensor = torch.fft.irfft((left * right).mean(dim=1), n=self.dim)
            return sketch

    def _count_sketches(self, like: Tensor) -> tuple[Tensor, ...]:
        """Return both matrices `(C, dim)`; made anew each time, since they are large and `places` is small."""
        hit = self.places[:, None] == torch.arange(self.dim, device=self.places.device)
        matrix = hit * self.signs.to(at_least_float32(like).dtype)[:, None]
        return torch.split(matrix, list(self.sizes))


def _spectrum(values: Tensor, sketch: Tensor) -> Tensor:
    """Return the Fourier transform of every cell's count sketch, `(B, h · w, dim // 2 + 1)`."""
    spectrum: Tensor = torch.fft.rfft(values.flatten(2).transpose(1, 2) @ sketch)
    return spectrum


def build_product(sizes: tuple[int, int], compact: bool, config: BilinearSettings) -> FullProduct | TensorSketch:
    """Return the product of two maps with these numbers of channels."""
    return TensorSketch(sizes, config.sketch_dim, config.sketch_seed) if compact else FullProduct()


def signed_sqrt(values: Tensor) -> Tensor:
    """Return about `sign(x) √|x|`; below 1e-5 the slope is bounded, unlike a root's."""
    return values / (values.abs() + _SMALLEST).sqrt()


def finished(vector: Tensor, config: BilinearSettings) -> Tensor:
    """Return `(B, D)` after the signed square root and at unit length, where the config asks for them."""
    vector = at_least_float32(vector)
    if config.signed_sqrt:
        vector = signed_sqrt(vector)
    return functional.normalize(vector, dim=1) if config.unit_length else vector


def build_projection(channels: int, dim: int, kernel: int) -> nn.Sequential:
    """Return a convolution and a batch norm without scale and shift, and no ReLU (Suh et al.'s code)."""
    projection = nn.Sequential()
    projection.add_module("conv", nn.Conv2d(channels, dim, kernel, padding=kernel // 2, bias=False))
    projection.add_module("bn", nn.BatchNorm2d(dim, affine=False))
    return projection


class Stream(nn.Module):
    """A backbone and a projection of its map from `channels` to `dim`; None leaves the projection out."""

    def __init__(self, blocks: nn.Sequential, channels: int, dim: int | None) -> None:
        super().__init__()
        self.blocks = blocks
        self.projection = nn.Identity() if dim is None else build_projection(channels, dim, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return `(B, dim, h, w)`."""
        features: Tensor = self.projection(self.blocks(images))
        return features
