"""How the numbers of a report were measured: data, splits, rules, versions."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from reid_search.records import CodeVersion, Record, RunStarted, Status, StudyState
from reid_search.study import MARKET_RULE, EvaluationRule
from reid_search.study.component import label_of
from reid_search.study.trial.config import OF_ANY_SET
from reid_search.study.trial.normalization import IMAGENET
from reid_search.words import several

from ..reading.data_sets import DataSets, data_sets
from .describe_rule import describe_queries, describe_rule
from .formats import amount, listed, percent

Facts = list[tuple[str, str]]

_AVERAGE_PRECISION = (
    "rectangular, the mean of j / r_j over the ranks r_j of the matches; the trapezoidal one of the official "
    "Market-1501 code is given as mAP (trap.)."
)


def protocol_facts(state: StudyState) -> Facts:
    """Return how the numbers were measured, as pairs of name and text."""
    records = _records(state)
    sets = data_sets(state)
    data = list(sets.sections.values())
    readouts = (_readout(name, item.config) for record in records for name, item in record.readouts.items())
    facts = [
        ("Data", _joined(_data_name(item, sets) for item in data if not sets.tests_of(item))),
        ("Trained on", _joined(" + ".join(sets.trained_on(item)) for item in data if sets.tests_of(item))),
        ("Tested on", _joined(f"{name}: {told}" for item in data for name, told in sets.tests_of(item).items())),
        ("Data fingerprint", _joined(record.data_fingerprint for record in records)),
        ("Files that are not used", _joined(_unused(record) for record in records)),
        ("About the data", _joined(note for record in records if record.data for note in record.data.notes)),
        ("Weights", _joined(_weights(record) for record in records)),
        ("Normalisation", _joined(str(record.normalization or IMAGENET) for record in records)),
        ("Image size", _joined(_image_size(item) for item in data)),
        ("Validation", _joined(_validation(item) for item in data)),
        ("Matching rule", _matching(records)),
        ("Average precision", _AVERAGE_PRECISION),
        ("Queries", _joined(describe_queries(rule) for rule in _rules(records))),
        ("Re-ranking", _rescored(records)),
        ("Read beside the images in testing", _beside(records)),
        ("Queries without a match", _unmatched(records)),
        ("Readouts", _joined(readouts)),
        ("Images seen", _range_of([record.images_seen for record in records if record.status == Status.FINISHED])),
        ("Use of the test split", _test_use(records)),
        ("Code", _code(records)),
    ]
    return [fact for fact in facts if fact[1]]


def version_facts(state: StudyState) -> Facts:
    """Return the command, the code and the machines, as pairs of name and text."""
    records = _records(state)
    runs, study = state.history.runs, state.study
    last = runs[-1] if runs else RunStarted()
    facts = [
        ("Command", str(study.get("command") or last.command)),
        ("Runs", several(len(runs), "run") if runs else ""),
        ("Git commit", _joined([last.git_commit, *(record.context.git_commit for record in records)])),
        ("Versions", _versions([last.versions, *(record.context.versions for record in records)])),
        ("Device", _joined(record.context.device or record.device_type for record in records)),
        ("Machines", _joined(record.context.host for record in records)),
        ("Last trial ended", max((record.context.ended for record in records), default="")),
    ]
    return [fact for fact in facts if fact[1]]


def test_evaluations(state: StudyState) -> int:
    """Return how often a readout was measured on the test split, counted from the records."""
    return sum(_test_readouts(record) for record in _records(state))


def _rules(records: Iterable[Record]) -> dict[EvaluationRule, list[str]]:
    """Return every rule by which splits were ranked, with these: that of Market-1501 where nothing is measured yet."""
    found: dict[EvaluationRule, set[str]] = {}
    for record in records:
        for readout in record.readouts.values():
            for split in readout.splits:
                found.setdefault(readout.rule(split), set()).add(split)
    return {rule: sorted(splits) for rule, splits in found.items()} or {MARKET_RULE: []}


def _matching(records: Iterable[Record]) -> str:
    """Describe every rule; where there are several, each with its splits."""
    rules = _rules(records)
    told = [(f"{listed(splits)}: " if len(rules) > 1 else "") + describe_rule(rule) for rule, splits in rules.items()]
    return " ".join(told)


def _records(state: StudyState) -> list[Record]:
    return [trial.record for trial in state.trials.values() if trial.record]


def _test_readouts(record: Record) -> int:
    return sum(any(name.startswith("test/") for name in item.metrics) for item in record.readouts.values())


def _test_use(records: Sequence[Record]) -> str:
    counts = [count for count in map(_test_readouts, records) if count]
    if not counts:
        return "never"
    return (
        f"{several(sum(counts), 'evaluation')}, counted from the records: {several(len(counts), 'trial')}, each with "
        "every readout that its phase compares"
    )


def _data_name(data: Mapping[str, object], sets: DataSets) -> str:
    hidden = ("name", *OF_ANY_SET, "root")
    details = [f"{name} {label_of(value)}" for name, value in data.items() if name not in hidden]
    details += [place] if (place := sets.names.place_of(data)) else []
    return f"{data.get('name', '')} ({', '.join(details)})" if details else str(data.get("name", ""))


def _unused(record: Record) -> str:
    unused = record.data.unused if record.data else {}
    return ", ".join(f"{reason} ({amount(count)})" for reason, count in unused.items())


def _weights(record: Record) -> str:
    loaded = [f"{item.backbone} from {item.file} (sha256 {item.sha256[:12]})" for item in record.weights]
    return " and ".join(loaded) or "drawn at random"


def _image_size(data: Mapping[str, object]) -> str:
    size, way = data.get("image_size"), data.get("interpolation")
    if not isinstance(size, list | tuple):
        return ""
    return " × ".join(map(str, size)) + (f" ({way} interpolation)" if way else "")


def _validation(data: Mapping[str, object]) -> str:
    share = data.get("holdout")
    if not isinstance(share, float) or not share:
        return "answers on the test split train on all training identities"
    return (
        f"{percent(share, 0)} % of the training identities are held out of training "
        f"(split seed {data.get('split_seed')})"
    )


def _readout(name: str, config: Mapping[str, object]) -> str:
    return f"{name}: " + ", ".join(f"{path} {label_of(value)}" for path, value in config.items())


def _rescored(records: Sequence[Record]) -> str:
    """Say which readouts do more than compare two features; they are never compared with plain ones."""
    found = {
        f"readout {name} by {item.scorer}" + (", transductive: it uses other images of the gallery" * item.transductive)
        for record in records
        for name, item in record.readouts.items()
        if item.scorer
    }
    return "; ".join(sorted(found)) or "none: every distance compares two features"


def _beside(records: Sequence[Record]) -> str:
    """Say what models read beside the images that they are tested on."""
    found = {read for record in records for item in record.readouts.values() for read in item.beside.values()}
    return "; ".join(sorted(found)) or "nothing"


def _unmatched(records: Sequence[Record]) -> str:
    counts: dict[str, set[int]] = {}
    for record in records:
        for readout in record.readouts.values():
            for name, value in readout.metrics.items():
                if name.endswith("/queries_without_match"):
                    counts.setdefault(name.rpartition("/")[0], set()).add(int(value))
    return "; ".join(f"{split}: {_range_of(sorted(found))}" for split, found in sorted(counts.items()))


def _code(records: Sequence[Record]) -> str:
    """Say under which code trainings were measured, and how many under each where there are several."""
    measured = [record for record in records if record.readouts]
    told = Counter(_code_of(record) for record in measured)
    if not any(record.code for record in measured):
        return ""
    if len(told) == 1:
        return next(iter(told))
    return "; ".join(f"{several(count, 'training')}: {text}" for text, count in sorted(told.items()))


def _code_of(record: Record) -> str:
    if record.code is None:
        return "not noted"
    versions = [code for code in (record.code, record.tested_by) if code]
    return ", but tested under ".join(_common(code) for code in versions)


def _common(code: CodeVersion) -> str:
    """Return what is common to the trials of a release: the components are told apart where they differ."""
    libraries = ", ".join(f"{name} {version}" for name, version in code.libraries.items())
    return f"numerics version {code.numerics}, torch {code.torch}, {libraries}, source {code.source}"


def _versions(found: Sequence[Mapping[str, str]]) -> str:
    by_name: dict[str, set[str]] = {}
    for versions in found:
        for name, version in versions.items():
            by_name.setdefault(name, set()).add(str(version))
    return ", ".join(f"{name} {' and '.join(sorted(versions))}" for name, versions in sorted(by_name.items()))


def _range_of(values: Sequence[int]) -> str:
    if not values:
        return ""
    low, high = min(values), max(values)
    return amount(low) if low == high else f"{amount(low)} to {amount(high)}"


def _joined(texts: Iterable[str | None]) -> str:
    return "; ".join(sorted({text for text in texts if text}))
