"""The state of a study: what its log and its trials mean together. Everything that shows a number reads it here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from reid_search.errors import RecordError, RequestError, StudyError, nearest
from reid_search.records.best import best_of, fresh_values, unlike_finalists
from reid_search.records.claims import Claim
from reid_search.records.collapse import Collapse, SeedCounts, collapse_of
from reid_search.records.events import ArmAsked, Ask, CandidateAsked, FinalistAsked, Proposal
from reid_search.records.folder import TrialFolder
from reid_search.records.identity import Status, TrialId
from reid_search.records.log import LogFollower
from reid_search.records.replay import History
from reid_search.records.store import Storage, StudyStore
from reid_search.records.trial import USUAL_READOUT, Trial, own_readout, read_trial, status_of, value_of
from reid_search.study.metrics import DEFAULT_OBJECTIVE, MAIN

T = TypeVar("T")


@dataclass(frozen=True)
class StudyState:
    """A study on disk.

    Attributes:
        study: Content of its resolved study file; empty if there is none.
        history: What its log says.
        trials: Its trials by key and seed, sorted by name.
        problems: What could not be read or was ignored in the study file and the log. Trials have their own reasons.
    """

    store: StudyStore
    study: Mapping[str, object]
    history: History
    trials: Mapping[TrialId, Trial]
    problems: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The study's name."""
        return str(self.study.get("name", self.store.name))

    @property
    def phases(self) -> list[Mapping[str, object]]:
        """The phases of the study file."""
        listed = self.study.get("phases")
        return [phase for phase in listed if isinstance(phase, Mapping)] if isinstance(listed, list | tuple) else []

    def phase(self, name: str) -> Mapping[str, object]:
        """Return a phase of the study file; empty if it has none with that name."""
        return next((phase for phase in self.phases if phase.get("name") == name), {})

    @property
    def axes(self) -> Mapping[str, Mapping[str, object]]:
        """The axes of the study file."""
        return _maps(self.study.get("axes"))

    @property
    def readouts(self) -> Sequence[str]:
        """Names of the readouts of the study's base."""
        return list(_maps(_maps({"base": self.study.get("base")}).get("base", {}).get("readouts"))) or [USUAL_READOUT]

    @property
    def compares_privileged(self) -> bool:
        """Whether systems that read the truth in testing are compared with the others."""
        return self.study.get("privileged") == "compared"

    @property
    def claims(self) -> Sequence[Claim]:
        """The claims of the last run."""
        return self.history.claims

    @cached_property
    def searches(self) -> Mapping[str, Sequence[Proposal]]:
        """The proposals of each search in its present space, by number."""
        return {phase: self.history.proposals(phase) for phase in self.history.searches}

    @cached_property
    def finalists(self) -> Mapping[str, Sequence[FinalistAsked]]:
        """What each search asks for again on fresh seeds."""
        return {phase: self.history.finalists(phase) for phase in self.history.searches}

    @property
    def ablations(self) -> Mapping[str, Sequence[ArmAsked]]:
        """The replicates that each ablation asks for."""
        return self.history.ablations

    @property
    def paths(self) -> Mapping[str, Sequence[CandidateAsked]]:
        """The candidates that each path tried."""
        return self.history.paths

    @cached_property
    def askers(self) -> Mapping[TrialId, Sequence[Ask]]:
        """Who asks for each trial; if nobody does any more, who did."""
        return self.history.askers()

    @cached_property
    def asked_now(self) -> frozenset[TrialId]:
        """The trials that the study asks for now."""
        return frozenset(ask.trial for ask in self.history.asks_now())

    def objective(self, phase: str) -> str:
        """Return what a search maximises."""
        planned = self.history.planned.get(phase)
        return (planned and planned.objective) or str(self.phase(phase).get("objective", DEFAULT_OBJECTIVE))

    def metric(self, ask: Ask) -> str:
        """Return an asker's own metric: a search's objective, or mAP on the split that an arm is tested on."""
        searched = isinstance(ask, Proposal | FinalistAsked)
        return self.objective(ask.phase) if searched else f"{ask.evaluate}/{MAIN}"

    def trial(self, ask: Ask) -> Trial | None:
        """Return an asker's trial; None before it started."""
        return self.trials.get(ask.trial)

    def readout(self, ask: Ask) -> str | None:
        """Return the record's name of an asker's own readout."""
        return own_readout(ask, self.trial(ask))

    def value(self, ask: Ask, metric: str | None = None) -> float | None:
        """Return the number of an asker: a metric of its own readout, by default its own metric."""
        return value_of(ask, self.trials, metric or self.metric(ask))

    def collapse(self, ask: Ask) -> Collapse:
        """Return whether an asker's seed finished and has learnt nothing."""
        trial = self.trial(ask)
        if trial is None or trial.status != Status.FINISHED:
            return Collapse.NONE
        return collapse_of(trial.measured(self.readout(ask)), ask.evaluate)

    def seed_counts(self, phase: str) -> Mapping[str, SeedCounts]:
        """Return how the seeds of each arm of an ablation ended."""
        asks: dict[str, list[ArmAsked]] = {}
        for ask in self.ablations.get(phase, ()):
            asks.setdefault(ask.arm, []).append(ask)
        return {arm: SeedCounts.of((self.status(ask), self.collapse(ask)) for ask in own) for arm, own in asks.items()}

    def askers_by_readout(self, trial: Trial) -> Mapping[str, Sequence[Ask]]:
        """Return who asks for a trial, by the record's name of their own readout, in the order in which they asked."""
        found: dict[str, list[Ask]] = {}
        for ask in self.askers.get(trial.id, ()):
            readout = own_readout(ask, trial)
            if readout is not None:
                found.setdefault(readout, []).append(ask)
        return found

    def best(self, phase: str) -> Proposal | None:
        """Return the best proposal of a search (see `best_of`); None if none is finished."""
        return self.best_among(self.searches.get(phase, ()))

    def best_among(self, proposals: Sequence[Proposal]) -> Proposal | None:
        """Return the best of some proposals of one search; None if none is finished."""
        if not proposals:
            return None
        phase = proposals[0].phase
        return best_of(proposals, self.trials, self.objective(phase), self.finalists.get(phase, ()))

    def refusal(self, phase: str) -> str:
        """Return why a search has no best though its finalists are over: their code differs; empty if it does not."""
        return unlike_finalists(self.searches.get(phase, ()), self.trials, self.finalists.get(phase, ()))

    def fresh_values(self, proposal: Proposal) -> Sequence[float]:
        """Return the objective of a proposal on each fresh seed that finished; empty if it is no finalist."""
        phase = proposal.phase
        return fresh_values(proposal.number, self.finalists.get(phase, ()), self.trials, self.objective(phase))

    def status(self, ask: Ask) -> Status:
        """Return the status of an asker's measurement."""
        return status_of(self.trial(ask), self.readout(ask), ask.evaluate)


