"""Claims: what a study says beforehand that it will find, as weighted sums of arms.

`better` against `than`, everything else equal, is the difference of two arms. `grows` and `shrinks` say how that
difference changes along another axis: the linear trend of the differences at its levels, scaled to the change from the
first level to the last (with two levels, the difference of the differences). `vanishes` names settings under which the
same effect must be gone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, model_validator

from reid_search.errors import nearest
from reid_search.study.component import Config, EntryError, OneOf
from reid_search.study.metrics import MAIN, claimable
from reid_search.study.question.axes import Axis, Level
from reid_search.study.question.designs import Arm, arm_identity, with_settings
from reid_search.study.question.space import Settings, Space

Values = dict[str, Any]


class ClaimConfig(Config):
    """A claim. Settings are given by axis: `{model.parts: 3 stripes}`, the name of a level or its value.

    Attributes:
        says: The claim as a sentence.
        source: Where it was made.
        better: Settings that are claimed to be better.
        than: Settings that they are compared with; those of the centre where omitted.
        where: Settings of both; everything else is as in the centre.
        grows: An axis and at least two of its levels, in the order along which the difference is claimed to grow.
        shrinks: The same for a difference that is claimed to shrink.
        vanishes: Settings under which the effect must be gone (the null control).
        metric: What decides.
        readout: The readout that decides.
        smallest_effect: Smallest effect that matters, in the metric's unit, [0, 1].
        phase: The ablation that decides it; the first that has its arms where omitted.
    """

    says: str = ""
    source: str = ""
    better: Values = Field(min_length=1)
    than: Values = Field(default_factory=dict)
    where: Values = Field(default_factory=dict)
    grows: dict[str, list[Any]] | None = None
    shrinks: dict[str, list[Any]] | None = None
    vanishes: Values | None = None
    metric: Annotated[str, OneOf(claimable)] = MAIN
    readout: str = "default"
    smallest_effect: float = Field(default=0.01, gt=0, lt=1)
    phase: str | None = None

    @model_validator(mode="after")
    def _one_effect(self) -> "ClaimConfig":
        if self.grows is not None and self.shrinks is not None:
            raise EntryError("give one of grows and shrinks", "shrinks")
        for name in ("grows", "shrinks"):
            along = getattr(self, name)
            if along is not None and (len(along) != 1 or len(next(iter(along.values()))) < 2):
                raise EntryError("expected one axis with at least two levels, such as {axis: [0.0, 1.0]}", name)
        if self.better == self.than:
            raise EntryError("the same settings as `better`", "than")
        return self

    def paths(self) -> Iterator[tuple[tuple[str | int, ...], str, Any]]:
        """Yield each setting: its place in the claim, its axis, the level's name or value."""
        for field in ("better", "than", "where", "vanishes"):
            for path, value in (getattr(self, field) or {}).items():
                yield (field, path), path, value
        for field in ("grows", "shrinks"):
            for path, values in (getattr(self, field) or {}).items():
                yield from (((field, path, index), path, value) for index, value in enumerate(values))


@dataclass(frozen=True)
class Contrast:
    """A claim between the arms of a phase.

    Attributes:
        effect: Weight of each arm, by name; the weights add up to 0.
        control: The same for the effect that must vanish; empty where the claim names no control.
        missing: Arms that the claim needs and the phase does not have, as text.
    """

    effect: Mapping[str, float]
    control: Mapping[str, float]
    missing: tuple[str, ...]


