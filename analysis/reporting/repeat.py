"""Which trials each arm's numbers come from, and the command that measures them again."""

import shlex
from dataclasses import dataclass

import pandas as pd

from reid_search.records import StudyState


@dataclass(frozen=True)
class Origin:
    """The trials of an arm.

    Attributes:
        phase: Name of the phase.
        arm: Name of the arm.
        trials: Its trials' folders in `trials/`, shortened to `KEY-s1, s2, s3`.
        command: The command that trains the first of them again, run in the folder that holds the storage.
    """

    phase: str
    arm: str
    trials: str
    command: str


def origins(state: StudyState, arms: pd.DataFrame) -> list[Origin]:
    """Return the trials of every arm in the table of `load_arms`, in the order of the phases."""
    folder = f"{state.store.storage.resolve().name}/{state.store.name}/trials"
    by_arm = arms.drop_duplicates(["phase", "arm", "key", "seed"]).groupby(["phase", "arm"], sort=False)
    return [
        Origin(
            str(phase),
            str(arm),
            _in_short(rows),
            f"reid-search train {shlex.quote(f'{folder}/{_name(rows)}/config.json')}",
        )
        for (phase, arm), rows in by_arm
    ]


def _name(rows: pd.DataFrame) -> str:
    return f"{rows['key'].iloc[0]}-s{rows['seed'].iloc[0]}"


def _in_short(rows: pd.DataFrame) -> str:
    by_key = rows.groupby("key", sort=False)["seed"]
    return "; ".join(f"{key}-{', '.join(f's{seed}' for seed in sorted(seeds))}" for key, seeds in by_key)
