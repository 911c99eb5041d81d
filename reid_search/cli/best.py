"""`reid-search best`: what a search found, as a line or as a file to go on with."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reid_search.cli.console import answer, answer_json, percent, say
from reid_search.cli.options import DEFAULT_STORAGE, AsJson, Storage
from reid_search.cli.store import Which, find_store
from reid_search.errors import RequestError, StudyError, nearest

if TYPE_CHECKING:
    from reid_search.records import Proposal, StudyState


def best(
    which: Which = None,
    storage: Storage = DEFAULT_STORAGE,
    phase: Annotated[str | None, typer.Option(help="The search; not needed if the study has only one.")] = None,
    as_yaml: Annotated[
        bool, typer.Option("--yaml", help="Print its config, as the `base` of a study; `train` takes it too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the best of each search: its settings, what it is worth, and where its trial lies."""
    from reid_search.records import read_state

    state = read_state(find_store(which, storage), tolerant=True)
    found = {name: state.best(name) for name in _searches(state, phase)}
    over = {name: proposal for name, proposal in found.items() if proposal is not None}
    refused = {name: refusal for name in found if (refusal := state.refusal(name))}
    for name, refusal in refused.items():
        say(f"{name}: no best, since its finalists are of different code and not compared: {refusal}")
    if not over and refused:
        raise RequestError(f"{state.name}: `run --remeasure` measures again what is of other code")
    if not over:
        raise RequestError(f"{state.name}: no proposal of {' or '.join(found)} is finished yet")
    told = {name: _told(state, name, proposal) for name, proposal in over.items()}
    if as_yaml:
        if len(over) > 1:
            raise RequestError(f"--yaml: {state.name} has several searches; name one: --phase {' or '.join(over)}")
        ((name, proposal),) = over.items()
        answer(base_file(_config(state, proposal), f"The best of {name} of {state.name}: {_worth(told[name])}"))
    elif as_json:
        answer_json(told)
    else:
        for name, item in told.items():
            settings = ", ".join(f"{path}={label}" for path, label in item["settings"].items())
            answer(f"{name}: #{item['number']}: {settings}\n  {_worth(item)}\n  {item['trial']}")


def _searches(state: "StudyState", phase: str | None) -> list[str]:
    if not state.searches:
        raise RequestError(f"{state.name}: no search in this study has proposed anything")
    if phase is not None and phase not in state.searches:
        raise RequestError(f"--phase {phase}: no search of {state.name}; {nearest(phase, state.searches)}")
    return [phase] if phase is not None else list(state.searches)


def _told(state: "StudyState", phase: str, proposal: "Proposal") -> dict[str, Any]:
    from reid_search.analysis import best_values

    worth = best_values(state)[phase]
    return {
        "number": proposal.number,
        "settings": dict(proposal.settings),
        "objective": state.objective(phase),
        "value": worth.shown,
        "how": worth.how,
        "collapse": state.collapse(proposal).words if state.collapse(proposal) else None,
        "trial": str(state.store.trial(proposal.key, proposal.seed).path),
    }


def _worth(told: Mapping[str, Any]) -> str:
    nothing = f"; it is {told['collapse']}" if told["collapse"] else ""
    return f"{percent(told['value'])} % {told['objective']} ({told['how']}){nothing}"


def _config(state: "StudyState", proposal: "Proposal") -> dict[str, Any]:
    """Return the config of a proposal's trial, tested as the proposal is."""
    trial = state.trial(proposal)
    config: dict[str, Any] = dict(trial.config if trial else {})
    tested = {name: config["readouts"][variant] for name, variant in proposal.readouts.items()}
    return {**config, "readouts": tested or config["readouts"]}


def base_file(config: Mapping[str, Any], remark: str) -> str:
    """Return a trial's config, defaults filled in, as a file that makes the same config when it is read."""
    entries = {name: value for name, value in config.items() if name != "from_recipe"}
    recipe = config.get("from_recipe")
    if not recipe:
        return _written(entries, remark)
    named = _written({"recipe": recipe, **entries}, remark)
    # A null over a recipe takes an entry away, so that not every config can be written over its recipe.
    return named if _makes(named, config) else _written(entries, f"{remark}; made from the recipe {recipe}")


def _written(entries: Mapping[str, Any], remark: str) -> str:
    from ruamel.yaml import YAML

    yaml, stream = YAML(typ="rt", pure=True), io.StringIO()
    yaml.default_flow_style = None  # lists of words and numbers on one line
    yaml.width = 110
    yaml.representer.add_representer(type(None), lambda to, _: to.represent_scalar("tag:yaml.org,2002:null", "null"))
    yaml.dump({"base": entries}, stream)
    return "\n".join(line.rstrip() for line in (f"# {remark}", *stream.getvalue().splitlines()))


def _makes(written: str, config: Mapping[str, Any]) -> bool:
    """Say whether a file, when it is read, makes a config."""
    import tempfile

    from reid_search.study import TrialConfig, load_trial_file

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "base.yaml"
        file.write_text(written)
        try:
            return load_trial_file(file).config == TrialConfig.model_validate(config)
        except StudyError:
            return False
