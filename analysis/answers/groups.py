"""Which arms of an ablation may be compared: one group per protocol, each with its own centre."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from reid_search.study import BASELINE

from ..reading.arms import changes
from ..reading.comparability import Difference, differences, protocols_of

Settings = Mapping[str, Mapping[str, str]]  # by arm: the level of each axis


@dataclass(frozen=True)
class Group:
    """Arms that were measured under one protocol.

    Attributes:
        protocol: Its fingerprint; empty if nothing is measured yet.
        arms: The arms, in the order of the phase.
        centre: The arm that the others are compared with.
        shared: Levels by axis that every arm of the group has, and the baseline (or, without one, some other arm) does
            not; empty in the baseline's group.
        unlike: The fields of the protocol in which the group differs from the first one.
    """

    protocol: str
    arms: tuple[str, ...]
    centre: str
    shared: Mapping[str, str] = field(default_factory=dict)
    unlike: tuple[Difference, ...] = ()


def protocol_groups(rows: pd.DataFrame, settings: Settings) -> list[Group]:
    """Return the arms of a phase by protocol, the baseline's group first.

    The centre of a group is the baseline, or else the measured arm that differs from it in the fewest axes (the first
    on a tie). Unmeasured arms go to the first group: that of the baseline, or of the measured arm nearest to it.

    Args:
        rows: Rows of `load_arms` of one phase and readout.
        settings: Settings of each arm, including the baseline if there is one.
    """
    base = settings.get(BASELINE, {})
    protocols = {arm: found[0] for arm, found in protocols_of(rows).items()}
    arms = list(dict.fromkeys(rows["arm"]))
    by_distance = sorted(
        arms, key=lambda arm: (arm != BASELINE, arm not in protocols, len(changes(settings[arm], base)))
    )
    home = next((protocols[arm] for arm in by_distance if arm in protocols), "")
    members: dict[str, list[str]] = {home: []}
    for arm in arms:
        members.setdefault(protocols.get(arm, home), []).append(arm)
    centres = {protocol: next(arm for arm in by_distance if arm in found) for protocol, found in members.items()}
    groups = []
    for protocol, found in members.items():
        unlike = differences(rows[rows["arm"].isin([centres[home], centres[protocol]])], centres[home])
        groups.append(Group(protocol, tuple(found), centres[protocol], _shared(found, settings), tuple(unlike)))
    return groups


def _shared(arms: Sequence[str], settings: Settings) -> dict[str, str]:
    if BASELINE in settings:
        return _common([changes(settings[arm], settings[BASELINE]) for arm in arms])
    everywhere = _common(list(settings.values()))
    return changes(_common([settings[arm] for arm in arms]), everywhere)


def _common(found: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {path: level for path, level in found[0].items() if all(other.get(path) == level for other in found)}
