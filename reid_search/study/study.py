"""A study: a question, written as one YAML file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationError, model_validator

from reid_search.errors import StudyError, nearest
from reid_search.study.axes import Axis, Level
from reid_search.study.changes import apply_settings, lay_over
from reid_search.study.component import Config, EntryError
from reid_search.study.designs import Arm, check_levels, design_arms
from reid_search.study.document import Document, read_document, split_path
from reid_search.study.key import digest
from reid_search.study.phases import SEARCH_SEEDS_START, AblatePhase, Name, Phase, Resources, SearchPhase
from reid_search.study.problems import study_error
from reid_search.study.space import Settings, Space, Tuned
from reid_search.study.trial import TrialConfig

if TYPE_CHECKING:
    from reid_search.study.plan import Plan
    from reid_search.study.readouts import Measured

_TRIAL_KEYS = frozenset(TrialConfig.model_fields)


class StudyConfig(Config):
    """A study file.

    Attributes:
        name: Name of the study and of its folder in the store.
        base: The baseline arm: a trial config.
        axes: What may vary, by dotted path into `base`.
        phases: Searches and ablations, in order.
        resources: What a trial takes.
        keep: Which trials keep their final weights: of each phase's best arm, all, or none.
        seed: Seed of the proposals and of the search's trainings.
    """

    name: Name
    base: dict[str, Any]
    axes: dict[str, Axis] = Field(default_factory=dict)
    phases: tuple[Phase, ...]
    resources: Resources = Field(default_factory=Resources)
    keep: Literal["all", "best", "none"] = "best"
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _phases_fit_together(self) -> "StudyConfig":
        if not self.phases:
            raise EntryError("at least one phase is needed, such as {kind: ablate}", "phases")
        names: set[str] = set()
        searched = False
        for index, phase in enumerate(self.phases):
            if phase.name in names:
                raise EntryError(f"two phases are named '{phase.name}'; give each a `name`", "phases", index)
            names.add(phase.name)
            for axis in phase.axes or ():
                if axis not in self.axes:
                    raise EntryError(f"unknown axis '{axis}'; {nearest(axis, self.axes)}", "phases", index, "axes")
            if isinstance(phase, AblatePhase) and phase.around == "best" and not searched:
                raise EntryError("'best' needs a search before it; allowed: base", "phases", index, "around")
            searched = searched or isinstance(phase, SearchPhase)
            if isinstance(phase, SearchPhase):
                self._check_search(phase, index)
        return self

    def _check_search(self, phase: SearchPhase, index: int) -> None:
        axes = self._axes_of(phase)
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

    def _axes_of(self, phase: SearchPhase | AblatePhase) -> dict[str, Axis]:
        return {path: axis for path, axis in self.axes.items() if phase.axes is None or path in phase.axes}


@dataclass(frozen=True)
class Study:
    """A validated study, able to say what it will run.

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

    def space(self, phase: SearchPhase | AblatePhase) -> Space:
        """Return the base and the axes of a phase.

        A search needs a validation split; an answer on the test split trains without holdout.
        """
        base = apply_settings(self.config.base, phase.set)
        if isinstance(phase, AblatePhase) and phase.evaluate == "test":
            base = apply_settings(base, {"data.holdout": 0.0})
        return Space(base, self.config._axes_of(phase))

    def space_hash(self, phase: SearchPhase) -> str:
        """Return what tells proposals of this search from those of an earlier version of the study."""
        space = self.space(phase)
        axes = {path: axis.model_dump(mode="json") for path, axis in space.axes.items()}
        config = space.config({})
        content = config.model_dump(mode="json")
        content["data"] = {key: value for key, value in content["data"].items() if key not in config.data.places}
        return digest({"base": content, "axes": axes, "sampler": phase.sampler, "seed": self.config.seed})

    @property
    def search_seed(self) -> int:
        """The training seed of every search trial; no replicate ever uses it."""
        return SEARCH_SEEDS_START + self.config.seed

    def arms(self, phase: AblatePhase, best: Settings | None = None, tuned: Tuned | None = None) -> list[Arm]:
        """Return the arms of an ablation.

        Args:
            phase: The ablation.
            best: The search's best settings, for a phase around them; the base's where not known yet.
            tuned: What the search found for each level of an axis of this phase; that axis keeps the base's level in
                the centre, and every arm has the best settings of its own level.
        """
        space = self.space(phase)
        centre = space.centre()
        if phase.around == "base" or best is None:
            return design_arms(phase.design, space, centre)
        if tuned is None or tuned.axis not in space.axes:
            centre |= {path: level for path, level in best.items() if path in space.axes}
            return design_arms(phase.design, self._with_found(space, best), centre)
        own = tuned.best.get(centre[tuned.axis].label, {})
        centre |= {path: level for path, level in own.items() if path in space.axes}
        outside = {label: _outside(found, space) for label, found in tuned.best.items()}
        return design_arms(phase.design, replace(space, tuned=Tuned(tuned.axis, outside)), centre)

    def _with_found(self, space: Space, best: Settings) -> Space:
        """Return a space around what was found of axes that it does not have."""
        base = space.base
        outside = _outside(best, space)
        for path, level in outside.items():
            if self.config.axes[path].variants is not None:
                base = lay_over(base, level.value)
        values = {path: level.value for path, level in outside.items() if self.config.axes[path].variants is None}
        return Space(apply_settings(base, values), space.axes)

    def measured(self, config: TrialConfig) -> "Measured":
        """Return a trial of this study with every readout that its axes can make."""
        from reid_search.study.readouts import measured

        return measured(config, TrialConfig.model_validate(self.config.base).readouts, self.config.axes)

    def plan(self, best: Settings | None = None) -> "Plan":
        """Return every arm and trial that the study asks for, before anything runs.

        Args:
            best: The search's best settings where they are known.
        """
        from reid_search.study.plan import make_plan

        return make_plan(self, best)

    def with_data(self, root: Path) -> "Study":
        """Return the study reading its data from `root`."""
        data = TrialConfig.model_validate(self.config.base).data.at(root)
        base = {**self.config.base, "data": data.model_dump(mode="json")}
        config = self.config.model_copy(update={"base": base})
        return replace(self, config=config)

    def resolved(self) -> dict[str, Any]:
        """Return the study as plain data with every default filled in."""
        content = self.config.model_dump(mode="json", exclude_none=True)
        content["base"] = TrialConfig.model_validate(self.config.base).model_dump(mode="json")
        return content

    def level(self, path: str, value: object) -> Level:
        """Return the level of a logged label or number."""
        axis = self.config.axes[path]
        return (axis.level(value) if isinstance(value, str) else None) or axis.level_of(value)


