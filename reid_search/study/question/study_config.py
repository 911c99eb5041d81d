"""The study file: its fields, and how they must fit together."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from reid_search.errors import nearest
from reid_search.study.component import Config, EntryError
from reid_search.study.language.places import Entries
from reid_search.study.question.axes import Axis
from reid_search.study.question.claims import ClaimConfig, check_claim
from reid_search.study.question.designs.named import check_named_arms
from reid_search.study.question.labels import AxisLabels, check_labels
from reid_search.study.question.phases import AblatePhase, Name, Phase, Resources, SearchPhase
from reid_search.study.trial.config import Seed
from reid_search.study.trial.trial import TrialConfig


class StudyConfig(Config):
    """A study file.

    Attributes:
        name: Name of the study and of its folder in the store.
        title: What a report is headed; the name if omitted.
        question: What the study asks, in a sentence, below the title.
        labels: What a report calls the axes and their levels; records and tables keep the names of this file.
        base: The baseline arm: a trial config.
        axes: What may vary, by dotted path into `base`.
        arms: Named arms, as centres of designs (`around: full`): the label or value of some axes, over `base`, and a
            `recipe` that stands in place of the base's.
        phases: Searches and ablations, in order.
        claims: What the study expects to find, by name.
        resources: What a trial needs.
        privileged: Whether numbers of systems that read the truth in testing, such as the renderer's own part maps, are
            kept `apart` from the others, so that a study which compares them is refused, or `compared`, because that is
            its question.
        keep: Which trials keep their final weights: of each phase's best arm, all, or none.
        seed: Seed of the proposals and of the search's trainings.
    """

    also_written: ClassVar[tuple[str, ...]] = ("extends",)
    written_if_set: ClassVar[tuple[str, ...]] = ("title", "question", "labels", "privileged")
    name: Name
    title: str = ""
    question: str = ""
    labels: dict[str, AxisLabels] = Field(default={})
    base: Annotated[dict[str, object], Entries(TrialConfig)]
    axes: dict[str, Axis] = Field(default_factory=dict)
    arms: dict[Name, dict[str, object]] = Field(default_factory=dict)
    phases: tuple[Phase, ...]
    claims: dict[str, ClaimConfig] = Field(default_factory=dict)
    resources: Resources = Field(default_factory=Resources)
    privileged: Literal["apart", "compared"] = "apart"
    keep: Literal["all", "best", "none"] = "best"
    seed: Seed = 0

    @model_validator(mode="after")
    def _phases_fit_together(self) -> Self:
        if not self.phases:
            raise EntryError("at least one phase is needed, such as {kind: ablate}", "phases")
        claims = len(self.claims)
        phases = (phase.deciding(claims) if isinstance(phase, AblatePhase) else phase for phase in self.phases)
        self.__dict__["phases"] = tuple(phases)  # frozen, but not complete before it knows its claims
        check_named_arms(self.arms, self.axes)
        names: set[str] = set()
        searched = False
        for index, phase in enumerate(self.phases):
            if phase.name in names:
                raise EntryError(f"two phases are named '{phase.name}'; give each its own `name`", "phases", index)
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
        check_labels(self.labels, self.axes)
        return self

    @property
    def deciding_phases(self) -> list[AblatePhase]:
        """The ablations that can decide a claim: those whose arms are fixed in advance."""
        return [item for item in self.phases if isinstance(item, AblatePhase) and item.description.decides_claims]

    def _check_claims(self) -> None:
        ablations = [phase.name for phase in self.deciding_phases]
        named = self.base.get("readouts")
        readouts = list(named) if named and isinstance(named, Mapping) else ["default"]
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
        if phase.description.leads_to_best:
            if not searched:
                message = f"a {phase.design} leads to the best of a search; put one before it"
                raise EntryError(message, "phases", index, "design")
            if phase.around == "best":
                centres = ", ".join(name for name in allowed if name != "best")
                message = f"'best' is where a {phase.design} ends, so it must start elsewhere; allowed: {centres}"
                raise EntryError(message, "phases", index, "around")

    def _check_search(self, phase: SearchPhase, index: int) -> None:
        axes = self.axes_of(phase)
        if not axes:
            raise EntryError("a search needs at least one axis", "phases", index)
        if phase.each is None:
            return
        arms = self.ablation_tuned_by(phase)
        later = [item.name for item in self.phases[index + 1 :] if isinstance(item, AblatePhase)]
        if arms is not None and arms.name in later:
            self._check_each_arm(phase, arms, index)
            return
        named = [path for path, axis in axes.items() if axis.searched_levels]
        if phase.each not in named:
            unknown = f"'{phase.each}' is neither a later ablation nor an axis of this search with a choice or variants"
            raise EntryError(f"{unknown}; {nearest(phase.each, [*named, *later])}", "phases", index, "each")
        if axes[phase.each].when:
            message = f"'{phase.each}' exists only under a condition; allowed: an axis that every trial has"
            raise EntryError(message, "phases", index, "each")
        if len(axes) == 1:
            raise EntryError(f"nothing is left to tune besides '{phase.each}'; add an axis", "phases", index, "axes")

    def _check_each_arm(self, phase: SearchPhase, arms: AblatePhase, index: int) -> None:
        if arms.needs_best:
            message = f"the arms of '{arms.name}' depend on a search; allowed: an ablation around base or a named arm"
            raise EntryError(message, "phases", index, "each")
        searches = [item for item in self.phases[:index] if isinstance(item, SearchPhase)]
        other = next((item.name for item in searches if self.ablation_tuned_by(item) == arms), None)
        if other is not None:
            message = f"the search '{other}' already tunes the arms of '{arms.name}'; allowed: one search per ablation"
            raise EntryError(message, "phases", index, "each")
        axes, varied = self.axes_of(phase), self.axes_of(arms)
        if both := [path for path in axes if path in varied]:
            message = f"{', '.join(both)}: also varied by '{arms.name}'; give both phases `axes` with none in common"
            raise EntryError(message, "phases", index, "axes")
        for path, axis in varied.items():
            if named := [name for name in axis.when if name in axes]:
                message = f"'{path}' of '{arms.name}' depends on '{named[0]}', which this search varies"
                raise EntryError(f"{message}; leave one of the two out of its phase", "phases", index, "axes")

    def axes_of(self, *phases: SearchPhase | AblatePhase) -> dict[str, Axis]:
        """Return the axes that vary in a phase, or in any of several."""
        own = [set(self.axes if phase.axes is None else phase.axes) for phase in phases]
        return {path: axis for path, axis in self.axes.items() if any(path in paths for paths in own)}

    def ablation_tuned_by(self, phase: SearchPhase | AblatePhase) -> AblatePhase | None:
        """Return the ablation whose arms a search tunes separately, if any."""
        if isinstance(phase, AblatePhase) or phase.each in self.axes:
            return None
        ablations = (item for item in self.phases if isinstance(item, AblatePhase))
        return next((item for item in ablations if item.name == phase.each), None)
