"""The jobs of a search: proposals that an earlier run left open first, then new ones."""

from collections import Counter, defaultdict
from collections.abc import Collection

from reid_search.errors import StudyError
from reid_search.records import (
    Proposal,
    Status,
    Trial,
    TrialId,
    TrialStopped,
    best_of,
    epoch_column,
    read_trial,
    value_of,
)
from reid_search.scheduling.jobs import Job
from reid_search.scheduling.observer import Best, Row
from reid_search.scheduling.phase_context import PhaseContext
from reid_search.scheduling.proposals import Params, turns
from reid_search.study import SearchPhase, Settings, Tuned
from reid_search.study.question.space import Labels, labels_of


class SearchWork:
    """Hands out the trials of a search and learns from their records."""

    def __init__(self, context: PhaseContext, phase: SearchPhase) -> None:
        study = self._study = context.study
        self._context = context
        self._phase = phase
        self._space = study.space(phase)
        self._space_hash = study.space_hash(phase)
        self._held = study.held_axes(phase)
        shares = study.shares(phase)
        self._share_names = {labels_of(self._held, share.held): share.name for share in shares}
        self._turns = turns(phase, [share.space for share in shares], study.config.seed, study.name)
        self.total = len(self._turns)
        self._settings: list[Settings] = []
        self._over: dict[int, Proposal] = {}
        self._trials: dict[TrialId, Trial] = {}
        self._open: list[Job] = []
        self._running: dict[TrialId, list[Job]] = defaultdict(list)
        self.reused: Counter[Status] = Counter()
        self._replay()

    @property
    def done(self) -> bool:
        """Whether every proposal is over."""
        return len(self._over) >= self.total

    def next_job(self) -> Job | None:
        """Return the next proposal whose training is not measured yet."""
        while self._open or len(self._settings) < self.total:
            job = self._open.pop(0) if self._open else self._ask()
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
        self._forget_weights(trial)

    def best(self) -> Best | None:
        """Return the best finished trial; the earliest of equals."""
        best = self._best_of(self._over.values())
        value = value_of(best, self._trials, self._phase.objective) if best else None
        if best is None or value is None:
            return None
        settings = self._settings[best.number]
        return Best(self._phase.name, best.number, settings, value, self._phase.objective, self._tuned())

    def _best_of(self, proposals: Collection[Proposal]) -> Proposal | None:
        return best_of(proposals, self._trials, self._phase.objective)

    def _tuned(self) -> Tuned | None:
        """Return the best of each share that has a finished trial; None if the search has one share only."""
        if not self._held:
            return None
        by_share: dict[Labels, list[Proposal]] = defaultdict(list)
        for proposal in self._over.values():
            by_share[labels_of(self._held, self._settings[proposal.number])].append(proposal)
        found = {labels: self._best_of(proposals) for labels, proposals in by_share.items()}
        tuned = {
            labels: {path: level for path, level in self._settings[best.number].items() if path not in self._held}
            for labels, best in found.items()
            if best
        }
        return Tuned(self._held, tuned, self._space.axes)

    def _replay(self) -> None:
        for asked in self._context.store.log.history().proposals(self._phase.name, self._space_hash):
            proposer, own = self._turns[asked.number]
            job = self._job(asked.number, *proposer.again(own, dict(asked.params)))
            if not self._is_known(job):
                self._open.append(job)

    def _ask(self) -> Job:
        number = len(self._settings)
        proposer, own = self._turns[number]
        job = self._job(number, *proposer.ask(own))
        self._context.log.append(job.ask)
        return job

    def _job(self, number: int, settings: Settings, params: Params) -> Job:
        self._settings.append(settings)
        config = self._space.config(settings)
        measured = self._study.measured(config)
        tunes_arms = self._study.config.ablation_tuned_by(self._phase) is not None
        proposal = Proposal(
            phase=self._phase.name,
            number=number,
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
        data, kept = self._context.fingerprints.of_trial(config), self._study.config.keep != "none"
        return Job(proposal, measured.config, self._phase.objective, kept, data)

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
        self._over[proposal.number] = proposal
        self._trials[trial.id] = trial
        proposer, own = self._turns[proposal.number]
        value = value_of(proposal, self._trials, self._phase.objective)
        proposer.tell(own, value, stopped=trial.status == Status.STOPPED)

    def _forget_weights(self, ended: Trial) -> None:
        """Under `keep: best`, keep only the weights of the best trial so far."""
        if self._study.config.keep != "best":
            return
        best = self._best_of(self._over.values())
        finished = (trial for trial in self._trials.values() if trial.status == Status.FINISHED)
        for trial in (ended, *finished):
            if best is None or trial.id != best.trial:
                self._context.store.trial(*trial.id).remove_weights()


def _proposal(job: Job) -> Proposal:
    if not isinstance(job.ask, Proposal):
        raise StudyError(f"{job.ask.label} is not a proposal of the search '{job.ask.phase}'")
    return job.ask