def check_claim(claim: ClaimConfig, axes: Mapping[str, Axis], phases: Sequence[str], readouts: Sequence[str]) -> None:
    """Make sure that a claim speaks of axes, levels, phases and readouts that there are.

    Args:
        claim: The claim.
        axes: The axes of the study.
        phases: Names of its ablations.
        readouts: Names of its base's readouts.

    Raises:
        EntryError: It does not; with the entry of the claim.
    """
    for place, path, value in claim.paths():
        if path not in axes:
            raise EntryError(f"unknown axis '{path}'; {nearest(path, axes)}", *place)
        if axes[path].setting(value) is None:
            labels = [level.label for level in axes[path].named_levels]
            raise EntryError(f"'{value}' is no level of {path}; {nearest(str(value), labels)}", *place)
    if claim.phase is not None and claim.phase not in phases:
        raise EntryError(f"unknown ablation '{claim.phase}'; {nearest(claim.phase, phases)}", "phase")
    if claim.readout not in readouts:
        raise EntryError(f"unknown readout '{claim.readout}'; {nearest(claim.readout, readouts)}", "readout")


def contrast_of(
    claim: ClaimConfig, space: Space, centre: Settings, arms: Sequence[Arm], axes: Mapping[str, Axis]
) -> Contrast:
    """Return the claim as a contrast between the arms of a phase.

    Args:
        claim: The claim.
        space: The phase's base and axes.
        centre: Settings of the phase's centre.
        arms: Its arms.
        axes: All axes of the study; an axis that the phase does not vary must have the claim's level in its base.
    """
    names = {arm_identity(arm.config): arm.name for arm in arms}
    missing: dict[str, None] = {}

    def weights(where: Values) -> dict[str, float]:
        found: dict[str, float] = {}
        for weight, values in _terms(claim, where):
            levels = _levels(values, axes)
            settings = _settings(levels, space, centre)
            name = names.get(arm_identity(with_settings(space, axes, levels).config(settings)))
            if name is None:
                missing[_shown({**settings, **levels}, centre)] = None
            else:
                found[name] = found.get(name, 0.0) + weight
        return found

    effect = weights(claim.where)
    control = weights({**claim.where, **claim.vanishes}) if claim.vanishes is not None else {}
    return Contrast(effect, control, tuple(missing))


def needed_settings(claim: ClaimConfig, space: Space, centre: Settings) -> Iterator[Settings]:
    """Yield the settings of every arm that a claim needs, of the axes that a phase varies."""
    for where in (claim.where, {**claim.where, **(claim.vanishes or {})}):
        for _, values in _terms(claim, where):
            inside = {path: value for path, value in values.items() if path in space.axes}
            yield _settings(_levels(inside, space.axes), space, centre)


def _terms(claim: ClaimConfig, where: Values) -> Iterator[tuple[float, Values]]:
    """Yield the weight of each arm in the effect, and its settings by name or value."""
    for weight, along in _along(claim):
        for sign, side in ((1.0, claim.better), (-1.0, claim.than)):
            yield weight * sign, {**where, **along, **side}


def _levels(values: Values, axes: Mapping[str, Axis]) -> dict[str, Level]:
    """Return the levels of settings; `check_claim` has made sure that there are such."""
    found = {path: axes[path].setting(value) for path, value in values.items()}
    return {path: level for path, level in found.items() if level is not None}


def _settings(levels: Settings, space: Space, centre: Settings) -> dict[str, Level]:
    """Return whole settings around a centre; under conditions some may not exist."""
    return space.completed({**centre, **{path: level for path, level in levels.items() if path in space.axes}})


def _along(claim: ClaimConfig) -> list[tuple[float, Values]]:
    """Return weights of the differences along the axis of `grows` or `shrinks`, and the settings that make them."""
    along = claim.grows or claim.shrinks
    if along is None:
        return [(1.0, {})]
    [(path, values)] = along.items()
    middle = (len(values) - 1) / 2
    scores = [index - middle for index in range(len(values))]
    scale = (len(values) - 1) / sum(score**2 for score in scores) * (1 if claim.grows else -1)
    return [(scale * score, {path: value}) for score, value in zip(scores, values, strict=True)]


def _shown(settings: Settings, centre: Settings) -> str:
    changed = {path: level.label for path, level in settings.items() if centre.get(path) != level}
    return ", ".join(f"{path}={label}" for path, label in changed.items()) or "the centre"
