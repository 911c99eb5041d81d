"""The prepared views of a study's experiment: which runs, columns and charts MLflow's page opens with.

MLflow keeps a view that is shared as a tag of the experiment, in the form of its own page's state (3.17).
That form is MLflow's own business: a release that changes it shows its usual page, and a test in a browser says so.
"""

import base64
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from reid_search.analysis import ArmValue, arm_values
from reid_search.records import StudyState
from reid_search.tracking.content import KIND_TAG, Kind, allowed_name

VIEW_TAG = "mlflow.sharedViewState."
ARMS, SEARCH = "arms", "search"

_AXES_SHOWN = 12
_WIDTHS = {"tags.`result`": 270, "tags.`verdict`": 330}
_AXIS_WIDTH = 150
_SECTION = "chosen"


def views(state: StudyState) -> dict[str, str]:
    """Return the text of each prepared view by its key, the first to open first: `arms`, then `search`."""
    found: dict[str, str] = {}
    if arms := arm_values(state):
        found[ARMS] = _encoded(_view_of_arms(arms))
    if searches := [phase for phase, proposals in state.searches.items() if proposals]:
        found[SEARCH] = _encoded(_view_of_search(state, searches[0]))
    return found


def primary_metric(state: StudyState) -> str | None:
    """Return the metric that a study is about: that of its arms, else what its search maximises."""
    arms = next((state.metric(asks[0]) for asks in state.ablations.values() if asks), None)
    return arms or next((state.objective(phase) for phase in state.searches), None)


def page(server: str, experiment: str, view: str | None) -> str:
    """Return the address of an experiment's page; without the kind of work, it is the page for language models."""
    shown = f"viewStateShareKey={view}&" if view else ""
    return f"{server}/#/experiments/{experiment}/runs?{shown}workflowType=machine_learning"


def _view_of_arms(arms: Sequence[ArmValue]) -> dict[str, object]:
    metric = arms[0].metric
    axes = _varying([arm.asks[0].settings for arm in arms])
    columns = [
        *_quoted("tags", ["result", "verdict"]),
        *_quoted("params", axes),
        *_quoted("metrics", [metric, f"{metric} low", f"{metric} high", "seeds"]),
    ]
    others = [f"{metric} low", f"{metric} high", f"{metric} sd", *arms[0].beside, "seeds"]
    charts = [_chart("BAR", metric, runsCountToCompare=max(20, len(arms))), *(_hidden_chart(name) for name in others)]
    return _view(f"tags.{KIND_TAG} = '{Kind.ARM}'", metric, columns, charts)


def _view_of_search(state: StudyState, phase: str) -> dict[str, object]:
    metric = state.objective(phase)
    axes = _varying([ask.settings for ask in state.searches[phase]])
    columns = [*_quoted("metrics", [metric]), *_quoted("params", axes), *_quoted("tags", ["status"])]
    charts = [
        _chart(
            "PARALLEL",
            "",
            selectedParams=list(map(allowed_name, axes)),
            selectedMetrics=[allowed_name(metric)],
            showAllRuns=True,
        ),
        _chart("LINE", metric),
    ]
    return _view(f"tags.{KIND_TAG} = '{Kind.TRIAL}' AND tags.phase LIKE '%{phase}%'", metric, columns, charts)


def _view(runs: str, metric: str, columns: Sequence[str], charts: Sequence[object]) -> dict[str, object]:
    return {
        "searchFilter": runs,
        "orderByKey": _quoted("metrics", [metric])[0],
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "modelVersionFilter": "All Runs",
        "datasetsFilter": [],
        "selectedColumns": list(columns),
        "columnOrder": list(columns),
        "columnWidths": {name: _WIDTHS.get(name, _AXIS_WIDTH) for name in columns if not name.startswith("metrics.")},
        "groupBy": None,
        "groupsExpanded": {},
        "runsExpanded": {},
        "runsPinned": [],
        "runsHidden": [],
        "runsVisibilityMap": {},
        "runsHiddenMode": "SHOW_ALL",
        "compareRunCharts": list(charts),
        "compareRunSections": [
            {
                "uuid": _SECTION,
                "name": "",
                "display": True,
                "isReordered": False,
                "deleted": False,
                "isGenerated": False,
            }
        ],
        "isAccordionReordered": False,
        "viewMaximized": False,
        "runListHidden": False,
        "useGroupedValuesInCharts": True,
        "hideEmptyCharts": True,
        "autoRefreshEnabled": True,
        "globalLineChartConfig": {"xAxisKey": "step", "lineSmoothness": 0, "selectedXAxisMetricKey": ""},
    }


def _chart(kind: str, metric: str, **other: object) -> dict[str, object]:
    name = allowed_name(metric)
    told = {"metricKey": name, "displayName": metric} if metric else {}
    chart = {"uuid": f"{kind}-{name}", "type": kind, "runsCountToCompare": 20, "metricSectionId": _SECTION}
    return chart | {"deleted": False, "isGenerated": False} | told | other


def _hidden_chart(metric: str) -> dict[str, object]:
    """Return a card that is deleted; MLflow adds one for each metric that has none."""
    return _chart("BAR", metric, deleted=True, isGenerated=True)


def _varying(settings: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the axes in which settings differ, since a column of one value tells nothing."""
    names = dict.fromkeys(chain.from_iterable(settings))
    return [name for name in names if len({own.get(name) for own in settings}) > 1][:_AXES_SHOWN]


def _quoted(kind: str, names: Iterable[str]) -> list[str]:
    return [f"{kind}.`{allowed_name(name)}`" for name in names]


def _encoded(view: Mapping[str, object]) -> str:
    return f"deflate;{base64.b64encode(zlib.compress(json.dumps(view).encode())).decode()}"
