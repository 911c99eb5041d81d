"""Ablations whose truth is known: their logs are those that runs write, their numbers are drawn."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.answers.claim_answer import ClaimAnswer
from analysis.answers.claims import answer_claims
from reid_search.records import (
    ArmAsked,
    ClaimMade,
    ContrastDrawn,
    History,
    RunDone,
    RunStarted,
    StudyState,
    StudyStore,
)

Floats = npt.NDArray[np.float64]

CHANCE = 0.02
SMALLEST = 0.01
NOWHERE = Path("/nonexistent")


@dataclass(frozen=True)
class Contrast:
    """A claim: the weights of arms in its effect and in its control."""

    effect: Mapping[str, float]
    control: Mapping[str, float] = field(default_factory=dict)

    @property
    def arms(self) -> list[str]:
        """The arms that it needs."""
        return list(dict.fromkeys((*self.effect, *self.control)))

    @property
    def opposite(self) -> "Contrast":
        """The claim in the other direction."""
        return Contrast(*({arm: -weight for arm, weight in part.items()} for part in (self.effect, self.control)))


def against(arm: str, other: str = "baseline") -> dict[str, float]:
    """Return the weights of the difference of two arms."""
    return {arm: 1.0, other: -1.0}


class Ablation:
    """A study with one ablation, run again and again with other claims, seeds or data.

    Args:
        values: mAP by arm, one value a seed; NaN failed, `CHANCE` or less has collapsed.
    """

    def __init__(self, values: Mapping[str, Floats]) -> None:
        self.values = dict(values)
        self._history = History()

    def run(
        self,
        claims: Mapping[str, Contrast],
        seeds: int,
        *,
        looks: Sequence[int] = (),
        data: int = 0,
        seeds_of: Mapping[str, int] | None = None,
    ) -> list[ClaimAnswer]:
        """Run it to its end and answer its claims.

        Args:
            claims: The claims of the study file.
            seeds: Seeds of every arm, for `seeds_of` arms others.
            looks: Numbers of seeds at which it planned to look, if several.
            data: The seed of its people; other people are other trainings.
            seeds_of: Seeds of single arms.
        """
        asked = {arm: (seeds_of or {}).get(arm, seeds) for arm in _arms_of(claims)}
        self._history.apply(RunStarted(time="2026-01-01"))
        for name in claims:
            content = {"better": {"x": name}, "metric": "mAP", "readout": "default", "smallest_effect": SMALLEST}
            self._history.apply(ClaimMade(claim=name, content=content, time="2026-01-01"))
        for seed in range(1, max(asked.values()) + 1):
            for arm in (arm for arm, most in asked.items() if seed <= most):
                self._history.apply(_ask(arm, seed, data))
        for name, claim in claims.items():
            self._history.apply(_drawn(name, claim, looks or (seeds,), data))
        self._history.apply(RunDone())
        state = StudyState(StudyStore(NOWHERE, "simulated"), {}, self._history, {})
        return answer_claims(state, self._table(asked, data))

    def _table(self, asked: Mapping[str, int], data: int) -> pd.DataFrame:
        arms = [arm for arm, most in asked.items() for _ in range(most)]
        values = np.concatenate([self.values[arm][:most] for arm, most in asked.items()])
        return pd.DataFrame({
            "phase": "ablate", "arm": arms, "key": [_key(arm, data) for arm in arms],
            "seed": np.concatenate([np.arange(1, most + 1) for most in asked.values()]),
            "readout": "default", "evaluate": "test", "status": np.where(np.isfinite(values), "finished", "failed"),
            "data_fingerprint": "simulated", "stored_as": "default", "protocol": "simulated", "transductive": False,
            "test/mAP": values, "test/rank1": values, "test/mAP_chance": CHANCE, "test/mAP_chance_sd": 0.0,
            "test/mAP_untrained": CHANCE, "parameters": 1, "macs": 1,
        })  # fmt: skip


def _arms_of(claims: Mapping[str, Contrast]) -> Iterable[str]:
    return dict.fromkeys(arm for claim in claims.values() for arm in claim.arms)


def _key(arm: str, data: int) -> str:
    return (f"{data:04x}" + arm.encode().hex() + "0" * 16)[:16]


def _ask(arm: str, seed: int, data: int) -> ArmAsked:
    return ArmAsked.model_construct(
        time="2026-01-01", kind="ablate", phase="ablate", arm=arm, key=_key(arm, data), seed=seed, evaluate="test",
        settings={}, tuned={}, readouts={"default": "default"}, by="claims", redrawn_from=None, recipe=None,
    )  # fmt: skip


def _drawn(name: str, claim: Contrast, looks: Sequence[int], data: int) -> ContrastDrawn:
    arms = sorted(claim.effect)
    sign = 1 if claim.effect[arms[0]] > 0 else -1
    identity = " ".join(f"{arm} {sign * claim.effect[arm]:g}" for arm in arms)
    return ContrastDrawn(
        claim=name, phase="ablate", effect=dict(claim.effect), control=dict(claim.control), contrast=identity,
        direction=1 if sign > 0 else -1, looks=tuple(looks), data_seeds={"data.seed": data},
    )  # fmt: skip
