"""The proposals of a search: those that an earlier run left open first, then new ones."""

from collections import Counter, defaultdict
from functools import partial

from reid_search.errors import StudyError
from reid_search.records import Proposal, Status, Trial, TrialId, TrialStopped, epoch_column, read_trial, value_of
from reid_search.scheduling.jobs import Job
from reid_search.scheduling.observer import Row
from reid_search.scheduling.phase_context import PhaseContext
from reid_search.scheduling.proposals import Params, Proposer, proposers
from reid_search.study import SearchPhase, Settings
from reid_search.study.question.space import Labels, labels_of

_Measured = tuple[str, tuple[tuple[str, str], ...]]


class ProposalWork:
    """Hands out the proposals of a search and learns from their records.

    Each share of a search is proposed for in turns, so that an interrupted search is balanced.

    Attributes:
        jobs: The job of each proposal, by number.
        over: The proposals that are over, by number.
        trials: Their trials.
    """

    def __init__(self, context: PhaseContext, phase: SearchPhase) -> None:
        study = self._study = context.study
        self._context = context
        self._phase = phase
        self._space = study.space(phase)
        self._space_hash = study.space_hash(phase)
        self._held = study.held_axes(phase)
        shares = study.shares(phase)
        labels = [labels_of(self._held, share.held) for share in shares]
        self._share_names = dict(zip(labels, [share.name for share in shares], strict=True))
        self._proposers = proposers(phase, [share.space for share in shares], study.config.seed, study.name)
        self._by_labels = dict(zip(labels, self._proposers, strict=True))
        self._turns: list[tuple[Proposer, int]] = []  # who made each proposal, and its number there
        self._settings: list[Settings] = []
        self._known: dict[Proposer, set[_Measured]] = {proposer: set() for proposer in self._proposers}
        self._open: list[Job] = []
        self._running: dict[TrialId, list[Job]] = defaultdict(list)
        self.jobs: list[Job] = []
        self.over: dict[int, Proposal] = {}
        self.trials: dict[TrialId, Trial] = {}
        self.reused: Counter[Status] = Counter()
        self._replay()

    @property
    def total(self) -> int:
        """Number of proposals; the most there can be while it is not known how many settings differ."""
        return sum(proposer.total for proposer in self._proposers)

    @property
    def wanted(self) -> int:
        """Number of proposals that the study asks for, whether or not there are so many settings."""
        return self._phase.trials * len(self._proposers)

    @property
    def done(self) -> bool:
        """Whether every proposal is over."""
        return len(self.over) >= self.total

    def next_job(self) -> Job | None:
        """Return the next proposal whose training is not measured yet."""
        while (job := self._open.pop(0) if self._open else self._ask()) is not None:
            if self._is_known(job):
                continue
            self._running[job.trial].append(job)
            if len(self._running[job.trial]) == 1:
                return job
        return None

    def report(self, job: Job, row: Row) -> str | None:
        """Report an epoch; return why the pruner stops the trial, if it does."""
        if not self._report(job, row):
            return None
        number, epoch = _proposal(job).number, int(row["epoch"])
        self._context.log.append(
            TrialStopped(phase=self._phase.name, number=number, key=job.ask.key, seed=job.ask.seed, epoch=epoch)
        )
        return f"stopped after epoch {epoch} by {self._phase.pruner.kind}"

    def ended(self, job: Job, trial: Trial) -> None:
        """Tell Optuna how a trial did, under every proposal that asked for it."""
        for waiting in self._running.pop(job.trial, [job]):
            self._learn(waiting, trial)

    def settings(self, number: int) -> Settings:
        """Return the settings of a proposal."""
        return self._settings[number]

    def by_share(self) -> dict[Labels, list[Proposal]]:
        """Return the proposals that are over by the levels of the held axes, each share's by number."""
        found: dict[Labels, list[Proposal]] = defaultdict(list)
        for number, proposal in sorted(self.over.items()):
            found[labels_of(self._held, self._settings[number])].append(proposal)
        return found

    def _replay(self) -> None:
        for asked in self._context.store.log.history().proposals(self._phase.name, self._space_hash):
            proposer = self._by_labels[tuple(asked.settings.get(path) for path in self._held)]
            job = self._job(proposer, *proposer.again(proposer.made, dict(asked.params)))
            if not self._is_known(job):
                self._open.append(job)

    def _ask(self) -> Job | None:
        """Return a new proposal for the share that has the fewest; None if every share has all it can have."""
        while waiting := [proposer for proposer in self._proposers if proposer.made < proposer.total]:
            proposer = min(waiting, key=lambda one: one.made)
            found = proposer.ask(proposer.made, partial(self._is_repeat, proposer))
            if found is not None:
                job = self._job(proposer, *found)
                self._context.log.append(job.ask)
                return job
        return None

    def _is_repeat(self, proposer: Proposer, settings: Settings) -> bool:
        """Say whether a share has a proposal of the same training that is tested in the same way."""
        config = self._space.config(settings)
        measured = self._context.key(config), tuple(self._study.measured(config).stored.items())
        return measured in self._known[proposer]

    def _job(self, proposer: Proposer, settings: Settings, params: Params) -> Job:
        config = self._space.config(settings)
        measured = self._study.measured(config)
        tunes_arms = self._study.config.ablation_tuned_by(self._phase) is not None
        proposal = Proposal(
            phase=self._phase.name,
            number=len(self._settings),
            settings={path: level.label for path, level in settings.items()},
            params=params,
            key=self._context.key(config),
            seed=self._study.search_seed,
            evaluate="val",
            readouts=dict(measured.stored),
            by=self._phase.sampler.kind,
            space=self._space_hash,
            arm=self._share_names[labels_of(self._held, settings)] if tunes_arms else None,
        )
        self._settings.append(settings)
        self._turns.append((proposer, proposer.made - 1))
        self._known[proposer].add((proposal.key, tuple(measured.stored.items())))
        data, kept = self._context.fingerprints.of_trial(config), self._study.config.keep != "none"
        self.jobs.append(Job(proposal, measured.config, self._phase.objective, kept, data))
        return self.jobs[-1]

    def _is_known(self, job: Job) -> bool:
        """Learn from the record of an earlier run if there is one, after its epochs, which the pruner needs."""
        folder = self._context.store.trial(*job.trial)
        trial = read_trial(folder)
        if trial.status != Status.STOPPED and not job.is_measured(trial):
            return False
        self.reused[trial.status] += 1
        for row in folder.epochs():
            self._report(job, row)
        self._learn(job, trial)
        return True

    def _report(self, job: Job, row: Row) -> bool:
        """Tell the pruner of an epoch; return whether it would stop the trial, which the last epoch no longer can."""
        metric = epoch_column(list(job.config.readouts), job.readout, self._phase.objective)
        if metric not in row or row["epoch"] >= job.config.training.epochs:
            return False
        proposer, own = self._turns[_proposal(job).number]
        return proposer.report(own, int(row["epoch"]), float(row[metric]))

    def _learn(self, job: Job, trial: Trial) -> None:
        proposal = _proposal(job)
        self.over[proposal.number] = proposal
        self.trials[trial.id] = trial
        proposer, own = self._turns[proposal.number]
        value = value_of(proposal, self.trials, self._phase.objective)
        proposer.tell(own, value, stopped=trial.status == Status.STOPPED)


def _proposal(job: Job) -> Proposal:
    if not isinstance(job.ask, Proposal):
        raise StudyError(f"{job.ask.label} is not a proposal of the search '{job.ask.phase}'")
    return job.ask
