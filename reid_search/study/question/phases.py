"""The phases of a study: a search for good settings, an ablation that measures what each setting is worth."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from reid_search.errors import nearest
from reid_search.study.component import Config, EntryError, OneOf, in_yaml
from reid_search.study.metrics import DEFAULT_OBJECTIVE, objectives
from reid_search.study.question.deciding import seeds_that_decide
from reid_search.study.question.designs.design import Design
from reid_search.study.question.designs.registry import design_named, designs
from reid_search.study.question.replicates import SEARCH_SEEDS_START, WRITTEN, Replicates, replicates
from reid_search.study.question.searching import AnyPruner, AnySampler

FRESH_SEEDS_APART = 1_000_000
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=80)]


def _a_count(value: object) -> object:
    if isinstance(value, list):
        raise ValueError(f"{value}: expected the number of seeds, for example {len(value)}")
    return value


Seeds = Annotated[int, BeforeValidator(_a_count), Field(ge=1, lt=SEARCH_SEEDS_START)]


class _Phase(Config):
    name: Name = ""
    axes: tuple[str, ...] | None = None
    set: dict[str, object] = Field(default_factory=dict)


class SearchPhase(_Phase):
    """Propose settings, train them on the training set without its validation part, and keep the best.

    Attributes:
        kind: `search`.
        name: Its name in tables.
        axes: The axes that vary; all if omitted.
        set: Entries of `base` that differ in this phase (`training.images: 5000`).
        sampler: What proposes, by name or with settings: `tpe`, `cma_es`, `random`, `grid`, `{kind: tpe, startup: 5}`.
        trials: Number of different proposals; a grid or another small space may have fewer. Settings take no trial if
            they were proposed before, or differ from such only by numbers nearer than 1 % of their range.
        pruner: What stops trials early, by name or with settings: `successive_halving`, `hyperband`, `median`, `none`,
            `{min_epochs: 2}`.
        objective: The validation metric to maximise.
        finalists: How many of the best candidates are trained again on fresh seeds after the last proposal; the best is
            then the one with the best mean over these seeds alone. With 0 it is the proposal with the best value, which
            is too high, since it was chosen for it.
        seeds: Fresh seeds of each finalist.
        each: What gets `trials` proposals each, so that all are tuned alike: the choices or variants of an axis of the
            search, or the arms of a later ablation around `base` or a named arm that varies other axes. In the first
            case, an ablation around the best compares the levels, each with its own best settings; in the second, the
            ablation trains every arm with the arm's own best settings. Each also has `finalists` of its own.
    """

    written_if_set: ClassVar[tuple[str, ...]] = ("finalists", "seeds")
    kind: Literal["search"]
    name: Name = "search"
    sampler: AnySampler = Field(default="tpe")  # type: ignore[assignment]  # validated as if it were written
    trials: int = Field(default=20, ge=1, le=1_000_000)
    pruner: AnyPruner = Field(default="successive_halving")  # type: ignore[assignment]
    objective: Annotated[str, OneOf(objectives)] = DEFAULT_OBJECTIVE
    finalists: int = Field(default=0, ge=0)
    seeds: Seeds = 3
    each: str | None = None

    @model_validator(mode="after")
    def _finalists_are_candidates(self) -> Self:
        if self.finalists > self.trials:
            allowed = f"allowed: at most {self.trials}, or more trials"
            raise EntryError(f"{self.finalists}: only {self.trials} trials to choose from; {allowed}", "finalists")
        if "seeds" in self.model_fields_set and not self.finalists:
            message = "a search trains each proposal with one seed; these are the seeds of finalists"
            raise EntryError(f"{self.seeds}: {message}, so give `finalists` too, such as finalists: 3", "seeds")
        return self


class AblatePhase(_Phase):
    """Train a fixed set of arms with several seeds each.

    Attributes:
        kind: `ablate`.
        name: Its name in tables.
        axes: The axes that vary; all if omitted.
        set: Entries of `base` that differ in this phase.
        design: `one_factor` (each level of each axis, everything else as in the centre), `leave_one_out` (the full
            system with each component switched off in turn), `add_one_in` (the bare system, where all axes of the phase
            are off, with each component added in turn), `factorial` (all combinations of levels),
            `fractional_factorial` (as few combinations of off and on as the resolution allows), `claims` (the arms that
            the study's claims need) or `path` (from the centre to the best of the previous search, each step setting
            the one axis whose best level helps most on the validation split; Fawcett & Hoos 2016).
        around: The centre: `base`, the `best` of the previous search, or a named arm. A path starts here, so its centre
            is base or a named arm.
        resolution: Of a fractional factorial, 4 if omitted: 3 separates main effects from each other, 4 also from
            two-factor interactions, 5 also two-factor interactions from each other.
        seeds: Replicates of every arm, with seeds 1, 2, ...: a number, or `{from: 9, to: 20, until: decided}`, which
            adds seeds to the arms of the claims that are undecided at a look, at 9, 12, 16 and 20 seeds here. If
            omitted 3, or as many as it takes to decide the study's claims.
        redraw_data: Whether each seed draws new data, the same for all arms, so that an answer holds for people and
            cameras in general, not only for those that happened to be drawn. Only for data drawn at random, and true if
            omitted where all of the phase's are.
        evaluate: `test` trains without holdout and measures on the test split; `val` on the validation split.
    """

    kind: Literal["ablate"]
    name: Name = "ablate"
    design: Annotated[str, OneOf(designs)] = "one_factor"
    around: str = "base"
    resolution: Literal[3, 4, 5] | None = None
    seeds: Annotated[
        Replicates, BeforeValidator(replicates), PlainSerializer(Replicates.as_written), WithJsonSchema(WRITTEN)
    ] = Replicates(3, 3)
    redraw_data: bool = False
    evaluate: Literal["test", "val"] = "test"

    @field_validator("resolution")
    @classmethod
    def _of_a_fraction(cls, value: int | None, info: ValidationInfo) -> int | None:
        design = designs().get(info.data.get("design", ""))
        if value is None or design is None:
            return value or (design.resolution if design else None)
        if design.resolution is None:
            those = " and ".join(name for name, other in designs().items() if other.resolution is not None)
            raise ValueError(f"{value}: only `design: {those}` has a resolution, not {design.name}")
        return value

    @property
    def description(self) -> Design:
        """The properties of the design."""
        return design_named(self.design)

    def deciding(self, claims: int) -> "AblatePhase":
        """Return the phase with as many seeds as it takes to decide so many claims, unless it names a number."""
        if not claims or "seeds" in self.model_fields_set or not self.description.decides_claims:
            return self
        needed = max(self.seeds.last, seeds_that_decide(claims))
        return self.model_copy(update={"seeds": Replicates(needed, needed)})

    @property
    def needs_best(self) -> bool:
        """Whether its arms are known only after a search."""
        return self.around == "best" or self.description.leads_to_best


_PHASES: dict[str, type[SearchPhase] | type[AblatePhase]] = {"search": SearchPhase, "ablate": AblatePhase}


def _phase(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    if "kind" not in value:
        raise EntryError(f"this key is missing; {nearest('', _PHASES)}", "kind")
    kind = value["kind"]
    if not isinstance(kind, str) or kind not in _PHASES:
        raise EntryError(f"{in_yaml(kind)} is not a choice; {nearest(str(kind), _PHASES)}", "kind")
    return _PHASES[kind].model_validate(value)


Phase = Annotated[SearchPhase | AblatePhase, BeforeValidator(_phase)]


class Resources(Config):
    """What one trial needs, and how many run at once.

    Attributes:
        cpu: CPUs of a trial, as Ray counts them; `training.threads` sets the threads.
        gpu: Share of a GPU, or several whole ones; 0 trains on the CPU.
        concurrent: Trials at once; as many as fit if omitted.
    """

    cpu: float = Field(default=1.0, gt=0.0)
    gpu: float = Field(default=0.0, ge=0.0)
    concurrent: int | None = Field(default=None, ge=1)

    @field_validator("gpu")
    @classmethod
    def _as_ray_packs_them(cls, value: float) -> float:
        if value > 1 and not value.is_integer():
            raise ValueError(f"{value:g}: allowed: a share of one GPU, at most 1, or a whole number of GPUs")
        return value
