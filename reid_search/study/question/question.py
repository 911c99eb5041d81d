"""What a study asks: the space and arms of each phase, and what its claims compare."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Self

from reid_search.study.component import DATASETS
from reid_search.study.language.document import Document
from reid_search.study.language.places import Place
from reid_search.study.question.axes import Axis, Level
from reid_search.study.question.claims import ClaimConfig, Contrast, contrast_of, needed_settings
from reid_search.study.question.designs.arms import BASELINE, Arm
from reid_search.study.question.designs.centre import around_best, inside, with_settings
from reid_search.study.question.designs.design import Asked
from reid_search.study.question.designs.named import named_base, named_settings
from reid_search.study.question.edits import apply_settings
from reid_search.study.question.phases import FRESH_SEEDS_APART, AblatePhase, SearchPhase
from reid_search.study.question.readouts import Measured, measured
from reid_search.study.question.replicates import SEARCH_SEEDS_START
from reid_search.study.question.searching import as_written
from reid_search.study.question.space import Settings, Space, Tuned
from reid_search.study.question.study_config import StudyConfig
from reid_search.study.question.written_paths import axis_by_content
from reid_search.study.trial.key import digest, without_places
from reid_search.study.trial.trial import TrialConfig
from reid_search.study.trial.weights import weights_by_content


@dataclass(frozen=True)
class Share:
    """A part of a search with `trials` proposals: one level of an axis, one arm of an ablation, or everything.

    Attributes:
        name: The level's label, or the arm's name; empty if everything is searched together.
        held: Settings that all its proposals have.
        space: What it searches; the held axes are narrowed to one level.
    """

    name: str
    held: Settings
    space: Space


@dataclass(frozen=True)
class Question:
    """A validated study file, which knows the arms and proposals of each phase.

    Attributes:
        config: The study file.
        document: The file's content as it was resolved, with places.
    """

    config: StudyConfig
    document: Document

    @property
    def name(self) -> str:
        """The study's name."""
        return self.config.name

    def space(self, phase: SearchPhase | AblatePhase, evaluate: Literal["test", "val"] | None = None) -> Space:
        """Return the base and the axes of a phase.

        A search needs a validation split; an answer on the test split trains without holdout. If the centre is a named
        arm, its recipe and its settings of other axes are in the base. A search that tunes each arm of an ablation has
        the axes of both, and the ablation's centre.

        Args:
            phase: The phase.
            evaluate: The split that its trials are tested on; the phase's own if omitted.
        """
        arms = self.config.ablation_tuned_by(phase) or phase
        base = apply_settings(self.base_of(arms), phase.set)
        if (evaluate or (phase.evaluate if isinstance(phase, AblatePhase) else "val")) == "test":
            base = apply_settings(base, {"data.holdout": 0.0})
        centred = with_settings(Space(base, self.config.axes_of(arms)), self.config.axes, self._named(arms))
        return replace(centred, axes=self.config.axes_of(phase, arms))

    def shares(self, phase: SearchPhase) -> list[Share]:
        """Return the parts of a search that get `trials` proposals each: one per level, one per arm, or one in all."""
        space = self.space(phase)
        if phase.each is None:
            return [Share("", {}, space)]
        arms = self.config.ablation_tuned_by(phase)
        if arms is not None:
            held = {arm.name: arm.settings for arm in self.arms(arms)}
        else:
            held = {level.label: {phase.each: level} for level in space.axes[phase.each].searched_levels}
        narrowed = {
            name: {path: space.axes[path].only(level) for path, level in settings.items()}
            for name, settings in held.items()
        }
        return [Share(name, held[name], replace(space, axes={**space.axes, **axes})) for name, axes in narrowed.items()]

    def held_axes(self, phase: SearchPhase) -> tuple[str, ...]:
        """Return the axes whose levels distinguish the shares of a search; none if it has a single share."""
        if phase.each is None:
            return ()
        arms = self.config.ablation_tuned_by(phase)
        return (phase.each,) if arms is None else tuple(self.config.axes_of(arms))

    def space_hash(self, phase: SearchPhase) -> str:
        """Return a hash that distinguishes this search's proposals from those of an earlier version of the study."""
        space = self.space(phase)
        axes = {
            path: axis_by_content(path, axis.model_dump(mode="json", exclude={"off"}))
            for path, axis in space.axes.items()
        }
        config = space.config({})
        content = without_places(config, weights_by_content(config.model))
        content["readouts"] = {
            name: readout.unmarked.model_dump(mode="json") for name, readout in config.readouts.items()
        }
        drawn: dict[str, object] = {"base": content, "axes": axes, "seed": self.config.seed}
        drawn["sampler"] = as_written(phase.sampler)
        if self.config.ablation_tuned_by(phase):  # whose arms take turns, by the number of the proposal
            held = [share.held for share in self.shares(phase)]
            drawn["arms"] = [{path: level.label for path, level in settings.items()} for settings in held]
        return digest(drawn)

    @property
    def search_seed(self) -> int:
        """The training seed of every search trial, which no replicate uses."""
        return SEARCH_SEEDS_START + self.config.seed

    def fresh_seeds(self, phase: SearchPhase) -> list[int]:
        """Return the training seeds of a search's finalists, which no proposal and no answer of the study uses."""
        return [self.search_seed + FRESH_SEEDS_APART * number for number in range(1, phase.seeds + 1)]

    def arms(self, phase: AblatePhase, best: Settings | None = None, tuned: Tuned | None = None) -> list[Arm]:
        """Return the arms of an ablation; of a path, those known before it runs.

        Args:
            phase: The ablation.
            best: The search's best settings, for a phase around them; the base's are used until they are known.
            tuned: What a search found for each level of an axis of this phase, or for each of its arms. Every arm then
                has its own best settings; the axis keeps the base's level in the centre.
        """
        return phase.description.arms(self.asked(phase, best, tuned))

    def asked(self, phase: AblatePhase, best: Settings | None = None, tuned: Tuned | None = None) -> Asked:
        """Return the input of the design of an ablation; `best` and `tuned` are as in `arms`."""
        space, centre = self.centred(phase, best, tuned)
        needed = (needed_settings(claim, space, centre) for claim in self.claims_of(phase).values())
        return Asked(space, centre, phase.around, phase.resolution, itertools.chain.from_iterable(needed))

    def contrast(
        self,
        name: str,
        phase: AblatePhase,
        arms: Sequence[Arm],
        best: Settings | None = None,
        tuned: Tuned | None = None,
    ) -> Contrast:
        """Return the claim with this name as a contrast between the arms of an ablation; the rest is as in `arms`."""
        space, centre = self.centred(phase, best, tuned)
        centre = next((arm.settings for arm in arms if arm.name == BASELINE), centre)
        return contrast_of(self.config.claims[name], space, centre, arms, self.config.axes)

    def claims_of(self, phase: AblatePhase) -> dict[str, ClaimConfig]:
        """Return the claims that an ablation may decide, by name."""
        if phase not in self.config.deciding_phases:
            return {}
        return {name: claim for name, claim in self.config.claims.items() if claim.phase in (None, phase.name)}

    def centred(
        self, phase: AblatePhase, best: Settings | None = None, tuned: Tuned | None = None
    ) -> tuple[Space, Settings]:
        """Return the space of an ablation and the settings of its centre; `best` and `tuned` are as in `arms`.

        The first arm has these settings, except in `add_one_in`, which switches them off.
        """
        space = self.space(phase)
        if phase.around == "best" and best is not None:
            return around_best(space, self.config.axes, best, tuned)
        named = inside(self._named(phase), space)
        centre = space.completed(named) if phase.around in self.config.arms else space.centre()
        return (replace(space, tuned=tuned) if self.is_tuned(phase) else space), centre

    def is_tuned(self, phase: AblatePhase) -> bool:
        """Say whether a search tunes each arm of an ablation separately."""
        return any(self.config.ablation_tuned_by(item) == phase for item in self.config.phases)

    def base_of(self, phase: SearchPhase | AblatePhase) -> dict[str, object]:
        """Return the study's base as a phase has it: over the recipe of the named arm that is its centre, if any."""
        return named_base(self._named_arm(phase), self.config.base)

    def axes_deciding(self, phase: SearchPhase | AblatePhase) -> dict[str, Axis]:
        """Return the axes that decide what a phase trains: its own, and others that say where it stands.

        These are the axes of searches whose best it needs, and those that its named arm sets, narrowed to their levels.
        """
        earlier = self.config.phases[: self.config.phases.index(phase)]
        needed = [item for item in earlier if isinstance(item, SearchPhase)]
        own = self.config.ablation_tuned_by(phase) or phase
        named = {path: self.config.axes[path].only(level) for path, level in self._named(own).items()}
        needs_best = isinstance(phase, AblatePhase) and phase.needs_best
        axes = {**named, **self.config.axes_of(phase, own, *(needed if needs_best else ()))}
        return {path: axes[path] for path in self.config.axes if path in axes}

    def _named(self, phase: SearchPhase | AblatePhase) -> Settings:
        """Return the settings of the named arm that is the centre of a phase; none for another centre."""
        return named_settings(self._named_arm(phase), self.config.axes)

    def _named_arm(self, phase: SearchPhase | AblatePhase) -> Mapping[str, object]:
        return self.config.arms.get(phase.around, {}) if isinstance(phase, AblatePhase) else {}

    def measured(self, config: TrialConfig) -> Measured:
        """Return a trial with every readout that the axes of this study can make."""
        return measured(config, TrialConfig.model_validate(self.config.base).readouts, self.config.axes)

    def with_data(self, root: Path) -> Self:
        """Return the study reading its data from `root`."""
        located = TrialConfig.model_validate(self.config.base).data.at(root)
        written = Place(DATASETS).as_map(self.config.base.get("data"))  # a recipe of an arm may have another image size
        base = {**self.config.base, "data": {**written, "root": located.as_entries["root"]}}
        return replace(self, config=self.config.model_copy(update={"base": base}))

    def redrawing(self) -> Self:
        """Return the study with new data for each seed of the ablations that do not say it and whose data are drawn."""
        phases = (
            item.model_copy(update={"redraw_data": self._are_drawn(item)})
            if isinstance(item, AblatePhase) and "redraw_data" not in item.model_fields_set
            else item
            for item in self.config.phases
        )
        return replace(self, config=self.config.model_copy(update={"phases": tuple(phases)}))

    def _are_drawn(self, phase: AblatePhase) -> bool:
        """Say whether all data sets of the base and the arms of a phase are drawn at random."""
        trials = [self.space(phase).config({}), *(arm.config for arm in self.arms(phase))]
        return all(use.data.is_drawn for trial in trials for use in trial.data.sets)

    def resolved(self) -> dict[str, object]:
        """Return the study as plain data with every default filled in."""
        content = self.config.model_dump(mode="json", exclude_none=True)
        content["base"] = TrialConfig.model_validate(self.config.base).model_dump(mode="json")
        return content

    def level(self, path: str, value: object) -> Level:
        """Return the level of a logged label or number."""
        axis = self.config.axes[path]
        return (axis.level(value) if isinstance(value, str) else None) or axis.level_of(value)
