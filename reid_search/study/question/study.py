"""A study: a question, and the plan of how it is answered."""

from reid_search.study.question.plan import Fingerprints, Plan, make_plan
from reid_search.study.question.question import Question
from reid_search.study.question.space import Settings


class Study(Question):
    """A validated study, able to say what it will run."""

    def plan(self, best: Settings | None = None, fingerprints: Fingerprints | None = None) -> Plan:
        """Return every arm and trial that the study asks for, before anything runs.

        Args:
            best: The search's best settings where they are known.
            fingerprints: Fingerprints of the data sets; where omitted, of those that are given.
        """
        return make_plan(self, best, fingerprints)