def load_study(path: Path | str, overrides: Sequence[str] = (), data: Path | None = None) -> Study:
    """Read, check and return a study.

    Args:
        path: The study file.
        overrides: `PATH=VALUE` settings; a path that begins with `data`, `model`, `losses`, `training` or `readouts`
            reaches into `base`.
        data: Folder that the data set is read from.

    Raises:
        StudyError: Anything that is wrong with the file, each mistake with its place.
    """
    document = read_document(Path(path)).overridden([_into_base(setting) for setting in overrides])
    try:
        config = StudyConfig.model_validate(document.data)
    except ValidationError as error:
        raise study_error(document, error) from None
    _check_base(document, config.base)
    study = Study(config, document)
    if data is not None:
        study = study.with_data(data)
    _check_spaces(study)
    return study


def load_trial_config(path: Path | str, overrides: Sequence[str] = (), data: Path | None = None) -> TrialConfig:
    """Read the config of a single trial, or the `base` of a study file.

    Raises:
        StudyError: Anything that is wrong with the file.
    """
    document = read_document(Path(path))
    prefix: tuple[str, ...] = ("base",) if "base" in document.data else ()
    document = document.overridden([_into_base(setting) if prefix else setting for setting in overrides])
    content: Mapping[str, Any] = document.data["base"] if prefix else document.data
    try:
        config = TrialConfig.model_validate(content)
    except ValidationError as error:
        raise study_error(document, error, prefix) from None
    return config if data is None else config.model_copy(update={"data": config.data.at(data)})


def _into_base(setting: str) -> str:
    return f"base.{setting}" if setting.split("=")[0].split(".")[0].strip() in _TRIAL_KEYS else setting


def _check_base(document: Document, base: Mapping[str, Any]) -> None:
    try:
        TrialConfig.model_validate(base)
    except ValidationError as error:
        raise study_error(document, error, ("base",)) from None


def _check_spaces(study: Study) -> None:
    for index, phase in enumerate(study.config.phases):
        try:
            space = study.space(phase)
            space.order()
            _check_set(study, space, phase, index)
            space.check()
            if isinstance(phase, AblatePhase) or phase.sampler == "grid":
                check_levels(space)
            validates = isinstance(phase, SearchPhase) or phase.evaluate == "val"
            if validates and space.config({}).data.holdout == 0:
                raise StudyError("base.data.holdout: 0: this phase needs a validation split; give a share such as 0.2")
        except StudyError as error:
            raise StudyError(f"{_place(study.document, str(error), index)}: {error}") from None


def _check_set(study: Study, space: Space, phase: SearchPhase | AblatePhase, index: int) -> None:
    """Make sure that what a phase sets makes a valid trial, and adds no loss or readout by a slip of the pen."""
    base = TrialConfig.model_validate(study.config.base)
    for path in phase.set:
        top, *rest = split_path(path)
        known = {"losses": list(base.losses), "readouts": list(base.readouts)}.get(top, [])
        if known and len(rest) > 1 and rest[0] not in known:
            message = f"'{rest[0]}' is not in base.{top}; {nearest(rest[0], known)}"
            raise StudyError(f"phases.{index}.set.{path}: {message}")
    try:
        space.config({})
    except StudyError as error:
        raise StudyError(f"phases.{index}.set: {error}") from None


def _place(document: Document, message: str, phase: int) -> str:
    for axis in document.data.get("axes") or {}:
        if message.startswith((f"axes.{axis}:", f"axes.{axis}.when:")):
            return document.place(("axes", axis))
    return document.place(("phases", phase))


def _outside(best: Settings, space: Space) -> dict[str, Level]:
    return {path: level for path, level in best.items() if path not in space.axes}
