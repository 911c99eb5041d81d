"""The study file: what may stand in it, and what of it must fit together."""

from typing import Any, Literal

from pydantic import Field, model_validator

from reid_search.errors import nearest
from reid_search.study.axes import Axis
from reid_search.study.claims import ClaimConfig, check_claim
from reid_search.study.component import Config, EntryError
from reid_search.study.designs import check_named_arms
from reid_search.study.phases import AblatePhase, Name, Phase, Resources, SearchPhase


class StudyConfig(Config):
    """A study file.

    Attributes:
        name: Name of the study and of its folder in the store.
        base: The baseline arm: a trial config.
        axes: What may vary, by dotted path into `base`.
        arms: Named arms that a design can stand around (`around: full`): the label or value of some axes, over `base`.
        phases: Searches and ablations, in order.
        claims: What the study says beforehand that it will find, by name.
        resources: What a trial takes.
        keep: Which trials keep their final weights: of each phase's best arm, all, or none.
        seed: Seed of the proposals and of the search's trainings.
    """

    name: Name
    base: dict[str, Any]
    axes: dict[str, Axis] = Field(default_factory=dict)
    arms: dict[Name, dict[str, Any]] = Field(default_factory=dict)
    phases: tuple[Phase, ...]
    claims: dict[str, ClaimConfig] = Field(default_factory=dict)
    resources: Resources = Field(default_factory=Resources)
    keep: Literal["all", "best", "none"] = "best"
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _phases_fit_together(self) -> "StudyConfig":
        if not self.phases:
            raise EntryError("at least one phase is needed, such as {kind: ablate}", "phases")
        check_named_arms(self.arms, self.axes)
        names: set[str] = set()
        searched = False
        for index, phase in enumerate(self.phases):
            if phase.name in names:
                raise EntryError(f"two phases are named '{phase.name}'; give each a `name`", "phases", index)
            names.add(phase.name)
            for axis in phase.axes or ():
                if axis not in self.axes:
                    raise EntryError(f"unknown axis '{axis}'; {nearest(axis, self.axes)}", "phases", index, "axes")
            if isinstance(phase, AblatePhase):
                self._check_around(phase, index, searched)
            searched = searched or isinstance(phase, SearchPhase)
            if isinstance(phase, SearchPhase):
                self._check_search(phase, index)
        self._check_claims()
        return self

    def _check_claims(self) -> None:
        ablations = [phase.name for phase in self.phases if isinstance(phase, AblatePhase)]
        readouts = list(self.base.get("readouts") or {"default": None})
        for name, claim in self.claims.items():
            try:
                check_claim(claim, self.axes, ablations, readouts)
            except EntryError as error:
                raise EntryError(str(error), "claims", name, *error.path) from None

    def _check_around(self, phase: AblatePhase, index: int, searched: bool) -> None:
        allowed = ["base", *(["best"] if searched else []), *self.arms]
        if phase.around not in allowed:
            unknown = f"'{phase.around}' is neither base, best nor a named arm; {nearest(phase.around, allowed)}"
            early = f"'best' needs a search before it; allowed: {', '.join(allowed)}"
            raise EntryError(early if phase.around == "best" else unknown, "phases", index, "around")

    def _check_search(self, phase: SearchPhase, index: int) -> None:
        axes = self.axes_of(phase)
        if not axes:
            raise EntryError("a search needs at least one axis", "phases", index)
        if phase.each is None:
            return
        named = [path for path, axis in axes.items() if axis.searched_levels]
        if phase.each not in named:
            message = f"'{phase.each}' is no axis of this search that has a choice or variants; "
            raise EntryError(message + nearest(phase.each, named), "phases", index, "each")
        if axes[phase.each].when:
            message = (
                f"'{phase.each}' exists under a condition, so that not every trial has one; allowed: an axis without"
            )
            raise EntryError(message, "phases", index, "each")
        if len(axes) == 1:
            raise EntryError(f"nothing is left to tune beside '{phase.each}'; add an axis", "phases", index, "axes")

    def axes_of(self, phase: SearchPhase | AblatePhase) -> dict[str, Axis]:
        """Return the axes that vary in a phase."""
        return {path: axis for path, axis in self.axes.items() if phase.axes is None or path in phase.axes}
