"""Base classes of samplers, which propose the settings of a search, and of pruners, which stop its trials early."""

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import SerializeAsAny

from reid_search.study.component import PRUNERS, SAMPLERS, ByName, Config, EntryError
from reid_search.words import several

if TYPE_CHECKING:
    from reid_search.study.question.space import Settings, Space


class SamplerConfig(Config):
    """How a search proposes settings; the config of each kind extends this.

    `crowds` says whether proposals gather where good values are expected, which biases estimates of the importance of
    an axis. `of_levels` says that it proposes only the levels that designs use.

    Attributes:
        kind: The sampler, `tpe` or `random`.
    """

    crowds: ClassVar[bool] = True
    of_levels: ClassVar[bool] = False
    kind: str

    def check(self, space: "Space") -> None:
        """Check that the sampler can search a space.

        Raises:
            StudyError: It cannot.
        """

    def cells(self, space: "Space", seed: int) -> "Sequence[Settings] | None":
        """Return every proposal in order if they are known in advance; None if they are made one by one."""
        del space, seed
        return None

    def every(self, space: "Space") -> "Iterator[Settings] | None":
        """Yield whatever the sampler may propose, each once; None if there is too much to list."""
        return space.combinations() if self.of_levels else space.searched()

    def count(self, space: "Space", trials: int) -> int:
        """Return how many proposals a search of at most `trials` makes, each of other settings."""
        every = self.every(space)
        return trials if every is None else sum(1 for _ in itertools.islice(every, trials))


class PrunerConfig(Config):
    """When a trial of a search is stopped early; the config of each kind extends this.

    Attributes:
        kind: The pruner, `successive_halving` or `none`.
    """

    stops: ClassVar[bool] = True
    kind: str

    def begins(self, epochs: int) -> int | None:
        """Return the first epoch after which it may stop a trial of this many epochs; None if it stops none."""
        del epochs
        return None

    def check(self, epochs: int) -> None:
        """Check that the pruner can stop a trial of this many epochs before its end.

        Raises:
            EntryError: A setting lets every trial run to its end; with the setting.
        """

    def _check_fewest_epochs(self, fewest: int, epochs: int) -> None:
        """Refuse `min_epochs` at which no trial is left to be stopped; a trial of one epoch never is."""
        if fewest >= max(epochs, 2):
            runs = f"a trial runs {several(epochs, 'epoch')}"
            allowed = f"allowed: at most {max(epochs - 1, 1)}, or pruner: none"
            raise EntryError(f"{fewest}: {runs}, so none would be stopped; {allowed}", "min_epochs")


AnySampler = Annotated[SerializeAsAny[SamplerConfig], SAMPLERS, ByName(SAMPLERS, "tpe")]
AnyPruner = Annotated[SerializeAsAny[PrunerConfig], PRUNERS, ByName(PRUNERS, "successive_halving")]


def as_written(config: SamplerConfig | PrunerConfig) -> str | dict[str, object]:
    """Return the shortest way to write a sampler or pruner: its bare name where no setting differs from its default."""
    content = config.model_dump(mode="json", exclude_defaults=True)
    return content if len(content) > 1 else config.kind
