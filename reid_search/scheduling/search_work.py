"""The jobs of a search: proposals that an earlier run left open first, then new ones."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from reid_search.errors import StudyError
from reid_search.records import Record, Status, StudyStore, TrialFolder
from reid_search.scheduling.jobs import Job
from reid_search.scheduling.progress import Best, TrialLabel
from reid_search.scheduling.proposals import params_of, proposer_of
from reid_search.study import Fingerprints, SearchPhase, Settings, Study, Tuned, trial_key
from reid_search.study.question.space import Labels, labels_of


class SearchWork:
    """Hands out the trials of a search and learns from their records.

    Args:
        study: The study.
        phase: The search.
        store: Where the study keeps everything.
        fingerprints: Fingerprints of the data sets.
    """

    def __init__(self, study: Study, phase: SearchPhase, store: StudyStore, fingerprints: Fingerprints) -> None:
        self._study = study
        self._phase = phase
        self._store = store
        self._space = study.space(phase)
        self._space_hash = study.space_hash(phase)
        self._fingerprints = fingerprints
        self._held = study.held_axes(phase)
        shares = study.shares(phase)
        self._share_names = {labels_of(self._held, share.held): share.name for share in shares}
        self._proposer = proposer_of(phase, [share.space for share in shares], study.config.seed)
        self._settings: dict[int, Settings] = {}
        self._values: dict[int, tuple[float, Job]] = {}
        self._over: set[int] = set()
        self._open: list[Job] = []
        self._running: dict[tuple[str, int], list[Job]] = defaultdict(list)
        self._asked = 0
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
        while self._open or self._asked < self.total:
            job = self._open.pop(0) if self._open else self._ask()
            record = self._store.trial(*job.identity).record()
            if record is not None and self._is_known(job, record):
                self.reused += 1
                self._learn_all(job, record)
            elif job.identity in self._running:
                self._running[job.identity].append(job)
            else:
                self._running[job.identity].append(job)
                return job
        return None

    def report(self, job: Job, row: Mapping[str, Any]) -> str | None:
        """Report an epoch; return why the pruner stops the trial, if it does."""
        if not self._report(job, row):
            return None
        number = self._number(job)
        self._store.asked.append(
            "stop", phase=self._phase.name, number=number, key=job.label.key, seed=job.label.seed, epoch=row["epoch"]
        )
        return f"stopped after epoch {row['epoch']} by {self._phase.pruner.kind}"

    def ended(self, job: Job, record: Record) -> None:
        """Tell Optuna how a trial did, under every proposal that asked for it."""
        for waiting in self._running.pop(job.identity, [job]):
            self._learn(waiting, record)
        self._forget_weights(job)

    def best(self) -> Best | None:
        """Return the best finished trial; the earliest of equals."""
        if not self._values:
            return None
        number = self._best_of(self._values)
        value, job = self._values[number]
        return Best(
            phase=self._phase.name,
            number=number,
            settings=self._settings[number],
            value=value,
            objective=self._phase.objective,
            key=job.label.key,
            seed=job.label.seed,
            tuned=self._tuned(),
        )

    def _tuned(self) -> Tuned | None:
        """Return the best of each share, where each was tuned for itself; one without a finished trial is left out."""
        if not self._held:
            return None
        by_share: dict[Labels, list[int]] = defaultdict(list)
        for number in self._values:
            by_share[labels_of(self._held, self._settings[number])].append(number)
        best = {labels: self._settings[self._best_of(numbers)] for labels, numbers in by_share.items()}
        return Tuned(
            self._held,
            {
                labels: {path: level for path, level in settings.items() if path not in self._held}
                for labels, settings in best.items()
            },
            self._space.axes,
        )

    def _best_of(self, numbers: Iterable[int]) -> int:
        return min(numbers, key=lambda item: (-self._values[item][0], item))

    def _replay(self) -> None:
        asks = [
            line for line in self._store.asked
            if line["event"] == "ask" and line.get("phase") == self._phase.name and line["space"] == self._space_hash
        ]  # fmt: skip
        for line in sorted(asks, key=lambda item: int(item["number"])):
            number = int(line["number"])
            if number != self._asked or number >= self.total:
                continue
            settings, _ = self._proposer.again(number, params_of(line))
            job = self._job(number, settings)
            self._asked += 1
            record = self._store.trial(*job.identity).record()
            if record is not None and self._is_known(job, record):
                self.reused += 1
                self._learn_all(job, record)
            else:
                self._open.append(job)

    def _ask(self) -> Job:
        number = self._asked
        settings, params = self._proposer.ask(number)
        job = self._job(number, settings)
        self._asked += 1
        self._store.asked.append(
            "ask",
            phase=self._phase.name,
            kind="search",
            number=number,
            settings=dict(job.label.settings),
            params=params,
            key=job.label.key,
            seed=job.label.seed,
            evaluate="val",
            readouts=dict(job.readouts),
            by=self._phase.sampler,
            space=self._space_hash,
            **self._tuned_arm(settings),
        )
        return job

    def _tuned_arm(self, settings: Settings) -> dict[str, str]:
        """Return the log's entry for the arm that a proposal is for, where the search tunes each arm."""
        if self._study.config.ablation_tuned_by(self._phase) is None:
            return {}
        return {"arm": self._share_names[labels_of(self._held, settings)]}

    def _job(self, number: int, settings: Settings) -> Job:
        self._settings[number] = settings
        config = self._space.config(settings)
        label = TrialLabel(
            phase=self._phase.name,
            name=f"#{number}",
            seed=self._study.search_seed,
            key=trial_key(config, self._fingerprints.of_trial(config)),
            epochs=config.training.epochs,
            settings={path: level.label for path, level in settings.items()},
        )
        measured = self._study.measured(config)
        keep = self._study.config.keep != "none"
        return Job(label, measured.config, evaluate=("val",), keep=keep, readouts=measured.stored, number=number)

    def _is_known(self, job: Job, record: Record) -> bool:
        return record.status == Status.STOPPED or job.is_measured(record, self._phase.objective)

    def _report(self, job: Job, row: Mapping[str, Any]) -> bool:
        """Tell the pruner of an epoch; return whether it would stop the trial. The last epoch is past stopping."""
        metric = job.config.epoch_metric(job.readout, self._phase.objective)
        if metric not in row or row["epoch"] >= job.label.epochs:
            return False
        return self._proposer.report(self._number(job), int(row["epoch"]), float(row[metric]))

    def _learn_all(self, job: Job, record: Record) -> None:
        """Learn from a record of an earlier run: its epochs first, which carry the pruner's rungs."""
        for row in self._store.trial(*job.identity).epochs():
            self._report(job, row)
        self._learn(job, record)

    def _learn(self, job: Job, record: Record) -> None:
        number = self._number(job)
        value = job.value(record, self._phase.objective)
        if value is not None:
            self._proposer.tell_finished(number, value)
            self._values[number] = (value, job)
        elif record.status == Status.STOPPED:
            self._proposer.tell_stopped(number)
        else:
            self._proposer.tell_failed(number)
        self._over.add(number)

    def _forget_weights(self, ended: Job) -> None:
        """Under `keep: best`, keep the weights of the best trial so far only."""
        if self._study.config.keep != "best":
            return
        best = self.best()
        kept = (best.key, best.seed) if best else None
        for job in (ended, *(job for _, job in self._values.values())):
            if job.identity != kept:
                _remove_weights(self._store.trial(*job.identity))

    def _number(self, job: Job) -> int:
        if job.number is None:
            raise StudyError(f"{job.label.name} is no proposal of the search '{self._phase.name}'")
        return job.number


def _remove_weights(folder: TrialFolder) -> None:
    import shutil

    shutil.rmtree(folder.checkpoints, ignore_errors=True)