def read_state(store: StudyStore, *, tolerant: bool = False) -> StudyState:
    """Read a study.

    Args:
        store: The store of the study.
        tolerant: Note files that cannot be read instead of raising.

    Raises:
        RequestError: There is no study in this folder.
        RecordError: A file is cut or has a newer version.
    """
    if not store.exists():
        known = [other.name for other in Storage(store.storage).studies()]
        raise RequestError(f"{store.path}: no study was run here; {nearest(store.name, known)}")
    problems: list[str] = []
    noted = problems if tolerant else None
    study, history = _or_noted(store.study, noted) or {}, store.log.history(noted)
    folders = _or_noted(lambda: list(store.trials()), noted) or []
    trials = {folder.id: read_trial(folder, tolerant=tolerant) for folder in folders}
    return StudyState(store, study, history, trials, (*problems, *history.warnings))


def _maps(content: object) -> Mapping[str, Mapping[str, object]]:
    """Return those entries of a map that are maps; anything else may be in a study file that was edited by hand."""
    if not isinstance(content, Mapping):
        return {}
    return {str(name): entry for name, entry in content.items() if isinstance(entry, Mapping)}


class StudyReader:
    """Reads a study repeatedly, and of its log and trials only what changed."""

    def __init__(self, store: StudyStore) -> None:
        self._store = store
        self._log = LogFollower(store.log)
        self._trials: dict[TrialId, tuple[object, Trial]] = {}

    def state(self) -> StudyState:
        """Return the study as it is now; unreadable trials and an unreadable study file are noted.

        Raises:
            RecordError: The log cannot be read.
        """
        problems: list[str] = []
        history = self._log.history()
        self._trials = {folder.id: self._latest(folder) for folder in self._store.trials()}
        trials = {name: trial for name, (_, trial) in self._trials.items()}
        study = _or_noted(self._store.study, problems) or {}
        return StudyState(self._store, study, history, trials, (*problems, *history.warnings))

    def _latest(self, folder: TrialFolder) -> tuple[object, Trial]:
        stamp = folder.stamp()  # taken first, so that what changes during reading is read again
        known = self._trials.get(folder.id)
        return known if known is not None and known[0] == stamp else (stamp, read_trial(folder, tolerant=True))


def _or_noted(read: Callable[[], T], problems: list[str] | None) -> T | None:
    try:
        return read()
    except (StudyError, RecordError) as error:
        if problems is None:
            raise RecordError(str(error)) from error
        problems.append(str(error))
        return None
