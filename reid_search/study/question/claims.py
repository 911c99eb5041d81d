"""Claims: what a study expects to find, stated in advance, as weighted sums of arms.

`better` against `than`, everything else equal, is the difference of two arms. `grows` and `shrinks` say how that
difference changes along another axis: the linear trend of the differences at its levels, scaled to the change from the
first level to the last (with two levels, the difference of the differences). `vanishes` names settings under which the
same effect must disappear.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from reid_search.errors import nearest
from reid_search.study.component import Config, EntryError, OneOf
from reid_search.study.metrics import MAIN, claimable
from reid_search.study.question.axes import Axis, Level, check_setting
from reid_search.study.question.contrast_identity import contrast_identity, data_seeds
from reid_search.study.question.designs.arms import Arm, arm_identity
from reid_search.study.question.designs.centre import inside, with_settings
from reid_search.study.question.designs.named import named_settings
from reid_search.study.question.space import Settings, Space

Values = dict[str, object]

OWN_CONTROL = "under these settings the effect is the claimed one itself, which cannot vanish; give others"


class ClaimConfig(Config):
    """A claim. Settings are given by axis, as the name of a level or its value: `{model.parts: 3 stripes}`.

    Attributes:
        says: The claim as a sentence.
        source: Who made it, and where.
        better: The settings claimed to be better.
        than: The settings they are compared with; those of the centre if omitted.
        where: Settings of both; everything else is as in the centre.
        grows: An axis and at least two of its levels, in the order in which the difference is claimed to grow.
        shrinks: The same for a difference that is claimed to shrink.
        vanishes: Settings under which the effect must disappear (the null control).
        metric: The metric that decides; with several tests that of the first, or `<name>/mAP` for that of another.
        readout: The readout that decides.
        smallest_effect: Smallest effect that matters, as a share of 1, (0, 1).
        vanishes_within: What the effect may still be under the settings of `vanishes`, [0, 1); `smallest_effect` if
            omitted.
        phase: The ablation that decides it; if omitted, the first that has its arms.
    """

    written_if_set: ClassVar[tuple[str, ...]] = ("vanishes_within",)
    says: str = ""
    source: str = ""
    better: Values = Field(min_length=1)
    than: Values = Field(default_factory=dict)
    where: Values = Field(default_factory=dict)
    grows: dict[str, list[object]] | None = None
    shrinks: dict[str, list[object]] | None = None
    vanishes: Values | None = None
    metric: Annotated[str, OneOf(claimable, of_another=True)] = MAIN
    readout: str = "default"
    smallest_effect: float = Field(default=0.01, gt=0, lt=1)
    vanishes_within: float | None = Field(default=None, ge=0, lt=1)
    phase: str | None = None

    @model_validator(mode="after")
    def _one_effect(self) -> Self:
        if self.grows is not None and self.shrinks is not None:
            raise EntryError("give either grows or shrinks, not both", "shrinks")
        for name in ("grows", "shrinks"):
            along = getattr(self, name)
            if along is not None and (len(along) != 1 or len(next(iter(along.values()))) < 2):
                raise EntryError("expected one axis with at least two levels, such as {axis: [0.0, 1.0]}", name)
        if self.better == self.than:
            raise EntryError("these are the settings of `better`; give others", "than")
        if self.vanishes is not None and {**self.where, **self.vanishes} == self.where:
            raise EntryError(OWN_CONTROL, "vanishes")
        if self.vanishes_within is not None and self.vanishes is None:
            message = "this bounds the effect under a control; give its settings as `vanishes`"
            raise EntryError(message, "vanishes_within")
        return self

    def paths(self) -> Iterator[tuple[tuple[str | int, ...], str, object]]:
        """Yield each setting: its place in the claim, its axis, and the name or value of its level."""
        for entry in ("better", "than", "where", "vanishes"):
            for path, value in (getattr(self, entry) or {}).items():
                yield (entry, path), path, value
        for entry in ("grows", "shrinks"):
            for path, values in (getattr(self, entry) or {}).items():
                yield from (((entry, path, index), path, value) for index, value in enumerate(values))


@dataclass(frozen=True)
class Contrast:
    """A claim as a weighted sum of the arms of a phase.

    Attributes:
        effect: Weight of each arm, by name; the weights add up to 0.
        control: The same for the effect that must disappear; empty if the claim has no control.
        missing: The settings of arms that the claim needs but the phase does not have, as text.
        contrast: What the effect compares (see `contrast_identity`); empty if an arm is missing.
        direction: 1 or −1, opposite for the opposite claim.
        data_seeds: The seeds that people and validation splits of its arms are drawn with, by path.
    """

    effect: Mapping[str, float]
    control: Mapping[str, float]
    missing: tuple[str, ...]
    contrast: str = ""
    direction: Literal[-1, 1] = 1
    data_seeds: Mapping[str, int] = field(default_factory=dict)


def check_claim(claim: ClaimConfig, axes: Mapping[str, Axis], phases: Sequence[str], readouts: Sequence[str]) -> None:
    """Check that the axes, levels, phases (by name) and readouts (by name) of a claim exist.

    Raises:
        EntryError: One does not; with its entry of the claim.
    """
    for place, path, value in claim.paths():
        check_setting(axes, path, value, place)
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
            levels = named_settings(values, axes)
            settings = _settings(levels, space, centre)
            found_by_search = space.found(settings)
            is_as_found = all(found_by_search.get(path, level) == level for path, level in levels.items())
            config = with_settings(space, axes, levels).config(settings)
            name = names.get(arm_identity(config)) if is_as_found else None
            if name is None:
                missing[_shown({**settings, **levels}, centre)] = None
            else:
                found[name] = found.get(name, 0.0) + weight
        return found

    effect = weights(claim.where)
    control = weights({**claim.where, **claim.vanishes}) if claim.vanishes is not None else {}
    if missing:
        return Contrast(effect, control, tuple(missing))
    identity, direction = contrast_identity(effect, arms, claim.readout, claim.metric)
    first = next(arm.config for arm in arms if arm.name in effect)
    return Contrast(effect, control, (), identity, direction, data_seeds(first))


def needed_settings(claim: ClaimConfig, space: Space, centre: Settings) -> Iterator[Settings]:
    """Yield the settings of every arm that a claim needs, of the axes that a phase varies."""
    for where in (claim.where, {**claim.where, **(claim.vanishes or {})}):
        for _, values in _terms(claim, where):
            yield _settings(named_settings(values, space.axes), space, centre)


def _terms(claim: ClaimConfig, where: Values) -> Iterator[tuple[float, Values]]:
    """Yield the weight of each arm in the effect, with its settings by name or value."""
    for weight, along in _along(claim):
        for sign, side in ((1.0, claim.better), (-1.0, claim.than)):
            yield weight * sign, {**where, **along, **side}


def _settings(levels: Settings, space: Space, centre: Settings) -> dict[str, Level]:
    """Return the centre's settings with those levels that the space has; conditions may drop some axes."""
    return space.completed({**centre, **inside(levels, space)})


def _along(claim: ClaimConfig) -> list[tuple[float, Values]]:
    """Return the weight of each difference along the axis of `grows` or `shrinks`, with its setting of that axis."""
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
    return ", ".join(f"{path}={label}" for path, label in changed.items()) or "the settings of the centre"
