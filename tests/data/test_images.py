"""The image cache: right pixels, built once, whole or not at all."""

import errno
import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional

from reid_search.data import ReidDataset, load_dataset, open_images
from reid_search.data.market1501.config import MarketConfig
from reid_search.errors import DataError, InputChanged, ResourceError

from .conftest import write_image

SIZE = (12, 6)


def _dataset(root: Path) -> ReidDataset:
    return load_dataset(MarketConfig(name="market1501", root=root))


def _open(root: Path, cache: Path, barrier, results) -> None:
    from reid_search.data import images

    write = images._write

    def counted(target, *arguments):
        results.put(str(target))
        write(target, *arguments)

    images._write = counted
    barrier.wait()
    assert open_images(_dataset(root), SIZE, cache)["train"].pixels.shape == (16, *SIZE, 3)


def test_images_are_decoded_and_resized_in_the_order_of_the_tables(market: Path, tmp_path: Path) -> None:
    dataset = _dataset(market)
    images = open_images(dataset, SIZE, tmp_path)
    for name in ("train", "query", "gallery"):
        expected = [
            np.asarray(Image.open(path).convert("RGB").resize((SIZE[1], SIZE[0]), Image.Resampling.BILINEAR))
            for path in getattr(dataset, name)["path"]
        ]
        np.testing.assert_array_equal(images[name].pixels, expected)
        assert not images[name].pixels.flags.writeable


def test_bicubic_images_are_a_cache_of_their_own_and_as_torch_makes_them(market: Path, tmp_path: Path) -> None:
    dataset = _dataset(market)
    usual = open_images(dataset, SIZE, tmp_path)["train"].pixels
    found = open_images(dataset, SIZE, tmp_path, interpolation="bicubic")["train"].pixels
    whole = [
        torch.from_numpy(np.array(Image.open(path))).permute(2, 0, 1)[None].float() for path in dataset.train["path"]
    ]
    for mode, own, other in (("bilinear", usual, found), ("bicubic", found, usual)):
        made = [functional.interpolate(image, SIZE, mode=mode, antialias=True) for image in whole]
        expected = torch.cat(made).permute(0, 2, 3, 1).clamp(0, 255).numpy()
        assert np.abs(expected - own).mean() < 0.5  # Pillow rounds and clips, once each way
        assert np.abs(expected - other).mean() > 2
    np.testing.assert_array_equal(open_images(dataset, SIZE, tmp_path)["train"].pixels, usual)


def test_a_second_size_is_a_second_cache_and_a_second_opening_decodes_nothing(market: Path, tmp_path: Path) -> None:
    dataset = _dataset(market)
    open_images(dataset, SIZE, tmp_path)
    for path in dataset.train["path"]:
        Path(path).unlink()
    assert open_images(dataset, SIZE, tmp_path)["train"].pixels.shape == (16, *SIZE, 3)
    with pytest.raises(DataError):
        open_images(dataset, (6, 6), tmp_path)


@pytest.mark.parametrize("content", ["truncated", "text", "empty"])
def test_an_unreadable_image_is_named_and_leaves_nothing_behind(market: Path, tmp_path: Path, content: str) -> None:
    victim = sorted((market / "bounding_box_test").iterdir())[2]
    whole = victim.read_bytes()
    victim.write_bytes({"truncated": whole[: len(whole) // 2], "text": b"no picture", "empty": b""}[content])
    dataset = _dataset(market)
    cache = tmp_path / "cache"
    with pytest.raises(DataError, match=victim.name):
        open_images(dataset, SIZE, cache)
    left = [path.name for path in (cache / "images").iterdir() if path.is_dir()]
    assert all(name.endswith(("-train", "-query")) and not name.startswith(".") for name in left)


def test_eight_processes_asking_at_once_build_one_cache(market: Path, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(8), context.Queue()
    processes = [context.Process(target=_open, args=(market, tmp_path, barrier, results)) for _ in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 8
    assert len({results.get(timeout=5) for _ in range(3)}) == 3
    assert results.empty()


def test_a_cache_that_cannot_be_written_names_the_variable(market: Path, tmp_path: Path, monkeypatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(ResourceError, match="REID_SEARCH_CACHE"):
        open_images(_dataset(market), SIZE, tmp_path / "cache")


def test_an_image_that_is_edited_before_it_is_decoded_is_not_kept_for_the_one_that_was_hashed(
    market: Path, tmp_path: Path
) -> None:
    dataset, cache = _dataset(market), tmp_path / "cache"
    edited = Path(dataset.train["path"][0])
    before = edited.read_bytes()
    write_image(edited, 999)
    with pytest.raises(InputChanged, match=r"market1501 in .*: the data changed while they were read"):
        open_images(dataset, SIZE, cache)
    edited.write_bytes(before)
    kept = open_images(_dataset(market), SIZE, cache)["train"].pixels
    np.testing.assert_array_equal(kept, open_images(_dataset(market), SIZE, tmp_path / "new")["train"].pixels)


@pytest.mark.parametrize("damage", ["truncated", "empty", "garbage", "missing", "fewer rows", "other numbers"])
def test_a_damaged_cache_is_built_again(
    market: Path, tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    dataset = _dataset(market)
    whole = np.array(open_images(dataset, SIZE, tmp_path)["train"].pixels)
    [path] = tmp_path.glob("images/*-train/values.npy")
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage in ("fewer rows", "other numbers"):
        np.save(path, whole[:3] if damage == "fewer rows" else whole.astype(np.int8))
    else:
        path.write_bytes({"truncated": content[:300], "empty": b"", "garbage": b"x" * len(content)}[damage])
    np.testing.assert_array_equal(open_images(dataset, SIZE, tmp_path)["train"].pixels, whole)
    assert f"{path}: damaged; it is built again" in caplog.messages
    assert {item.name.rpartition("-")[2] for item in (tmp_path / "images").glob("*-*") if item.is_dir()} == {
        "train", "query", "gallery",
    }  # fmt: skip


def test_a_full_disk_is_said_before_the_first_image_is_written(
    market: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_file: int, _start: int, size: int) -> None:
        assert size == 16 * 12 * 6 * 3 + 128  # the rows of the training table, and the header of a `.npy` file
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with pytest.raises(ResourceError, match=r"No space left on device\); set REID_SEARCH_CACHE"):
        open_images(_dataset(market), SIZE, tmp_path / "cache")
    assert not [path for path in (tmp_path / "cache/images").iterdir() if path.is_dir()]
