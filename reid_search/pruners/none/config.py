"""Settings of no pruner."""

from typing import ClassVar, Literal

from reid_search.study import PrunerConfig


class NoneConfig(PrunerConfig):
    """Stops no trial."""

    stops: ClassVar[bool] = False
    kind: Literal["none"]


CONFIG = NoneConfig
