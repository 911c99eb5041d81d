"""Seeds that learnt nothing. What counts as such was fixed before anything was measured, so it is no choice of the day.

A finished seed has collapsed if its mAP on the split that it is tested on

- is *at chance*: at most that of a random ranking plus 2.33 of its standard deviations, which 99 % of random rankings
  reach (`reid_search/evaluation/chance.py`); or
- is *untrained*: not above what its own network reached on the same split before the first step.

Records of earlier releases hold neither the standard deviation nor what the untrained network reached. Of them only a
mAP at or under that of a random ranking counts.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from reid_search.records.identity import Status
from reid_search.study.metrics import MAIN

LEVEL = 0.95  # of the interval of a rate
_DEVIATIONS = 2.33


class Collapse(StrEnum):
    """Whether a seed, or every seed of an arm, has learnt anything."""

    NONE = ""
    AT_CHANCE = "at chance"
    UNTRAINED = "untrained"

    @property
    def words(self) -> str:
        """What is to be said of a seed or an arm: it `is at chance`, it `is not above its untrained network`."""
        return "not above its untrained network" if self == Collapse.UNTRAINED else str(self)


def collapse_of(metrics: Mapping[str, float], split: str) -> Collapse:
    """Return whether a finished seed has collapsed, from the measurements of its readout; those missing may be NaN."""

    def of(name: str, missing: float = math.nan) -> float:
        value = float(metrics.get(f"{split}/{name}", math.nan))
        return missing if math.isnan(value) else value

    value = of(MAIN)
    if value <= of(f"{MAIN}_chance") + _DEVIATIONS * of(f"{MAIN}_chance_sd", missing=0.0):
        return Collapse.AT_CHANCE
    return Collapse.UNTRAINED if value <= of(f"{MAIN}_untrained") else Collapse.NONE


def knows_untrained(metrics: Mapping[str, float], split: str) -> bool:
    """Say whether a record holds what the untrained network reached."""
    return not math.isnan(float(metrics.get(f"{split}/{MAIN}_untrained", math.nan)))


@dataclass(frozen=True)
class SeedCounts:
    """How the seeds of an arm ended.

    Attributes:
        asked: Seeds that were asked for.
        finished: Those that finished, collapsed ones among them.
        failed: Those that failed.
        collapsed: Finished seeds that are at chance or untrained.
        at_chance: Those of them at chance.
    """

    asked: int = 0
    finished: int = 0
    failed: int = 0
    collapsed: int = 0
    at_chance: int = 0

    @classmethod
    def of(cls, seeds: Iterable[tuple[str, Collapse]]) -> "SeedCounts":
        """Count seeds, each with its status and whether it has collapsed."""
        found = list(seeds)
        collapsed = [collapse for status, collapse in found if status == Status.FINISHED and collapse]
        return cls(
            asked=len(found),
            finished=sum(status == Status.FINISHED for status, _ in found),
            failed=sum(status == Status.FAILED for status, _ in found),
            collapsed=len(collapsed),
            at_chance=collapsed.count(Collapse.AT_CHANCE),
        )

    @property
    def lost(self) -> int:
        """Seeds that collapsed or failed."""
        return self.collapsed + self.failed

    @property
    def ended(self) -> int:
        """Seeds that finished or failed."""
        return self.finished + self.failed

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the rate at which seeds collapse or fail (Clopper & Pearson 1934); NaN if none ended."""
        from scipy.stats import binomtest

        if not self.ended:
            return math.nan, math.nan
        found = binomtest(self.lost, self.ended).proportion_ci(LEVEL, method="exact")
        return float(found.low), float(found.high)

    @property
    def flag(self) -> Collapse:
        """What every finished seed has in common: all at chance, or all collapsed; such an arm is no effect."""
        if not self.finished or self.collapsed < self.finished:
            return Collapse.NONE
        return Collapse.AT_CHANCE if self.at_chance == self.finished else Collapse.UNTRAINED

    @property
    def rate(self) -> str:
        """Seeds that collapsed or failed of those that ended: `2 of 8 (3 to 65 %)`; a dash if none ended."""
        if not self.ended:
            return "–"
        low, high = self.interval
        return f"{self.lost} of {self.ended} ({100 * low:.0f} to {100 * high:.0f} %)"

    def __str__(self) -> str:
        """Return the rate in words: `collapsed 2 of 8 (3 to 65 %)`, or `collapsed 1, failed 1: 2 of 8 (3 to 65 %)`."""
        if self.collapsed and self.failed:
            return f"collapsed {self.collapsed}, failed {self.failed}: {self.rate}"
        return f"{'failed' if self.failed else 'collapsed'} {self.rate}"
