"""Settings of random search; no Optuna."""

from typing import ClassVar, Literal

from reid_search.study import SamplerConfig


class RandomConfig(SamplerConfig):
    """Draws every axis at random: each choice with the same chance, ranges uniformly on their scale."""

    crowds: ClassVar[bool] = False
    kind: Literal["random"]


CONFIG = RandomConfig
