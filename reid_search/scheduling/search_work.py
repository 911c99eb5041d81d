"""The jobs of a search: proposals that an earlier run left open first, then new ones."""

from collections import defaultdict
from collections.abc import Collection

from reid_search.errors import StudyError
from reid_search.records import (
    LogWriter,
    Proposal,
    Status,
    StudyStore,
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
from reid_search.scheduling.proposals import Params, proposer_of
from reid_search.study import Fingerprints, SearchPhase, Settings, Study, Tuned, trial_key
from reid_search.study.question.space import Labels, labels_of


class SearchWork:
    """Hands out the trials of a search and learns from their records."""

    def __init__(
        self, study: Study, phase: SearchPhase, store: StudyStore, log: LogWriter, fingerprints: Fingerprints
    ) -> None:
        self._study = study
        self._phase = phase
        self._store = store
        self._log = log
        self._space = study.space(phase)
        self._space_hash = study.space_hash(phase)
        self._fingerprints = fingerprints
        self._held = study.held_axes(phase)
        shares = study.shares(phase)
        self._share_names = {labels_of(self._held, share.held): share.name for share in shares}
        self._proposer = proposer_of(phase, [share.space for share in shares], study.config.seed, study.name)
        self._settings: list[Settings] = []
        self._over: dict[int, Proposal] = {}
        self._trials: dict[TrialId, Trial] = {}
        self._open: list[Job] = []
        self._running: dict[TrialId, list[Job]] = defaultdict(list)
        self.reused = 0
        self._replay()

    @property
    def total(self) -> int:
        """Number of proposals."""
        return self._proposer.count

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
        self._log.append(
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
        """Return the best of each share, where each was tuned for itself; one without a finished trial is left out."""
        if not self._held:
            return None
        by_share: dict[Labels, list[Proposal]] = defaultdict(list)
        for proposal in self._over.values():
            by_share[labels_of(self._held, self._settings[proposal.number])].append(proposal)
        found = {labels: self._best_of(proposals) for labels, proposals in by_share.items()}
        settings = {labels: self._settings[best.number] for labels, best in found.items() if best}
        return Tuned(
            self._held,
            {
                labels: {path: level for path, level in own.items() if path not in self._held}
                for labels, own in settings.items()
            },
            self._space.axes,
        )

    def _replay(self) -> None:
        for asked in self._store.log.history().proposals(self._phase.name, self._space_hash):
            settings, params = self._proposer.again(asked.number, dict(asked.params))
            job = self._job(asked.number, settings, params)
            if not self._is_known(job):
                self._open.append(job)

    def _ask(self) -> Job:
        number = len(self._settings)
        job = self._job(number, *self._proposer.ask(number))
        self._log.append(job.ask)
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
            key=trial_key(config, self._fingerprints.of_trial(config)),
            seed=self._study.search_seed,
            evaluate="val",
            readouts=dict(measured.stored),
            by=self._phase.sampler.kind,
            space=self._space_hash,
            arm=self._share_names[labels_of(self._held, settings)] if tunes_arms else None,
        )
        return Job(proposal, measured.config, self._phase.objective, self._study.config.keep != "none")

    def _is_known(self, job: Job) -> bool:
        """Learn from the record of an earlier run, where there is one; epochs first, which carry the pruner's rungs."""
        trial = read_trial(self._store.trial(*job.trial))
        if trial.status != Status.STOPPED and not job.is_measured(trial):
            return False
        self.reused += 1
        for row in self._store.trial(*job.trial).epochs():
            self._report(job, row)
        self._learn(job, trial)
        return True

    def _report(self, job: Job, row: Row) -> bool:
        """Tell the pruner of an epoch; return whether it would stop the trial. The last epoch is past stopping."""
        metric = epoch_column(list(job.config.readouts), job.readout, self._phase.objective)
        if metric not in row or row["epoch"] >= job.config.training.epochs:
            return False
        return self._proposer.report(_proposal(job).number, int(row["epoch"]), float(row[metric]))

    def _learn(self, job: Job, trial: Trial) -> None:
        proposal = _proposal(job)
        self._over[proposal.number] = proposal
        self._trials[trial.id] = trial
        value = value_of(proposal, self._trials, self._phase.objective)
        if value is not None:
            self._proposer.tell_finished(proposal.number, value)
        elif trial.status == Status.STOPPED:
            self._proposer.tell_stopped(proposal.number)
        else:
            self._proposer.tell_failed(proposal.number)

    def _forget_weights(self, ended: Trial) -> None:
        """Under `keep: best`, keep the weights of the best trial so far only."""
        if self._study.config.keep != "best":
            return
        best = self._best_of(self._over.values())
        finished = (trial for trial in self._trials.values() if trial.status == Status.FINISHED)
        for trial in (ended, *finished):
            if best is None or trial.id != best.trial:
                self._store.trial(*trial.id).remove_weights()


def _proposal(job: Job) -> Proposal:
    if not isinstance(job.ask, Proposal):
        raise StudyError(f"{job.ask.label} is no proposal of the search '{job.ask.phase}'")
    return job.ask
