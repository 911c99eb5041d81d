"""Every kind of input that a trial reads: folders of a few small files, and the trial that reads each."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image
from safetensors.numpy import save_file
from scipy.io import savemat

Content = dict[str, Any]
Edit = Callable[[bytes], bytes]

THREE = ("bounding_box_train", "query", "bounding_box_test")
MODEL = {"architecture": "baseline", "backbone": "resnet10_thin"}
SYNTHETIC = {"name": "synthetic", "preset": "tiny"}


@dataclass(frozen=True)
class Input:
    """A folder and the trial that reads it.

    Attributes:
        build: Fills the folder.
        reads: How one file of each kind that is read is found, and how it is edited.
        trial: The trial's content; a text that begins with `@` is a path in the folder.
        named: Entries of the trial, such as `data.maps`, whose file or folder may lie anywhere under any name.
        own: Folders in which every image is one of the data set.
        environment: Variables that hold paths, as in `trial`.
    """

    build: Callable[[Path], object]
    reads: Mapping[str, Edit]
    trial: Content
    named: Sequence[str] = ()
    own: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


# Edits. Those of lists leave what they say as it is, so that nothing but their bytes can tell.


def _last_bit(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def _description(content: bytes) -> bytes:
    """Edit the free text with which a .mat begins."""
    return content[:20] + bytes([content[20] ^ 1]) + content[21:]


def _lines_reversed(content: bytes) -> bytes:
    return b"".join(reversed(content.splitlines(keepends=True)))


def _swapped(old: bytes, new: bytes, content: bytes) -> bytes:
    assert old in content
    return content.replace(old, new, 1)


# Folders


def _images(root: Path, *names: str) -> None:
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 16), (number, len(name), sum(name.encode()) % 256)).save(root / name)


def _parts(root: Path, form: str, train: str, query: str, gallery: str) -> None:
    """Fill a folder for each part: one identity to train on and one to test on."""
    for identity, camera, frame, part in ((1, 1, 1, train), (2, 1, 2, query), (2, 2, 3, gallery)):
        _images(root / part, form.format(identity, camera, frame))


def _market(root: Path) -> None:
    _parts(root, "{:04}_c{}s1_{:06}_00.jpg", *THREE)
    _images(root, "gt_bbox/0002_c1s1_000007_00.jpg", "gt_bbox/0002_c2s1_000007_00.jpg", "images/00000001.jpg")


def _duke(root: Path) -> None:
    _parts(root, "{:04}_c{}_f{:07}.jpg", *THREE)
    (root / "lists").mkdir()
    for name, folder in zip(("train", "query", "gallery"), THREE, strict=True):
        names = sorted(path.name for path in (root / folder).iterdir())
        (root / "lists" / f"{name}.list").write_text("".join(f"{line}\n" for line in names))


def _msmt(root: Path) -> None:
    folders = {"train": "train", "val": "train", "query": "test", "gallery": "test"}
    for number, (part, folder) in enumerate(folders.items()):
        names = [f"{who:04}/{who:04}_{number:03}_{camera:02}_0303noon_1_0.jpg" for who in (0, 1) for camera in (1, 2)]
        _images(root / folder, *names)
        (root / f"list_{part}.txt").write_text("".join(f"{name} {int(name[:4])}\n" for name in names))


def _prcc(root: Path) -> None:
    for person in ("001", "002"):
        _images(root / "rgb/train" / person, "A_cropped_rgb001.jpg", "C_cropped_rgb002.jpg")
        for camera in "ABC":
            _images(root / "rgb/test" / camera / person, "cropped_rgb003.jpg")


def _cuhk03(root: Path) -> None:
    rows = [(who, view, shot) for who, view, shot in product((1, 2, 3, 4), (1, 2), (1, 2))]
    names = [f"1_{who:03}_{view}_0{shot}.png" for who, view, shot in rows]

    def column(values: Sequence[object], kind: type = float) -> npt.NDArray[Any]:
        return np.array(values, kind)[:, None]

    def places(wanted: Callable[[int, int], bool]) -> npt.NDArray[Any]:
        return column([place for place, (who, _, shot) in enumerate(rows, start=1) if wanted(who, shot)])

    protocol = {
        "filelist": column(names, object),
        "labels": column([who for who, _, _ in rows]),
        "camId": column([view for _, view, _ in rows]),
        "train_idx": places(lambda who, _: who < 3),
        "query_idx": places(lambda who, shot: who > 2 and shot == 1),
        "gallery_idx": places(lambda who, shot: who > 2 and shot == 2),
    }
    for boxes in ("detected", "labeled"):
        _images(root / f"images_{boxes}", *names)
        savemat(root / f"cuhk03_new_protocol_config_{boxes}.mat", protocol)
    with h5py.File(root / "cuhk-03.mat", "w") as file:
        tested = np.array([[1.0, 1.0], [3.0, 4.0]])
        splits = [file.create_dataset(f"split{number}", data=tested).ref for number in range(20)]
        file.create_dataset("testsets", data=np.array([splits], h5py.ref_dtype))
        file.create_dataset("labeled", data=b"the images")


def _manifest(name: str, root: Path) -> None:
    rows = [
        {
            "path": f"{who}/{camera}.png",
            "identity": f"p{who}",
            "camera": f"c{camera} ",
            "split": "train" if who < 2 else "gallery" if camera else "query",
            "maps": f"parsed/{who}{camera}.png",
            "keypoints": f"poses/{who}{camera}.json" if camera else "",
        }
        for who, camera in product(range(4), range(3))
    ]
    _images(root, *(row["path"] for row in rows))
    for row, (column, form) in product(rows, (("maps", "masks/{stem}.png"), ("keypoints", "keypoints/{stem}.json"))):
        if row[column]:
            (root / row[column]).parent.mkdir(exist_ok=True)
            (root / row[column]).write_bytes(_FORMS[form])
    table = pd.DataFrame(rows)
    table.to_csv(root / name, index=False) if name.endswith(".csv") else table.to_parquet(root / name)


def _bytes_of(save: Callable[[io.BytesIO], object]) -> bytes:
    buffer = io.BytesIO()
    save(buffer)
    return buffer.getvalue()


def _indexed() -> Image.Image:
    image = Image.new("P", (8, 16))
    image.putpalette([0, 0, 0, 128, 0, 0])
    return image


_PLANES = np.full((5, 16, 8), 0.2, np.float32)
_JOINTS = [1, 2, 2] * 17
_FORMS: dict[str, bytes] = {
    "masks/{stem}.png": _bytes_of(partial(Image.new("L", (8, 16)).save, format="PNG")),
    "colours/{name}.png": _bytes_of(partial(_indexed().save, format="PNG")),
    "planes/{folder}/{stem}.npy": _bytes_of(lambda file: np.save(file, _PLANES)),
    "zipped/{stem}.npz": _bytes_of(lambda file: np.savez(file, maps=_PLANES)),
    "keypoints/{stem}.json": json.dumps({"keypoints": _JOINTS}).encode(),
    "openpose/{stem}_keypoints.json": json.dumps({"people": [{"pose_keypoints_2d": [1] * 75}]}).encode(),
    "openpifpaf/{name}.predictions.json": json.dumps([{"keypoints": _JOINTS, "score": 0.5}]).encode(),
}
"""What lies beside every image, under which name."""


def _accompanied(root: Path) -> None:
    """Market-1501 with side-cars in every form."""
    _market(root)
    images = [path for folder in THREE for path in sorted((root / folder).iterdir())]
    for image, (form, content) in product(images, _FORMS.items()):
        path = root / form.format(stem=image.stem, name=image.name, folder=image.parent.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (root / "linked").mkdir()
    for folder in THREE:
        (root / "linked" / folder).symlink_to("../masks", target_is_directory=True)
    found = [{"image_id": image.name, "category_id": 1, "keypoints": _JOINTS, "score": 0.9} for image in images]
    (root / "coco.json").write_text(json.dumps(found))
    (root / "attributes.csv").write_text("identity,gender\n1,0\n2,1\n")
    people = {"gender": np.array([1, 2]), "image_index": np.array(["0001", "0002"], object)}
    for name in ("market_attribute", "duke_attribute"):
        savemat(root / f"{name}.mat", {name: {"train": people, "test": people}})


def _two_sets(root: Path) -> None:
    _market(root / "market1501")
    _msmt(root / "msmt17")


def _weights(root: Path) -> None:
    for folder in ("hub/checkpoints", "trial/checkpoint"):
        (root / folder).mkdir(parents=True)
    for name in ("plain.pth", "snapshot.pth.tar", "hub/checkpoints/resnet18-f37072fd.pth"):
        (root / name).write_bytes(name.encode() * 9)  # a key does not ask what is in them
    for name in ("plain.safetensors", "trial/checkpoint/weights.safetensors"):
        save_file({"weight": np.ones(3, np.float32)}, root / name)


# Trials


def _set(name: str, **settings: object) -> Content:
    return {"data": {"name": name, "root": "@", **settings}, "model": MODEL}


def _of(*patterns: str, edit: Edit = _last_bit) -> dict[str, Edit]:
    return dict.fromkeys(patterns, edit)


def _in(*folders: str) -> dict[str, Edit]:
    return _of(*(f"{folder}/*" for folder in folders))


MARKET_OWN = (*THREE, "gt_bbox", "images")


def _beside(kind: str, place: str, files: str, edit: Edit = _last_bit, **settings: object) -> Input:
    trial = _set("market1501", **{kind: f"@{place}"}, **settings)
    return Input(_accompanied, _of(files, edit=edit), trial, [f"data.{kind}"], MARKET_OWN)


def _usual(file: str) -> Input:
    return Input(_accompanied, _of(file), _set("market1501"), own=MARKET_OWN)


def _pretrained(weights: str, file: str, entry: str = "model.weights", **model: object) -> Input:
    trial = {"data": SYNTHETIC, "model": {**MODEL, "weights": weights, **model}}
    return Input(_weights, _of(file), trial, [entry])


MARKET = {"name": "market1501", "root": "@market1501"}
MSMT = {"name": "msmt17", "root": "@msmt17"}
PARSER = {"architecture": "spreid", "backbone": "resnet10_thin", "maps": "learnt"}
OTHER_DATA = {"name": "market1501", "root": "@"}
STAGES = [{"name": "parser", "images": 8, "data": OTHER_DATA, "losses": ["parsing"]}, {"name": "all", "images": 8}]
TWO_OWN = [f"market1501/{folder}" for folder in MARKET_OWN]
LISTS = _of(*(f"list_{part}.txt" for part in ("train", "val", "query", "gallery")), edit=_lines_reversed)
INPUTS: dict[str, Input] = {
    "market1501": Input(_market, _in(*THREE), _set("market1501"), own=MARKET_OWN),
    "multi-query": Input(_market, _in("gt_bbox"), _set("market1501", multi_query=True), own=MARKET_OWN),
    "distractors": Input(_market, _in("images"), _set("market1501", distractors=True), own=MARKET_OWN),
    "dukemtmc": Input(_duke, _in(*THREE), _set("dukemtmc"), own=THREE),
    "occluded_duke": Input(_duke, _in(*THREE), _set("occluded_duke"), own=THREE),
    "occluded_duke by lists": Input(
        _duke,
        _in(*THREE) | _of("lists/train.list", "lists/query.list", "lists/gallery.list"),
        _set("occluded_duke", lists="@lists"),
        ["data.lists"],
        THREE,
    ),
    "cuhk03": Input(
        _cuhk03,
        _in("images_detected") | _of("cuhk03_new_protocol_config_detected.mat", edit=_description),
        _set("cuhk03"),
    ),
    "cuhk03 labelled": Input(
        _cuhk03,
        _in("images_labeled") | _of("cuhk03_new_protocol_config_labeled.mat", edit=_description),
        _set("cuhk03", boxes="labelled"),
    ),
    "cuhk03 classic": Input(
        _cuhk03,
        _in("images_detected") | _of("cuhk-03.mat", edit=partial(_swapped, b"the images", b"new images")),
        _set("cuhk03", protocol="classic"),
        own=["images_detected"],
    ),
    "cuhk03 in folders": Input(
        lambda root: _parts(root / "detected", "{:04}_c{}_{}.png", *THREE),
        _in(*(f"detected/{folder}" for folder in THREE)),
        _set("cuhk03"),
        own=[f"detected/{folder}" for folder in THREE],
    ),
    "msmt17": Input(_msmt, _in("train/*", "test/*") | LISTS, _set("msmt17")),
    "veri776": Input(
        lambda root: _parts(root, "{:04}_c{:03}_{:08}_0.jpg", "image_train", "image_query", "image_test"),
        _in("image_train", "image_query", "image_test"),
        _set("veri776"),
        own=["image_train", "image_query", "image_test"],
    ),
    "ltcc": Input(
        lambda root: _parts(root, "{0:03}_{2}_c{1}_000001.png", "train", "query", "test"),
        _in("train", "query", "test"),
        _set("ltcc"),
        own=["train", "query", "test"],
    ),
    "prcc": Input(
        _prcc,
        _in("rgb/train/*", "rgb/test/A/*", "rgb/test/C/*"),
        _set("prcc"),
        own=["rgb/train", "rgb/train/*", "rgb/test/*", "rgb/test/*/*"],
    ),
    "manifest.csv": Input(
        partial(_manifest, "manifest.csv"),
        _in("0", "parsed", "poses") | _of("manifest.csv", edit=partial(_swapped, b",c0 ,", b", c0,")),
        _set("manifest"),
    ),
    "manifest.parquet": Input(
        partial(_manifest, "manifest.parquet"),
        _of("manifest.parquet", edit=partial(_swapped, b"parquet-cpp-arrow", b"parquet_cpp_arrow")),
        _set("manifest"),
    ),
    "maps": _beside("maps", "masks", "masks/0001*"),
    "maps in their usual place": _usual("masks/0001*"),
    "maps of a palette": _beside("maps", "colours", "colours/0001*", map_labels={"head": [1]}),
    "maps as .npy, in sub-folders": _beside("maps", "planes", "planes/query/*"),
    "maps as .npz": _beside("maps", "zipped", "zipped/0001*"),
    "maps in linked sub-folders": Input(
        _accompanied, _of("masks/0002*"), _set("market1501", maps="@linked"), own=MARKET_OWN
    ),
    "keypoints": _beside("keypoints", "keypoints", "keypoints/0001*"),
    "keypoints in their usual place": _usual("keypoints/0001*"),
    "keypoints of OpenPose": _beside("keypoints", "openpose", "openpose/0001*"),
    "keypoints of OpenPifPaf": _beside("keypoints", "openpifpaf", "openpifpaf/0001*"),
    "keypoints in one file": _beside("keypoints", "coco.json", "coco.json"),
    "attributes": _beside("attributes", "attributes.csv", "attributes.csv"),
    "attributes in their usual place": _usual("attributes.csv"),
    "attributes of Market-1501": _beside("attributes", "market_attribute.mat", "market_attribute.mat", _description),
    "attributes of DukeMTMC-reID": _beside("attributes", "duke_attribute.mat", "duke_attribute.mat", _description),
    "several": Input(
        _two_sets,
        _in("market1501/query", "msmt17/train/*") | _of("msmt17/list_query.txt", edit=_lines_reversed),
        {"data": {"train": ["market1501", "msmt17"], "root": "@"}, "model": MODEL},
        own=TWO_OWN,
    ),
    "several, tested elsewhere": Input(
        _two_sets,
        _in("market1501/query", "msmt17/test/*"),
        {"data": {"train": MARKET, "test": {"own": MARKET, "far": MSMT}}, "model": MODEL},
        ["data.test.far.root"],
        TWO_OWN,
    ),
    "a stage of its own": Input(
        _accompanied,
        _in("bounding_box_train", "masks"),
        {"data": SYNTHETIC, "model": PARSER, "training": {"stages": STAGES}},
        ["training.stages.0.data.root"],
        MARKET_OWN,
    ),
    "weights": _pretrained("@plain.pth", "plain.pth"),
    "weights of a snapshot": _pretrained("@snapshot.pth.tar", "snapshot.pth.tar"),
    "weights as safetensors": _pretrained("@plain.safetensors", "plain.safetensors"),
    "weights of a trial": _pretrained("@trial", "trial/checkpoint/*"),
    "weights of a second stream": _pretrained(
        "@plain.pth",
        "snapshot.pth.tar",
        "model.second_weights",
        architecture="bilinear_cnn",
        streams="two",
        second_weights="@snapshot.pth.tar",
    ),
    "weights by default": Input(
        _weights,
        _of("hub/checkpoints/*"),
        {"data": SYNTHETIC, "model": {**MODEL, "backbone": "resnet18", "weights": "default"}},
        environment={"TORCH_HOME": "@"},
    ),
}
