"""A study as it runs, phase after phase: which jobs are running, what they reported, when the next phase may begin."""

import contextlib
import socket
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from reid_search.errors import EnvironmentFailure, RecordError, ReidSearchError
from reid_search.records import Record, RunContext, Status, Trial, TrialFolder, TrialId, TrialLost, read_trial, value_of
from reid_search.records.record import RecordStatus
from reid_search.scheduling.ablation_work import ablation_work
from reid_search.scheduling.jobs import Job, Work
from reid_search.scheduling.observer import Best, Observer, Row, RunSummary, TrialSink
from reid_search.scheduling.open_claims import OpenClaims
from reid_search.scheduling.path_work import PathWork
from reid_search.scheduling.phase_context import PhaseContext
from reid_search.scheduling.search_work import SearchWork
from reid_search.scheduling.sequential_work import Judge, SequentialWork
from reid_search.scheduling.tries import Tries
from reid_search.scheduling.watchers import Watchers
from reid_search.study import AblatePhase, Arm, SearchPhase

_PAUSES = (1.0, 5.0, 25.0, 125.0)


class StudyRun:
    """Hands out the jobs of one phase after another and closes them.

    Args:
        pauses: Seconds before each retry of a trial that its surroundings stop before it trains another epoch; after
            the last retry, the study stops.
        judge: Looks at the claims of ablations that add seeds until these are decided.
    """

    def __init__(
        self,
        context: PhaseContext,
        observer: Observer,
        sink: TrialSink | None = None,
        pauses: Sequence[float] = _PAUSES,
        judge: Judge | None = None,
    ) -> None:
        self._context = context
        self._study = context.study
        self.store = context.store
        self._watchers = Watchers(observer, sink)
        self._tries = Tries(pauses)
        self._judge = judge
        self._waiting: list[SearchPhase | AblatePhase] = list(self._study.config.phases)
        self._work: Work | None = None
        self._jobs: dict[str, Job] = {}
        self._again: list[Job] = []
        self._ended: dict[TrialId, Trial] = {}
        self._reused: Counter[Status] = Counter()
        self._claims = OpenClaims(self._study, list(self._study.config.claims))
        self.best: Best | None = None
        self._best_of_arms: dict[str, Best] = {}
        self._advance()

    @property
    def running(self) -> int:
        """Number of jobs that are running."""
        return len(self._jobs)

    def is_out(self, trial_id: str) -> bool:
        """Say whether a job was handed out under this name and has not ended."""
        return trial_id in self._jobs

    @property
    def done(self) -> bool:
        """Whether every phase is over."""
        return self._work is None

    def folder_of(self, job: Job) -> TrialFolder:
        """Return the folder of a job's trial."""
        return self.store.trial(*job.trial)

    def next_job(self, trial_id: str) -> Job | None:
        """Hand out the next job under the backend's name for it; None while none can start."""
        if self._again:
            job = self._jobs[trial_id] = self._again.pop(0)
            return job
        while (new := self._next()) is not None and self._was_to_stop(new):
            pass
        if new is not None:
            self.folder_of(new).remove_record()
            self._jobs[trial_id] = new
        return new

    def started(self, trial_id: str) -> None:
        """Note that a job runs."""
        self._watchers.trial_started(self._jobs[trial_id])

    def report(self, trial_id: str, row: Row, *, last: bool = False) -> bool:
        """Take an epoch of a job; return whether the job was stopped, and so closed."""
        job = self._jobs[trial_id]
        self._watchers.trial_progress(job, row)
        if not self._tries.is_news(job.trial, int(row["epoch"])):
            return False
        reason = self._current.report(job, row)
        if last or reason is None:
            return False
        self._stop(job, reason, row)
        self.ended(trial_id)
        return True

    def ended(self, trial_id: str) -> None:
        """Close a job whose record is on the disk; try it again if the record is missing or unreadable.

        Raises:
            EnvironmentFailure: The last retry failed.
        """
        job = self._jobs.pop(trial_id)
        try:
            trial = read_trial(self.folder_of(job))
        except (OSError, RecordError) as error:
            self._try_again(job, str(error))
            return
        if trial.record is None:
            self._try_again(job, "it ended without a record")
        else:
            self._close(job, trial)

    def failed(self, trial_id: str, reason: str) -> None:
        """Close a job that failed by itself before it could write a record."""
        job = self._jobs[trial_id]
        seen = read_trial(self.folder_of(job)).images_seen
        self.folder_of(job).write_record(self._record(job, Status.FAILED, reason, images_seen=seen))
        self.ended(trial_id)

    def troubled(self, trial_id: str, reason: str, *, for_good: bool = False) -> None:
        """Take back a job that its surroundings stopped; it is handed out again, to begin after a pause.

        Args:
            trial_id: The job.
            reason: What stopped it.
            for_good: Whether trying again cannot help.

        Raises:
            EnvironmentFailure: The last retry failed, or there is none.
        """
        self._try_again(self._jobs.pop(trial_id), reason, for_good=for_good)

    def _try_again(self, job: Job, reason: str, *, for_good: bool = False) -> None:
        label, pause = job.label, None if for_good else self._tries.pause_after(job.trial)
        where = f"{self.folder_of(job).path} ({label.phase}, {label.name} s{label.seed})"
        if pause is None:
            with contextlib.suppress(OSError):  # the error below is raised in any case
                self._context.log.append(TrialLost(phase=label.phase, key=label.key, seed=label.seed, reason=reason))
            tried = "" if for_good else f"; tried {self._tries.most} times"
            raise EnvironmentFailure(
                f"{where}: {reason}{tried}. Everything measured so far is kept; run the study again to resume"
            )
        self._watchers.note(f"{where}: {reason}; trying again in {pause:g} s")
        self._again.append(replace(job, pause=pause))

    def _close(self, job: Job, trial: Trial) -> None:
        self._ended[trial.id] = trial
        self._current.ended(job, trial)
        self._watchers.trial_ended(job, trial, value_of(job.ask, {trial.id: trial}, job.metric))

    def summary(self) -> RunSummary:
        """Return how the run ended."""
        counts = Counter(trial.status for trial in self._ended.values())
        return RunSummary(
            finished=counts[Status.FINISHED] + self._reused[Status.FINISHED],
            stopped=counts[Status.STOPPED] + self._reused[Status.STOPPED],
            failed={trial.id: trial.reason or "" for trial in self._ended.values() if trial.status == Status.FAILED},
            reused=self._reused.total(),
            best=self.best,
            interrupted=not self.done,
            warnings=tuple(self._watchers.problems),
        )

    def _next(self) -> Job | None:
        while True:
            self._advance()
            job = self._work.next_job() if self._work else None
            if job is not None or self._jobs or self._work is None:
                return job
            if not self._work.done:
                raise ReidSearchError(f"the phase '{self._phase.name}' has no job to hand out and waits for none")

    def _was_to_stop(self, job: Job) -> bool:
        """Tell the pruner what an interrupted job measured before, and stop it where the pruner would have."""
        for row in self.folder_of(job).epochs():
            self._tries.is_news(job.trial, int(row["epoch"]))
            if (reason := self._current.report(job, row)) is not None:
                self._stop(job, reason, row)
                self._close(job, read_trial(self.folder_of(job)))
                return True
        return False

    def _stop(self, job: Job, reason: str, row: Row) -> None:
        record = self._record(job, Status.STOPPED, reason, images_seen=int(row["images_seen"]))
        self.folder_of(job).write_record(record)

    @property
    def _current(self) -> Work:
        if self._work is None:
            raise ReidSearchError("no phase is running")
        return self._work

    def _advance(self) -> None:
        """Close the phase that is over and open the next; a phase with nothing to run closes at once."""
        while self._work is None or self._work.done:
            if self._work is not None:
                self._close_phase(self._work)
                self._work = None
            if not self._waiting:
                return
            self._work = self._open_phase(self._waiting.pop(0))

    def _open_phase(self, phase: SearchPhase | AblatePhase) -> Work:
        work: Work
        if isinstance(phase, SearchPhase):
            work = SearchWork(self._context, phase)
        elif phase.description.leads_to_best and self.best is not None:
            work = PathWork(self._context, phase, self.best)
        else:
            best = self._best_of_arms.get(phase.name, self.best)
            arms = self._study.arms(phase, best.settings if best else None, best.tuned if best else None)
            work = self._ablation(phase, arms)
            self._claims.decided_by(phase, arms, best, self._context.log)
        self._phase = phase
        self._watchers.phase_started(phase.name, phase.kind, work.total, work.reused.total())
        return work

    def _ablation(self, phase: AblatePhase, arms: list[Arm]) -> Work:
        if not phase.seeds.is_open:
            return ablation_work(self._context, phase, arms)
        if self._judge is None:
            raise ReidSearchError(f"the phase '{phase.name}' adds seeds until claims are decided; nobody judges them")
        return SequentialWork(self._context, phase, arms, self._judge, self._watchers.note)

    def _close_phase(self, work: Work) -> None:
        self._reused += work.reused
        if isinstance(work, SearchWork):
            if work.remark is not None:
                self._watchers.note(work.remark)
            self._take_best(work.best(), self._study.config.ablation_tuned_by(self._phase), work.refusal)
        self._watchers.phase_ended(self._phase.name)

    def _take_best(self, best: Best | None, arms: AblatePhase | None, refusal: str) -> None:
        """Keep a search's best: of each arm for the ablation that it tuned, and of all for the phases around it."""
        refused = refusal and (
            f"the search '{self._phase.name}' has no best, since its finalists are of different code and not compared: "
            f"{refusal}. `run --remeasure` measures again what is of other code; `plan` says what that costs"
        )
        ablations = [phase for phase in self._waiting if isinstance(phase, AblatePhase)]
        in_need = [phase for phase in ablations if phase == arms or phase.needs_best]
        if refused and in_need:
            raise ReidSearchError(f"{refused}. '{in_need[0].name}' needs a best to start from")
        if refused:
            self._watchers.note(refused)
        if best is None and in_need:
            raise ReidSearchError(
                f"the search '{self._phase.name}' ended without a finished trial, so '{in_need[0].name}' has no best "
                "to start from; the failed trials' records say why"
            )
        self.best = best
        if arms is not None and best is not None:
            self._best_of_arms[arms.name] = best
            self.best = replace(best, tuned=None)

    def _record(self, job: Job, status: RecordStatus, reason: str, images_seen: int) -> Record:
        """Return the record of a trial that the driver ended, from what the trial left on disk."""
        return Record(
            key=job.ask.key,
            seed=job.ask.seed,
            status=status,
            reason=reason,
            config=job.config.model_dump(mode="json"),
            data_fingerprint=self._context.fingerprints.of_trial(job.config),
            device_type="cuda" if self._study.config.resources.gpu else "cpu",
            images_seen=images_seen,
            code=self.folder_of(job).code(),
            context=RunContext(
                seconds=self.folder_of(job).seconds(),
                host=socket.gethostname(),
                device="",
                versions={},
                ended=datetime.now(UTC).isoformat(timespec="seconds"),
            ),
        )
