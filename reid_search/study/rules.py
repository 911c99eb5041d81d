"""The rule by which a data set is evaluated: what is left out for a query, and which gallery is searched. No torch.

The config of a data set states its rule in `DataConfig.rule`; measurements under different rules are never compared.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from reid_search.study.component import Config

Condition = Annotated[str, Field(pattern=r"^(same|other) [a-z_]+$")]


class SingleShot(Config):
    """Search random galleries of one image each instead of the whole gallery, and average over them.

    A draw puts the gallery in a random order; the first image of each identity that the rule leaves for a query stands
    for it. So each draw has one gallery, except that a query whose own identity's image is left out gets the next one.
    Each distractor (identity 0) is another person and always there.

    Attributes:
        draws: Number of galleries, at least 1; draw n is the same however many there are.
        seed: Seed of the draws.
        per: What has one image: each `identity`, or each `identity and camera`.
    """

    draws: int = Field(default=10, ge=1, le=1000)
    seed: int = Field(default=0, ge=0)
    per: Literal["identity", "identity and camera"] = "identity"

    def __str__(self) -> str:
        """Return the settings as words."""
        return f"single shot of each {self.per}, {self.draws} draws, seed {self.seed}"


class EvaluationRule(Config):
    """What a ranking leaves out for each query, and which gallery is searched.

    Junk (identity -1) takes no rank and distractors (identity 0) are never matches, whatever the rule.

    Attributes:
        left_out: Gallery images of the query's identity that meet one of these conditions take no rank. A condition is
            `same <column>` or `other <column>` of the data set's tables (`camera`, `clothes`, …); `same image` is the
            query's own file.
        within: A column; only gallery images with the query's own value of it are ranked, such as those of one action.
        single_shot: Random galleries of one image an identity; the whole gallery where omitted.
        multi_query: Whether the feature of a query is the mean over all query images of its identity in its camera,
            instead of that of its own image (Zheng et al. 2015).
    """

    left_out: tuple[Condition, ...] = Field(default=("same camera",), min_length=1)
    within: Annotated[str, Field(pattern=r"^[a-z_]+$")] | None = None
    single_shot: SingleShot | None = None
    multi_query: bool = False

    @model_validator(mode="after")
    def _draws_from_one_gallery(self) -> Self:
        if self.within and self.single_shot:
            raise ValueError(f"within: {self.within}: random galleries are drawn from all images; allowed: one of both")
        return self

    @model_validator(mode="after")
    def _pools_what_is_left_out(self) -> Self:
        if self.multi_query and "same camera" not in self.left_out:
            raise ValueError("multi_query: pools images of the query's camera, so left_out must hold 'same camera'")
        return self

    @property
    def compared(self) -> tuple[str, ...]:
        """The columns that it compares, `image` among them for the file itself."""
        columns = [condition.partition(" ")[2] for condition in self.left_out]
        columns += [self.within] if self.within else []
        columns += ["camera"] if self.single_shot and self.single_shot.per != "identity" else []
        return tuple(dict.fromkeys(columns))

    @property
    def ranks_everyone(self) -> bool:
        """Whether every gallery image of another person takes a rank."""
        return self.within is None and self.single_shot is None

    def __str__(self) -> str:
        """Return the rule in words, different for different rules; that of Market-1501 is `same camera`."""
        parts = [" or ".join(self.left_out)]
        parts += [f"within one {self.within}"] if self.within else []
        parts += [str(self.single_shot)] if self.single_shot else []
        parts += ["multi-query"] if self.multi_query else []
        return "; ".join(parts)


MARKET_RULE = EvaluationRule()
"""The rule of Market-1501: the query's identity in the query's camera is left out."""
