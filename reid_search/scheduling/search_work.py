"""The jobs of a search: its proposals, then its finalists, which are the best of them on fresh seeds."""

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from statistics import fmean

from reid_search.records import (
    FinalistAsked,
    Proposal,
    Status,
    Trial,
    TrialId,
    best_of,
    candidates,
    fresh_values,
    read_trial,
    unlike_finalists,
    value_of,
)
from reid_search.scheduling.jobs import Job
from reid_search.scheduling.observer import Best, Row
from reid_search.scheduling.phase_context import PhaseContext
from reid_search.scheduling.proposal_work import ProposalWork
from reid_search.scheduling.training_queue import TrainingQueue
from reid_search.study import SearchPhase, Tuned


class SearchWork:
    """Hands out the proposals of a search; after the last, trains the best of them again and says which is best."""

    def __init__(self, context: PhaseContext, phase: SearchPhase) -> None:
        self._context = context
        self._phase = phase
        self._proposals = ProposalWork(context, phase)
        self._finalists: list[FinalistAsked] = []
        self._finals: TrainingQueue | None = None  # None until the last proposal is over
        self._again: dict[TrialId, Trial] = {}
        self._go_on()

    @property
    def total(self) -> int:
        """Number of proposals and of finalists' trainings; the most there can be before they are known."""
        shares = self._proposals.wanted // self._phase.trials
        most = self._phase.finalists * self._phase.seeds * shares
        return self._proposals.total + (most if self._finals is None else self._finals.total)

    @property
    def reused(self) -> Counter[Status]:
        """Number of trials so far that were measured before, by how they ended."""
        return self._proposals.reused + (Counter() if self._finals is None else self._finals.reused)

    @property
    def done(self) -> bool:
        """Whether every proposal is over, and every finalist trained again."""
        return self._finals is not None and self._finals.done

    @property
    def remark(self) -> str | None:
        """What to know of a search that is over: that it ended early, since nothing was left to propose."""
        made, wanted = self._proposals.total, self._proposals.wanted
        if made >= wanted:
            return None
        return f"{self._phase.name}: ended after {made} of {wanted} trials, since no other settings are left to try"

    @property
    def refusal(self) -> str:
        """Why it has no best though every finalist is over: they are of different code; empty if they are not."""
        return unlike_finalists(self._proposals.over.values(), self._all_trials, self._finalists)

    def next_job(self) -> Job | None:
        """Return the next training; None also while the last proposals are running."""
        if self._finals is None and (job := self._proposals.next_job()) is not None:
            return job
        self._go_on()
        return None if self._finals is None else self._finals.next_job()

    def report(self, job: Job, row: Row) -> str | None:
        """Report an epoch; return why the pruner stops the trial, if it does; it stops no finalist."""
        return self._proposals.report(job, row) if self._finals is None else self._finals.report(job, row)

    def ended(self, job: Job, trial: Trial) -> None:
        """Learn how a trial did."""
        if self._finals is None:
            self._proposals.ended(job, trial)
        else:
            self._again[trial.id] = trial
            self._finals.ended(job, trial)
        self._forget_weights(trial)

    def best(self) -> Best | None:
        """Return the best proposal, by its fresh seeds if it has any; the earliest of equals."""
        best, objective = self._best_of(self._proposals.over.values()), self._phase.objective
        value = value_of(best, self._proposals.trials, objective) if best else None
        if best is None or value is None:
            return None
        fresh = fresh_values(best.number, self._finalists, self._again, objective)
        return Best(
            phase=self._phase.name,
            number=best.number,
            settings=self._proposals.settings(best.number),
            value=fmean(fresh) if fresh else value,
            objective=objective,
            seeds=len(fresh),
            tuned=self._tuned(),
        )

    @property
    def _all_trials(self) -> dict[TrialId, Trial]:
        return self._proposals.trials | self._again

    def _best_of(self, proposals: Collection[Proposal]) -> Proposal | None:
        return best_of(proposals, self._all_trials, self._phase.objective, self._finalists)

    def _tuned(self) -> Tuned | None:
        """Return the best of each share that has a finished trial; None if the search has one share only."""
        study = self._context.study
        held = study.held_axes(self._phase)
        if not held:
            return None
        found = {labels: self._best_of(proposals) for labels, proposals in self._proposals.by_share().items()}
        settings = {labels: self._proposals.settings(best.number) for labels, best in found.items() if best}
        tuned = {
            labels: {path: level for path, level in levels.items() if path not in held}
            for labels, levels in settings.items()
        }
        return Tuned(held, tuned, study.space(self._phase).axes)

    def _go_on(self) -> None:
        """After the last proposal, write down which finalists are asked for, and queue what is not measured."""
        if self._finals is not None or not self._proposals.done:
            return
        seeds, store = self._context.study.fresh_seeds(self._phase), self._context.store
        asks = [_again(proposal, seed) for seed in seeds for proposal in self._top()]
        kept = self._context.study.config.keep == "all"
        jobs = [replace(self._proposals.jobs[ask.number], ask=ask, keep=kept) for ask in asks]
        self._context.log.append(*asks)
        self._finalists = asks
        self._again = {job.trial: read_trial(store.trial(*job.trial)) for job in jobs}
        self._finals = TrainingQueue(store, jobs)

    def _top(self) -> list[Proposal]:
        """Return the best candidates of each share."""
        trials, phase = self._proposals.trials, self._phase
        shares = self._proposals.by_share().values()
        return [one for share in shares for one in candidates(share, trials, phase.objective, phase.finalists)]

    def _forget_weights(self, ended: Trial) -> None:
        """Under `keep: best`, keep only the weights of the best proposal so far, or of those that may become it."""
        if self._context.study.config.keep != "best":
            return
        if self._phase.finalists and (not self.done or self.refusal):
            kept = {proposal.trial for proposal in self._top()}
        else:
            best = self._best_of(self._proposals.over.values())
            kept = {best.trial} if best else set()
        finished = (trial for trial in self._proposals.trials.values() if trial.status == Status.FINISHED)
        for trial in (ended, *finished):
            if trial.id not in kept:
                self._context.store.trial(*trial.id).remove_weights()


def _again(proposal: Proposal, seed: int) -> FinalistAsked:
    """Return what is asked of a finalist: its proposal's training on a fresh seed, tested in the same way."""
    return FinalistAsked(
        phase=proposal.phase,
        number=proposal.number,
        space=proposal.space,
        settings=proposal.settings,
        key=proposal.key,
        seed=seed,
        evaluate=proposal.evaluate,
        readouts=proposal.readouts,
        by="finalists",
    )
