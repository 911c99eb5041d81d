"""What a person reads when a study is wrong, word for word.

`error_messages.txt` holds every message; a change of wording is a change of that file. Write it anew with
`REID_SEARCH_UPDATE_SNAPSHOTS=1 pytest tests/study/test_error_messages.py` and read the difference.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reid_search.errors import StudyError
from reid_search.study import ARCHITECTURES, DATASETS, LOSSES, SCORERS, load_study, load_trial_file
from reid_search.study.trial.recipes import recipe_names

SNAPSHOT = Path(__file__).with_name("error_messages.txt")

HEAD = """\
name: small
base:
  data: {name: synthetic, preset: tiny}
  model: {architecture: mgn, backbone: resnet10_thin, embedding_dim: 64}
"""
TAIL = "phases:\n  - {kind: ablate}\n"
PARTS = "axes: {model.parts: {choice: [[1], [1, 2]]}}\n"


def _base(line: str) -> str:
    return f"{HEAD}  {line}\n{TAIL}"


def _instead(old: str, new: str) -> str:
    assert old in HEAD
    return HEAD.replace(old, new) + TAIL


def _axes(*lines: str) -> str:
    return HEAD + TAIL + "axes:\n" + "".join(f"  {line}\n" for line in lines)


def _phases(*lines: str) -> str:
    return HEAD + PARTS + "phases:\n" + "".join(f"  - {line}\n" for line in lines)


def _claimed(phase: str, count: int, entry: str = "metric: mAP") -> str:
    claim = f"{{better: {{model.parts: [1, 2]}}, {entry}}}"
    return _phases(phase) + "claims:\n" + "".join(f"  number {number}: {claim}\n" for number in range(count))


def _fraction(*lines: str) -> str:
    return _axes(*lines).replace("ablate}", "ablate, design: fractional_factorial}")


def _arms(arm: str, phase: str = "{kind: ablate}") -> str:
    axes = (
        "model.parts: {choice: [[1], [1, 2], [1, 8]]}",
        "data.image_size: {choice: [[64, 32], [48, 32]]}",
        "model.pooling: {choice: [max, avg]}",
        "model.neck: {choice: [none, bnneck], when: {model.pooling: max}}",
        "losses.triplet.margin: {uniform: [0.1, 2], levels: [0.3, soft]}",
        "training.batch.ids: {integer: [2, 8], levels: [4]}",
    )
    return _axes(*axes).replace("{kind: ablate}", phase) + f"arms:\n  {arm}\n"


def _recipe(name: str, *lines: str) -> str:
    head = HEAD.replace("architecture: mgn, ", "").replace("base:\n", f"base:\n  recipe: {name}\n")
    return head + "".join(f"{line}\n" for line in lines) + TAIL


def _tuned(*phases: str) -> str:
    axes = (
        "model.pooling: {choice: [max, avg]}",
        "training.batch.ids: {choice: [4, 8]}",
        "model.neck: {choice: [none, bnneck], when: {training.batch.ids: 8}}",
    )
    search = "{kind: search, each: ablate, axes: [training.batch.ids]}"
    return (
        HEAD
        + "axes:\n"
        + "".join(f"  {line}\n" for line in axes)
        + "phases:\n"
        + "".join(f"  - {line}\n" for line in (search, *phases))
    )


STUDIES = {
    "not a map": "- 1\n",
    "only text": "mgn\n",
    "empty file": "",
    "open bracket": "name: [a,\nbase: 3\n",
    "tab": "name:\n\t- x\n",
    "duplicate key": "name: a\nbase: {}\nname: b\n",
    "duplicate key far down": _base("training: {images: 1, batch: {ids: 2, ids: 3}}"),
    "two documents": HEAD + TAIL + "---\nname: b\n",
    "list as a key": HEAD + TAIL + "? [1, 2]\n: 3\n",
    "merge key": HEAD + TAIL + "x: {<<: {a: 1}}\n",
    "extends a missing file": "extends: bse.yaml\n",
    "extends a number": "extends: 3\n",
    "unknown key of a study": HEAD + TAIL + "phase: 3\n",
    "unknown key like one that is read first": "extend: base.yaml\n" + HEAD + TAIL,
    "unknown key of a trial": _base("traning: {}"),
    "unknown key of data": _instead("preset", "preste"),
    "unknown key of a model": _instead("embedding_dim", "embeding_dim"),
    "unknown key of a loss": _base("losses: {triplet: {margni: 3}}"),
    "unknown key of a batch": _base("training: {batch: {id: 3}}"),
    "unknown key of a readout": _base("readouts: {default: {tap: [reduced]}}"),
    "unknown key of a stage": _base("training: {stages: [{name: a, images: 9, loss: [triplet]}]}"),
    "unknown key of a phase": _phases("{kind: ablate, sedes: 3}"),
    "unknown key of resources": HEAD + TAIL + "resources: {gpus: 1}\n",
    "more than one GPU in parts": HEAD + TAIL + "resources: {gpu: 1.5}\n",
    "unknown key of an axis": _axes("model.parts: {choces: [[1]]}"),
    "unknown architecture": _instead("mgn", "mng"),
    "unknown data set": _instead("synthetic", "sinthetic"),
    "unknown loss": _base("losses: {triplet: {kind: tripet}}"),
    "labels of an unknown axis": HEAD + PARTS + "labels: {model.prats: {title: branches}}\n" + TAIL,
    "label of an unknown level": HEAD + PARTS + "labels: {model.parts: {levels: {'[1, 3]': two}}}\n" + TAIL,
    "label that is no map": HEAD + PARTS + "labels: {model.parts: branches}\n" + TAIL,
    "one title for two axes": _axes("model.parts: {choice: [[1], [1, 2]]}", "model.neck: {choice: [none, bnneck]}")
    + "labels: {model.parts: {title: head}, model.neck: {title: head}}\n",
    "unknown choice": _base("training: {optimizer: {kind: sdg}}"),
    "unknown phase": _phases("{kind: serch}"),
    "no kind of phase": _phases("{name: first}"),
    "no kind of loss": _base("losses: {extra: {on: [global@coarse]}}"),
    "no base": "name: small\n" + TAIL,
    "no data": "name: small\nbase: {model: {architecture: mgn}}\n" + TAIL,
    "no architecture": "name: small\nbase: {data: {name: synthetic}, model: {parts: [1]}}\n" + TAIL,
    "model as a word": "name: small\nbase: {data: {name: synthetic}, model: mgn}\n" + TAIL,
    "base as a list": "name: small\nbase: [1]\n" + TAIL,
    "loss without settings": _base("losses: {triplet: null}"),
    "wrong types": _base("training: {images: many, batch: 3, optimizer: {lr: fast}, threads: 1.5, augment: [1]}"),
    "true for a number": _base("training: {images: true}"),
    "quoted number": _base("training: {images: '5000'}"),
    "not a number": _base("training: {optimizer: {lr: .nan}}"),
    "out of range": _base("training: {batch: {ids: 0}, augment: {flip: 1.5}}"),
    "many mistakes": _base(
        "training: {images: a, threads: b, batch: {ids: c, per_id: d}, optimizer: {lr: e, weight_decay: f, "
        "momentum: g, new_lr: h, clip_norm: i}}"
    ),
    "weights that are not there": _instead("embedding_dim: 64", "weights: resnet50.pth"),
    "weights in a folder that is not there": _instead("embedding_dim: 64", "weights: /nowhere/resnet50.pth"),
    "weights that nobody publishes": _instead("embedding_dim: 64", "weights: default"),
    "no weights but a number": _instead("embedding_dim: 64", "weights: 50"),
    "unknown key of weights": _instead("embedding_dim: 64", "weights: {file: default, men: [0.5, 0.5, 0.5]}"),
    "weights without a file": _instead("embedding_dim: 64", "weights: {take: teacher}"),
    "mean of weights without their deviation": _instead(
        "embedding_dim: 64", "weights: {file: default, mean: [0.5, 0.5, 0.5]}"
    ),
    "mean of weights in 8 bits": _instead(
        "embedding_dim: 64", "weights: {file: default, mean: [124, 116, 104], std: [0.2, 0.2, 0]}"
    ),
    "grid of weights with one side": _instead("embedding_dim: 64", "weights: {file: default, grid: [16]}"),
    "too few numbers": _instead("preset: tiny", "image_size: [64]"),
    "too many numbers": _instead("preset: tiny", "image_size: [64, 32, 3]"),
    "key that is no number": _instead("embedding_dim: 64", "strides: {x: 2}"),
    "margin": _base("losses: {triplet: {margin: hard}}"),
    "too many stripes": _instead("embedding_dim: 64", "parts: [1, 99]"),
    "same stripes twice": _instead("embedding_dim: 64", "parts: [2, 2]"),
    "unknown stage of taps": _base("readouts: {default: {taps: [global@recuded]}}"),
    "unknown taps": _base("losses: {triplet: {on: [p9.*@coarse]}}"),
    "two readouts with one meaning": _base("readouts: {default: {flip: false}, plain: {control: true, flip: false}}"),
    "a word for a boolean": _base("readouts: {default: {flip: yes}}"),
    "a number for a boolean": _base("readouts: {default: {flip: 1}}"),
    "a word for a boolean in a condition": _axes(
        "losses.triplet.margin: {choice: [0.3], when: {readouts.default.flip: yes}}"
    ),
    "two readouts of the same taps": _base("readouts: {default: {taps: ['p*@reduced']}, plain: {taps: [reduced]}}"),
    "readout of what no loss trains": _base("readouts: {default: {taps: [p2.*@neck]}}").replace(
        "_dim: 64", "_dim: 64, neck: bnneck"
    ),
    "readout of what no loss of an arm trains": _axes(
        "losses.triplet.on: {choice: {none: [], globals: [global@reduced]}}"
    ),
    "readout of nothing": _base("readouts: {default: {taps: [attribute@reduced]}}"),
    "no readout": _base("readouts: {}"),
    "readout that is no folder": _base("readouts: {../up: {}}"),
    "loss with a dot": _base("losses: {a.b: {kind: triplet, on: [global@coarse]}}"),
    "no loss": _base("losses: {triplet: {on: []}, identity: {weight: 0}}"),
    "unknown loss of a stage": _base("training: {stages: [{name: a, images: 9, losses: [tripet]}]}"),
    "stage without a loss": _base("training: {stages: [{name: a, images: 9, losses: []}]}"),
    "system without its maps": _instead("{name: synthetic, preset: tiny}", "{name: market1501, root: nowhere}").replace(
        "{architecture: mgn", "{architecture: spreid"
    ),
    "loss without its attributes": _instead(
        "{name: synthetic, preset: tiny}", "{name: market1501, root: nowhere}"
    ).replace(TAIL, "  losses: {extra: {kind: attributes, on: [global@coarse]}}\n" + TAIL),
    "loss on another scope": _base("losses: {extra: {kind: heatmap, on: [global@coarse]}}"),
    "loss on another shape": _base("losses: {identity: {shared: true}}"),
    "images that a backbone cannot cut": _instead(
        "resnet10_thin", "vit_tiny_patch16_224, split: blocks.7, strides: {}"
    ).replace("preset: tiny", "preset: tiny, image_size: [60, 32]"),
    "images too small for a backbone": _instead("resnet10_thin", "inception_v3, split: Mixed_6b"),
    "last stride of a backbone": _instead("resnet10_thin", "osnet_x1_0, split: conv3.0"),
    "split of another backbone": _instead("resnet10_thin", "osnet_x1_0, strides: {1: 1}"),
    "unknown mode of a stage": _base("training: {stages: [{name: a, images: 9, mode: stripes}]}"),
    "identities of other people": _base("training: {stages: [{name: a, images: 9, data: {seed: 1}}]}"),
    "unknown data of a stage": _base("training: {stages: [{name: a, images: 9, data: {sead: 1}}]}"),
    "AutoAugment beside maps": _instead("mgn", "spreid").replace(TAIL, "  training: {augment: {auto: 0.5}}\n" + TAIL),
    "unknown scorer": _base("readouts: {default: {scorer: k_reciprical}}"),
    "scorer without its loss": _base("readouts: {default: {scorer: {kind: graph, head: grap}}}"),
    "scorer of a loss without a head": _base("readouts: {default: {scorer: {kind: pair_head, head: triplet}}}"),
    "scorer of other features": _base(
        "losses: {graph: {kind: graph, on: [p1.global@reduced]}}\n"
        "  readouts: {default: {scorer: graph, normalize: none, taps: [p2.global@reduced]}}"
    ),
    "scorer of changed features": _base(
        "losses: {graph: {kind: graph, on: [p1.global@reduced]}}\n"
        "  readouts: {default: {scorer: graph, taps: [p1.global@reduced]}}"
    ),
    "two stages of one name": _base("training: {stages: [{name: a, images: 9}, {name: a, images: 9}]}"),
    "stage that is frozen to its end": _base(
        "training: {stages: [{name: a, images: 96, freeze: ['shared.*'], frozen_images: 80}]}"
    ),
    "graph that no stage trains": _base(
        "losses: {graph: {kind: graph, on: [global@coarse], base_stages: [a]}}\n"
        "  training: {stages: [{name: a, images: 96}, {name: b, images: 96, losses: [identity]}]}"
    ),
    "head that no stage trains": _base(
        "losses: {graph: {kind: graph, on: [p1.global@reduced]}}\n"
        "  readouts: {default: {scorer: graph, normalize: none, taps: [p1.global@reduced]}}\n"
        "  training: {stages: [{name: a, images: 96, losses: [identity, triplet]}]}"
    ),
    "nothing to erase": _base("training: {augment: {erase: 0.5, erasing: {area: [0.5, 0.9], aspect: [0.1, 0.2]}}}"),
    "padding as large as the images": _base("training: {augment: {pad: 32}}"),
    "second moment of SGD": _base("training: {optimizer: {kind: sgd, amsgrad: true}}"),
    "momentum of Adam": _base("training: {optimizer: {nesterov: true}}"),
    "colour to erase with": _base("training: {augment: {erasing: {fill: menn}}}"),
    "colour out of range": _base("training: {augment: {erasing: {fill: [1, 2, 300]}}}"),
    "infinite margin": _base("losses: {triplet: {margin: .inf}}"),
    "margin beyond every distance": _base("losses: {triplet: {margin: 1e300}}"),
    "weight of pairs that is no number": _base(
        "losses: {graph: {kind: graph, on: [global@coarse], positive_weight: balansed}}"
    ),
    "neither with foreground nor without": _instead("mgn", "spreid").replace("_dim: 64", "_dim: 64, foreground: bth"),
    "labels of maps": _instead("{name: synthetic, preset: tiny}", "{name: market1501, map_labels: {uper: [1]}}"),
    "finite and absurd": _base(
        "training: {lr_multiplier: 1e308, optimizer: {lr: 1e-300, weight_decay: 1e9, clip_norm: 1e-30, "
        "rates: [['*', 1e100]]}, batch: {per_id: 1000000000}}\n"
        "  losses: {identity: {weight: 1e308, scale: 1e200}}"
    ),
    "more images than anyone has": _base("training: {images: 1" + "0" * 30 + "}"),
    "stage of more images than anyone has": _base("training: {stages: [{name: a, images: 1e308}]}"),
    "weight that is lost": _base("losses: {identity: {weight: 1e-300}}"),
    "stride of no branch": _instead("embedding_dim: 64", "strides: {4: 2}"),
    "stages that do not add up": _base("training: {images: 10, stages: [{name: a, images: 9}]}"),
    "epoch without a batch": _base("training: {images: 320, report_every: 16}"),
    "name with a slash": _instead("small", "a/b"),
    "name that is a number": _instead("small", "3"),
    "keep": HEAD + TAIL + "keep: bset\n",
    "no phases": HEAD + "phases: []\n",
    "phases as a map": HEAD + "phases: {kind: ablate}\n",
    "seeds until decided with a typing error": _phases("{kind: ablate, seeds: {form: 5, to: 20, until: decided}}"),
    "seeds until decided without an end": _phases("{kind: ablate, seeds: {from: 5, until: decided}}"),
    "seeds that end before they start": _phases("{kind: ablate, seeds: {from: 20, to: 5, until: decided}}"),
    "seeds until something else": _phases("{kind: ablate, seeds: {from: 5, to: 20, until: bored}}"),
    "seeds from half a seed": _phases("{kind: ablate, seeds: {from: 0.5, to: 20, until: decided}}"),
    "seeds until decided without a claim": _phases("{kind: ablate, seeds: {from: 5, to: 20, until: decided}}"),
    "seeds that can decide no claim": _claimed("{kind: ablate, seeds: 5}", 1),
    "seeds that can decide none of many claims": _claimed(
        "{kind: ablate, seeds: {from: 5, to: 8, until: decided}}", 12
    ),
    "a bound on a control that there is not": _claimed("{kind: ablate, seeds: 9}", 1, "vanishes_within: 0.02"),
    "list of seeds": _phases("{kind: ablate, seeds: [1, 2]}"),
    "several wrong phases": _phases("{kind: ablate, seeds: some}", "{kind: search, trials: 0}"),
    "more finalists than trials": _phases("{kind: search, trials: 4, finalists: 5}"),
    "fewer finalists than none": _phases("{kind: search, finalists: -1}"),
    "seeds of a search without finalists": _phases("{kind: search, seeds: 3}"),
    "no seeds for finalists": _phases("{kind: search, finalists: 3, seeds: 0}"),
    "list of seeds of finalists": _phases("{kind: search, finalists: 3, seeds: [1, 2]}"),
    "unknown pruner": _phases("{kind: search, pruner: halving}"),
    "pruner that is no name": _phases("{kind: search, pruner: 3}"),
    "setting of another pruner": _phases("{kind: search, pruner: {kind: median, reduction: 2}}"),
    "nothing as a pruner": _phases("{kind: search, pruner: null}"),
    "setting of a pruner out of range": _phases("{kind: search, pruner: {reduction: 1}}"),
    "fewest epochs of a pruner beyond a trial": _phases("{kind: search, pruner: {min_epochs: 500}}"),
    "fewest epochs of Hyperband beyond a trial": _phases("{kind: search, pruner: {kind: hyperband, min_epochs: 10}}"),
    "Hyperband of one bracket": _phases("{kind: search, pruner: {kind: hyperband, reduction: 100}}"),
    "batch of more people than there are": _base("training: {batch: {ids: 30, per_id: 2}}"),
    "batch of one image": _base("losses: {triplet: {on: []}}\n  training: {batch: {ids: 1, per_id: 1}}"),
    "batch without two images of a person": _base("training: {batch: {ids: 30, per_id: 1}}"),
    "batch of one person": _base("training: {batch: {ids: 1}}"),
    "batch of two images": _base("training: {batch: {ids: 2, per_id: 1, order: shuffled}}"),
    "drawn pairs of one kind": _base(
        "losses: {pairs: {kind: verification, on: [global@coarse], pairs: drawn}}\n"
        "  training: {batch: {ids: 4, order: pairs, pairs: {same: 0}}}"
    ),
    "recipe in the set of a phase": _phases("{kind: ablate, set: {recipe: pcb}}"),
    "null as a recipe": _recipe("null"),
    "map as a recipe": _recipe("{name: mgn}"),
    "null as the recipe of an arm": _arms("full: {recipe: null}"),
    "recipe of a variant": _axes("system: {variants: {own: {}, PCB: {recipe: PCB}}}"),
    "only loss of a recipe switched off": _recipe("sggnn", "  losses: {graph: null}"),
    "loss of a scorer of a recipe switched off": _recipe(
        "sggnn", "  losses: {graph: {weight: 0}, triplet: {on: [global@coarse]}}"
    ),
    "batch of more people than a search has": _phases("{kind: search, set: {training.batch.ids: 20}}"),
    "unknown sampler": _phases("{kind: search, sampler: gird}"),
    "unknown setting of a sampler": _phases("{kind: search, sampler: {kind: tpe, start_up: 5}}"),
    "setting of another sampler": _phases("{kind: search, sampler: {kind: tpe, population: 9}}"),
    "misspelt setting of another sampler": _phases("{kind: search, sampler: {kind: grid, n_startup: 3}}"),
    "sampler like no other": _phases("{kind: search, sampler: bayes}"),
    "setting of a sampler that is no number": _phases("{kind: search, sampler: {startup: many}}"),
    "Gaussian without a range": _phases("{kind: search, sampler: cma_es}"),
    "two phases of one name": _phases("{kind: ablate}", "{kind: ablate}"),
    "unknown axis of a phase": _phases("{kind: ablate, axes: [model.part]}"),
    "best before a search": _phases("{kind: ablate, around: best}"),
    "unknown design": _phases("{kind: ablate, design: leave_one_in}"),
    "around an unknown arm": _arms("full: {model.parts: [1, 2]}", phase="{kind: ablate, around: ful}"),
    "named arm with a taken name": _arms("best: {model.parts: [1, 2]}"),
    "named arm that is no map": _arms("full: [1, 2]"),
    "named arm of an unknown axis": _arms("full: {model.part: [1, 2]}"),
    "named arm of an unknown level": _arms("full: {model.neck: bneck}"),
    "named arm outside a range": _arms("full: {losses.triplet.margin: 3}"),
    "named arm of a word in a range": _arms("full: {losses.triplet.margin: sotf}"),
    "named arm of a part of a whole number": _arms("full: {training.batch.ids: 2.5}"),
    "named arm whose axis does not exist": _arms("full: {model.pooling: avg, model.neck: none}"),
    "named arm that makes no trial": _arms("full: {model.parts: [1, 8], data.image_size: [48, 32]}"),
    "nothing to leave out": _phases("{kind: ablate, design: leave_one_out}"),
    "nothing to add": _axes("model.parts: {choice: [[1], [1, 2]], levels: [[1]], off: [1]}").replace(
        "ablate}", "ablate, design: add_one_in}"
    ),
    "resolution of another design": _phases("{kind: ablate, design: factorial, resolution: 4}"),
    "resolution that is no choice": _phases("{kind: ablate, design: fractional_factorial, resolution: 6}"),
    "fraction of three levels": _fraction("model.parts: {choice: [[1], [1, 2], [1, 2, 3]]}"),
    "fraction of one level": _fraction("model.parts: {choice: {one: [1]}}"),
    "fraction of a range without levels": _fraction("losses.triplet.margin: {uniform: [0.1, 2]}"),
    "fraction under a condition": _fraction(
        "model.pooling: {choice: [max, avg]}", "model.neck: {choice: [none, bnneck], when: {model.pooling: max}}"
    ),
    "fraction of too many axes": _fraction(*(f"system {n}: {{variants: {{a: {{}}, b: {{}}}}}}" for n in range(13))),
    "tuning each of an unknown axis": _phases("{kind: search, each: model.part}"),
    "tuning nothing of each": _phases("{kind: search, each: model.parts}"),
    "tuning each arm of an earlier ablation": _phases("{kind: ablate}", "{kind: search, each: ablate}"),
    "tuning each arm around the best": _tuned("{kind: ablate, around: best, axes: [model.pooling]}"),
    "tuning each arm by its own axes": _tuned("{kind: ablate, axes: [model.pooling, training.batch.ids]}"),
    "tuning each arm by what its axis depends on": _tuned("{kind: ablate, axes: [model.neck]}"),
    "tuning each arm twice": _tuned(
        "{kind: search, name: again, each: ablate, axes: [training.batch.ids]}",
        "{kind: ablate, axes: [model.pooling]}",
    ),
    "tuning each arm of a path": _tuned("{kind: ablate, design: path, axes: [model.pooling]}"),
    "path without a search": _phases("{kind: ablate, design: path}"),
    "path around the best": _phases("{kind: search}", "{kind: ablate, design: path, around: best}"),
    "path without validation": _instead("preset: tiny", "holdout: 0").replace(TAIL, PARTS)
    + "phases: [{kind: search, set: {data.holdout: 0.2}}, {kind: ablate, design: path}]\n",
    "claim that a path should decide": _phases("{kind: search}", "{kind: ablate, design: path, name: way}")
    + "claims: {it: {better: {model.parts: [1]}, phase: way}}\n",
    "search without axes": HEAD + "phases: [{kind: search}]\n",
    "search without validation": _instead("preset: tiny", "holdout: 0").replace(TAIL, PARTS)
    + "phases: [{kind: search}]\n",
    "validated ablation without validation": _instead("preset: tiny", "holdout: 0").replace(TAIL, PARTS)
    + "phases: [{kind: ablate, evaluate: val}]\n",
    "phase sets an unknown key": _phases("{kind: ablate, set: {training.imagez: 3}}"),
    "phase sets an unknown loss": _phases("{kind: ablate, set: {losses.tripet.margin: 3}}"),
    "phase sets an unknown readout": _phases("{kind: ablate, set: {readouts.defualt.flip: false}}"),
    "axis leads nowhere, last step": _axes("model.partz: {choice: [[1], [1, 2]]}"),
    "axis of another data set": _axes("data.people.twins: {choice: [0, 1]}").replace(
        "name: synthetic, preset: tiny", "name: market1501"
    ),
    "axis leads nowhere, first step": _axes("modle.parts: {choice: [[1], [1, 2]]}"),
    "axis leads nowhere, loss": _axes("losses.tripet.margin: {choice: [1, 2]}"),
    "axis leads nowhere, readout": _axes("readouts.defualt.flip: {choice: [true, false]}"),
    "axis leads nowhere, too deep": _axes("model.parts.0: {choice: [1, 2]}"),
    "axis leads nowhere, far off": _axes("x: {choice: [1, 2]}"),
    "axis of another architecture": _axes("model.last_stride: {choice: [1, 2]}"),
    "level that makes no trial": _axes("model.parts: {choice: [[1], [1, 99]]}"),
    "level of a wrong type": _axes("model.neck: {choice: {none: none, both: bneck}}"),
    "levels that do not go together": _axes(
        "model.parts: {choice: [[1, 2, 3], [1, 2, 8]]}", "data.image_size: {choice: [[64, 32], [48, 32]]}"
    ),
    "range without levels": _axes("losses.triplet.margin: {uniform: [0.1, 2]}"),
    "grid over a range": HEAD
    + "axes: {losses.triplet.margin: {uniform: [0.1, 2]}}\nphases: [{kind: search, sampler: grid}]\n",
    "range upside down": _axes("losses.triplet.margin: {uniform: [2, 0.1]}"),
    "logarithm of zero": _axes("training.optimizer.lr: {log_uniform: [0, 1]}"),
    "two kinds of axis": _axes("losses.triplet.margin: {uniform: [0.1, 2], choice: [1]}"),
    "no kind of axis": _axes("losses.triplet.margin: {levels: [1]}"),
    "choice that is no list": _axes("losses.triplet.margin: {choice: 5}"),
    "variants that are no maps": _axes("system: {variants: {a: {}, b: 3}}"),
    "variant that makes no trial": _axes("system: {variants: {a: {}, b: {model: {partz: [1]}}}}"),
    "levels that are no variants": _axes("system: {variants: {plain: {}, deep: {}}, levels: [plain, dep]}"),
    "off that is no level": _axes("model.neck: {choice: [none, bnneck], off: bneck}"),
    "off that designs leave out": _axes("model.parts: {choice: [[1], [1, 2], [2]], levels: [[1], [2]], off: [1, 2]}"),
    "off of a range without levels": _axes("losses.triplet.margin: {uniform: [0, 2], off: 0}"),
    "empty choice": _axes("model.parts: {choice: []}"),
    "same level twice": _axes("model.parts: {choice: [[1], [1]]}"),
    "same level under two names": _axes("readouts.default.taps: {choice: {a: [reduced], b: [reduced]}}"),
    "same number in two spellings": _axes("losses.triplet.margin: {choice: [1, 1.0, 0.3]}"),
    "same levels of a range": _axes("losses.triplet.margin: {uniform: [0.1, 2], levels: [0.3, 1, 1.0]}"),
    "same variant twice": _axes("system: {variants: {a: {}, b: {losses: {triplet: {margin: 1.2}}}}}"),
    "conditions in a circle": _axes(
        "model.neck: {choice: [none, bnneck], when: {model.pooling: avg}}",
        "model.pooling: {choice: [max, avg], when: {model.neck: bnneck}}",
    ),
    "condition on itself": _axes("model.neck: {choice: [none, bnneck], when: {model.neck: none}}"),
    "condition on nothing": _axes("model.neck: {choice: [none, bnneck], when: {model.poling: avg}}"),
    "condition that never holds": _axes("model.neck: {choice: [none, bnneck], when: {model.pooling: foo}}"),
}

OVERRIDES = {
    "override without a value": "training.images",
    "override of an unknown key": "training.imagez=3",
    "override of a part of the base, misspelt": "trainig.images=3",
    "override of a wrong type": "training.images=many",
    "override that is not YAML": "training.images=[1",
    "override inside a word": "base.data.preset.x=1",
    "override with an empty step": "training..images=1",
    "override of an unknown phase": "phases.ablat.seeds=1",
    "override that deletes too much": "phases=null",
    "override of an unknown axis": "axes.model.partz.choice=[[1]]",
    "override that makes an axis": 'axes."model.partz".choice=[[1]]',
}


def _message(action: Callable[[], object]) -> str:
    with pytest.raises(StudyError) as caught:
        action()
    assert caught.value.exit_code == 2
    return str(caught.value)


def _known() -> dict[str, str]:
    blocks = SNAPSHOT.read_text(encoding="utf-8").removeprefix("== ").split("\n== ")
    return {name: message.strip("\n") for name, _, message in (block.partition("\n") for block in blocks)}


def _compare(name: str, message: str) -> None:
    for family in (ARCHITECTURES, LOSSES, DATASETS, SCORERS):  # a new component changes no message
        message = message.replace(", ".join(family.names()), f"<every {family.noun}>")
    message = message.replace(", ".join(recipe_names()), "<every recipe>").replace(f"{Path.cwd()}/", "")
    known = _known()
    if os.environ.get("REID_SEARCH_UPDATE_SNAPSHOTS"):
        known[name] = message
        named = {case: known[case] for case in (*STUDIES, *OVERRIDES) if case in known}
        SNAPSHOT.write_text("\n".join(f"== {case}\n{text}\n" for case, text in named.items()), encoding="utf-8")
    assert message == _known().get(name)


@pytest.mark.parametrize("name", STUDIES)
def test_message_of_a_wrong_study(name: str, write: Callable[..., Path]) -> None:
    write("name: below\n", "base.yaml")
    path = write(STUDIES[name])
    _compare(name, _message(lambda: load_study(path).plan()))


@pytest.mark.parametrize("name", OVERRIDES)
def test_message_of_a_wrong_override(name: str, write: Callable[..., Path]) -> None:
    path = write(HEAD + PARTS + TAIL)
    _compare(name, _message(lambda: load_study(path, [OVERRIDES[name]])))


def test_every_message_of_the_snapshot_is_tested() -> None:
    assert list(_known()) == [*STUDIES, *OVERRIDES]


@pytest.mark.parametrize("name", STUDIES)
def test_every_message_names_the_file(name: str) -> None:
    assert all(line.startswith(("study.yaml", "… and")) for line in _known()[name].splitlines())


def test_a_file_that_is_not_there(write: Callable[..., Path]) -> None:
    write(HEAD + TAIL, "mgn.yaml")
    assert _message(lambda: load_study("mng.yaml")) == (
        "mng.yaml: no such file; did you mean 'mgn.yaml'? (allowed: mgn.yaml)"
    )
    assert _message(lambda: load_study("nope.yaml")) == "nope.yaml: no such file; allowed: mgn.yaml"
    assert _message(lambda: load_study("mgn")) == (
        "mgn: no such file; expected a study file; did you mean 'mgn.yaml'? (allowed: mgn.yaml)"
    )
    Path("studies").mkdir()
    write(HEAD + TAIL, "studies/pcb.yaml")
    assert _message(lambda: load_study("pcb")) == (
        "pcb: no such file; expected a study file; did you mean 'studies/pcb.yaml'?"
    )
    assert _message(lambda: load_study("nowhere/mgn.yaml")) == "nowhere/mgn.yaml: no such file"


def test_a_file_that_is_no_text(write: Callable[..., Path]) -> None:
    path = write("")
    path.write_bytes(b"\xff\xfe\x00name: x")
    assert _message(lambda: load_study(path)).startswith("study.yaml: cannot be read as a UTF-8 text file")
    assert _message(lambda: load_study(path.resolve().parent)).endswith(
        ": this is a folder; expected one study file, and it holds study.yaml"
    )


def test_mistakes_in_a_file_that_is_extended_are_placed_there(write: Callable[..., Path]) -> None:
    write(HEAD.replace("preset", "preste"), "below.yaml")
    path = write("extends: below.yaml\n" + TAIL)
    assert _message(lambda: load_study(path)).startswith("below.yaml:3: base.data.preste: unknown key")


def test_a_trial_config_is_checked_like_a_base(write: Callable[..., Path]) -> None:
    path = write("data: {name: synthetic}\nmodel: {architecture: mgn}\ntraining: {imagez: 3}\n", "trial.yaml")
    assert _message(lambda: load_trial_file(path)).startswith("trial.yaml:3: training.imagez: unknown key")
