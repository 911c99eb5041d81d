"""A study: a question with the plan that answers it."""

from reid_search.study.question.plan import Fingerprints, Plan, make_plan
from reid_search.study.question.question import Question
from reid_search.study.question.space import Settings


class Study(Question):
    """A validated study, which knows what it will run."""

    def plan(self, best: Settings | None = None, fingerprints: Fingerprints | None = None) -> Plan:
        """Return every arm and trial that the study asks for, before anything runs.

        Args:
            best: The search's best settings, if known.
            fingerprints: Fingerprints of the data sets; if omitted, of those that are given.
        """
        return make_plan(self, best, fingerprints)
