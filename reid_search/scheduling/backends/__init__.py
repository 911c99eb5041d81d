"""Where the trials of a study run: on Ray, or one after another in this process."""

import contextlib
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from reid_search.scheduling.study_run import StudyRun
from reid_search.study import Resources

WITHOUT_RAY = "none"


class Backend(Protocol):
    """Runs the jobs of a study somewhere."""

    at_once: int

    def run(self, run: StudyRun) -> None:
        """Run a study's jobs to the end, or until Ctrl-C.

        Args:
            run: The study, which hands out jobs and is told what becomes of them.
        """


def opened(address: str, resources: Resources, cache: Path | None) -> AbstractContextManager[Backend]:
    """Return what runs trials, to be used while a block runs.

    Args:
        address: `none` for this process, else where Ray is: `local`, `auto` or `HOST:PORT`.
        resources: What one trial takes.
        cache: Folder of data sets and image caches on each node; the user's cache folder where omitted.

    Raises:
        ResourceError: There is no such place, or it has not what a trial takes.
    """
    if address == WITHOUT_RAY:
        from reid_search.scheduling.backends.inline import in_this_process

        return contextlib.nullcontext(in_this_process(resources, cache))
    from reid_search.scheduling.backends.ray.cluster import connected

    return connected(address, resources, cache)
