"""The phases of a study as they run: which jobs are out, what they reported, when the next phase may begin."""

import socket
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from reid_search.errors import ReidSearchError
from reid_search.records import Record, RunContext, Status, StudyStore
from reid_search.scheduling.ablation_work import AblationWork
from reid_search.scheduling.claim_log import OpenClaims, log_claims
from reid_search.scheduling.jobs import Job, folder_of
from reid_search.scheduling.path_work import PathWork
from reid_search.scheduling.progress import Best, Observer, RunSummary
from reid_search.scheduling.search_work import SearchWork
from reid_search.study import AblatePhase, Fingerprints, SearchPhase, Study

PhaseWork = SearchWork | AblationWork | PathWork


class TrialSink(Protocol):
    """Takes note of trials that changed on disk; MLflow's projection is one."""

    def sync_trial(self, key: str, seed: int, *, running: bool = False) -> None:
        """Take note of a trial; must return at once."""


class PhaseRun:
    """Hands out the jobs of one phase after another and closes them.

    Args:
        study: The study.
        store: Where it keeps everything.
        fingerprints: Fingerprints of the data sets.
        observer: Who watches.
        sink: Who takes note of trials.
    """

    def __init__(
        self, study: Study, store: StudyStore, fingerprints: Fingerprints, observer: Observer, sink: TrialSink | None
    ) -> None:
        self._study = study
        self._store = store
        self._fingerprints = fingerprints
        self._observer = observer
        self._sink = sink
        self._waiting: list[SearchPhase | AblatePhase] = list(study.config.phases)
        self._work: PhaseWork | None = None
        self._jobs: dict[str, Job] = {}
        self._stopping: dict[str, str] = {}
        self._ended: dict[tuple[str, int], Record] = {}
        self._reused = 0
        log_claims(study, store)
        self._claims = OpenClaims(study, list(study.config.claims))
        self.best: Best | None = None
        self._best_of_arms: dict[str, Best] = {}
        self._advance()

    @property
    def running(self) -> int:
        """Jobs that are out."""
        return len(self._jobs)

    def is_out(self, trial_id: str) -> bool:
        """Say whether a job was handed out under this name and is not over."""
        return trial_id in self._jobs

    @property
    def done(self) -> bool:
        """Whether every phase is over."""
        return self._work is None

    def next_job(self, trial_id: str) -> Job | None:
        """Hand out the next job under Ray's name for it; None while none can start."""
        job = self._next()
        while job is not None and self._was_to_stop(job):
            job = self._next()
        if job is not None:
            folder_of(self._store, job).remove_record()
            self._jobs[trial_id] = job
        return job

    def started(self, trial_id: str) -> None:
        """Note that a job runs."""
        job = self._jobs[trial_id]
        self._observer.trial_started(job.label)
        self._sync(job, running=True)

    def report(self, trial_id: str, row: Mapping[str, Any], *, last: bool = False) -> bool:
        """Take an epoch of a job; return whether it was stopped, in which case it is closed here."""
        job = self._jobs[trial_id]
        self._observer.trial_progress(job.label, row)
        reason = self._current.report(job, row)
        if last or reason is None:
            return False
        self._stop(job, reason, row)
        self.ended(trial_id)
        return True

    def ended(self, trial_id: str) -> None:
        """Close a job whose record is on the disk."""
        self._close(self._jobs.pop(trial_id))

    def _close(self, job: Job) -> None:
        record = folder_of(self._store, job).record()
        if record is None:
            raise ReidSearchError(f"{folder_of(self._store, job).path}: the trial ended without a record")
        self._ended[job.identity] = record
        self._current.ended(job, record)
        metric = "val/mAP" if job.evaluate == ("val",) else "test/mAP"
        self._observer.trial_ended(job.label, record.status, job.value(record, metric), record.reason)
        self._sync(job)

    def lost(self, trial_id: str, reason: str) -> None:
        """Close a job that left no record, again and again."""
        job = self._jobs[trial_id]
        self._store.asked.append("lost", phase=job.label.phase, key=job.label.key, seed=job.label.seed, reason=reason)
        epochs = folder_of(self._store, job).epochs()
        images = int(epochs[-1]["images_seen"]) if epochs else 0
        folder_of(self._store, job).write_record(self._record(job, "failed", reason, images_seen=images))
        self.ended(trial_id)

    def summary(self) -> RunSummary:
        """Return how the run ended."""
        statuses = [record.status for record in self._ended.values()]
        failed = {
            f"{key}-s{seed}": record.reason or "" for (key, seed), record in self._ended.items()
            if record.status == Status.FAILED
        }  # fmt: skip
        return RunSummary(
            finished=statuses.count(Status.FINISHED) + self._reused,
            stopped=statuses.count(Status.STOPPED),
            failed=failed,
            reused=self._reused,
            best=self.best,
            interrupted=not self.done,
        )

    def _next(self) -> Job | None:
        self._advance()
        job = self._work.next_job() if self._work else None
        if job is None:
            self._advance()
            job = self._work.next_job() if self._work and not self._jobs else None
        return job

    def _was_to_stop(self, job: Job) -> bool:
        """Tell the pruner what an interrupted job measured before, and stop it where that run would have."""
        for row in folder_of(self._store, job).epochs():
            if (reason := self._current.report(job, row)) is not None:
                self._stop(job, reason, row)
                self._close(job)
                return True
        return False

    def _stop(self, job: Job, reason: str, row: Mapping[str, Any]) -> None:
        record = self._record(job, "stopped", reason, images_seen=int(row["images_seen"]))
        folder_of(self._store, job).write_record(record)

    @property
    def _current(self) -> PhaseWork:
        if self._work is None:
            raise ReidSearchError("no phase is running")
        return self._work

    def _advance(self) -> None:
        """Close the phase that is over and open the next; a phase without anything to run closes at once."""
        while self._work is None or self._work.done:
            if self._work is not None:
                self._close_phase(self._work)
                self._work = None
            if not self._waiting:
                return
            self._work = self._open_phase(self._waiting.pop(0))

    def _open_phase(self, phase: SearchPhase | AblatePhase) -> PhaseWork:
        work: PhaseWork
        if isinstance(phase, SearchPhase):
            work = SearchWork(self._study, phase, self._store, self._fingerprints)
        elif phase.description.leads_to_best and self.best is not None:
            work = PathWork(self._study, phase, self._store, self._fingerprints, self.best)
        else:
            best = self._best_of_arms.get(phase.name, self.best)
            arms = self._study.arms(phase, best.settings if best else None, best.tuned if best else None)
            work = AblationWork(self._study, phase, self._store, self._fingerprints, arms)
            self._claims.log_decided_by(phase, work.arms, best, self._store)
        self._phase = phase
        self._observer.phase_started(phase.name, phase.kind, work.total, work.reused)
        return work

    def _close_phase(self, work: PhaseWork) -> None:
        self._reused += work.reused
        if isinstance(work, SearchWork):
            self._take_best(work.best(), self._study.config.ablation_tuned_by(self._phase))
        self._observer.phase_ended(self._phase.name)

    def _take_best(self, best: Best | None, arms: AblatePhase | None) -> None:
        """Keep a search's best: of each arm for the ablation that it tuned, and of all for what stands around it."""
        ablations = [phase for phase in self._waiting if isinstance(phase, AblatePhase)]
        in_need = [phase for phase in ablations if phase == arms or phase.needs_best]
        if best is None and in_need:
            raise ReidSearchError(
                f"the search '{self._phase.name}' ended without a finished trial, so '{in_need[0].name}' has no best "
                "to start from; the failed trials' records say why"
            )
        self.best = best
        if arms is not None and best is not None:
            self._best_of_arms[arms.name] = best
            self.best = replace(best, tuned=None)

    def _sync(self, job: Job, *, running: bool = False) -> None:
        if self._sink is not None:
            self._sink.sync_trial(*job.identity, running=running)

    def _record(self, job: Job, status: Any, reason: str, images_seen: int) -> Record:
        """Write down an end that the driver decided, from what the trial left on disk."""
        return Record(
            key=job.label.key,
            seed=job.label.seed,
            status=status,
            reason=reason,
            config=job.config.model_dump(mode="json"),
            data_fingerprint=self._fingerprints.of_trial(job.config),
            device_type="cuda" if self._study.config.resources.gpu else "cpu",
            images_seen=images_seen,
            context=RunContext(
                seconds=folder_of(self._store, job).seconds(),
                host=socket.gethostname(),
                device="",
                versions={},
                ended=datetime.now(UTC).isoformat(timespec="seconds"),
            ),
        )
