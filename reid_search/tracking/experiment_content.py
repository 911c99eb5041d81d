"""What the experiment of a study says by itself, before anybody opens a run."""

from reid_search.analysis import conclusion
from reid_search.records import StudyState
from reid_search.tracking.view import VIEW_TAG, primary_metric, views

_KIND = "custom_model_development"  # what MLflow calls an experiment that is not about language models


def experiment_tags(state: StudyState) -> dict[str, str]:
    """Return the tags of a study's experiment other than its note: kind, primary metric and prepared views."""
    tags = {"study": state.store.name, "mlflow.experimentKind": _KIND}
    if metric := primary_metric(state):
        tags |= {"mlflow.experiment.primaryMetric.name": metric}
        tags |= {"mlflow.experiment.primaryMetric.greaterIsBetter": "true"}
    return tags | {f"{VIEW_TAG}{key}": text for key, text in views(state).items()}


def note(state: StudyState, experiment: str, run: str) -> str:
    """Return question, answer and the way to the report in Markdown; empty before there is anything to say.

    Args:
        state: The study.
        experiment: Id of its experiment.
        run: Id of its run.
    """
    question = str(state.study.get("question") or "")
    claims = [f"- **{claim.name}** {claim.content.get('says') or ''}".rstrip() for claim in state.claims]
    has_report = (state.store.report / "index.html").is_file()
    answer = [f"- {line.strip()}" for line in conclusion(state.store.path)] if has_report else []
    link = f"[Report](#/experiments/{experiment}/runs/{run}/artifacts/report/index.html)"
    parts = [
        ["**Question**", "", *([question, ""] if question else []), *claims] if question or claims else [],
        ["**Answer**", "", *answer] if answer else [],
        [f"{link}, also `{state.store.report / 'index.html'}`"] if has_report else [],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)
