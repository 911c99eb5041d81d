"""Image files of every form come out as what a person sees, and what cannot be read is one message."""

import os
import sqlite3
import warnings
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reid_search.data.decoding import MEAN_PIXEL, decoded, judged, quiet, size_of
from reid_search.errors import DataError

COLOURS = np.random.default_rng(0).integers(0, 256, (6, 4, 3), dtype=np.uint8)


def _pixels(path: Path) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = decoded(path)
    assert image.mode == "RGB"
    assert image.size == size_of(path)
    return np.asarray(image)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
def test_a_person_stands_upright(tmp_path: Path, orientation: int, suffix: str) -> None:
    """Stores what a camera held that way would store: the inverse of the turn that EXIF names."""
    stored = {
        1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2), 6: lambda a: np.rot90(a, 1), 7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }[orientation](COLOURS)  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if suffix == "webp" else {}
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / f"a.{suffix}", exif=exif, **options)
    np.testing.assert_array_equal(_pixels(tmp_path / f"a.{suffix}"), COLOURS)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_are_scaled(tmp_path: Path, suffix: str) -> None:
    values = np.array([[0, 128, 129, 257], [32896, 65279, 65407, 65535]], np.uint16)
    Image.fromarray(values).save(tmp_path / f"a.{suffix}")
    expected = np.floor(values / 257 + 0.5).astype(np.uint8)
    np.testing.assert_array_equal(_pixels(tmp_path / f"a.{suffix}"), np.repeat(expected[..., None], 3, axis=2))


@pytest.mark.parametrize("mode", ["1", "L"])
def test_grey_is_grey(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(np.array([[0, 255], [255, 0]], np.uint8)).convert(mode)
    image.save(tmp_path / "a.png")
    np.testing.assert_array_equal(_pixels(tmp_path / "a.png")[..., 1], [[0, 255], [255, 0]])


def test_a_palette_means_its_colours(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[0, 1], [2, 0]], np.uint8), "P")
    image.putpalette([10, 20, 30, 200, 100, 0, 5, 5, 5])
    image.save(tmp_path / "plain.png")
    image.save(tmp_path / "clear.png", transparency=1)
    image.save(tmp_path / "soft.png", transparency=bytes([255, 0, 255]))
    plain = np.array([[[10, 20, 30], [200, 100, 0]], [[5, 5, 5], [10, 20, 30]]])
    np.testing.assert_array_equal(_pixels(tmp_path / "plain.png"), plain)
    plain[0, 1] = MEAN_PIXEL
    np.testing.assert_array_equal(_pixels(tmp_path / "clear.png"), plain)
    np.testing.assert_array_equal(_pixels(tmp_path / "soft.png"), plain)


@pytest.mark.parametrize("alpha", [0, 51, 255])
@pytest.mark.parametrize("grey", [True, False])
def test_what_is_transparent_shows_the_mean_pixel(tmp_path: Path, alpha: int, grey: bool) -> None:
    colours = np.repeat(COLOURS[..., :1], 3, axis=2) if grey else COLOURS
    image = Image.fromarray(colours).convert("L" if grey else "RGB")
    image.putalpha(alpha)
    image.save(tmp_path / "a.png")
    expected = colours * (alpha / 255) + np.array(MEAN_PIXEL) * (1 - alpha / 255)
    assert np.abs(_pixels(tmp_path / "a.png") - expected).max() <= 1


def test_one_colour_may_be_the_transparent_one(tmp_path: Path) -> None:
    Image.fromarray(COLOURS).save(tmp_path / "a.png", transparency=tuple(COLOURS[0, 0].tolist()))
    seen = _pixels(tmp_path / "a.png")
    assert seen[0, 0].tolist() == list(MEAN_PIXEL)
    np.testing.assert_array_equal(seen[1:], COLOURS[1:])


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_is_what_is_printed(tmp_path: Path, suffix: str) -> None:
    ink = np.zeros((16, 16, 4), np.uint8)
    ink[..., 0] = 255  # cyan
    Image.fromarray(ink, "CMYK").save(tmp_path / f"a.{suffix}", **({"quality": 100} if suffix == "jpg" else {}))
    assert np.abs(_pixels(tmp_path / f"a.{suffix}").astype(int) - [0, 255, 255]).max() <= 2


def test_the_first_of_several_images_is_read(tmp_path: Path) -> None:
    first, second = Image.fromarray(COLOURS), Image.new("RGB", (4, 6))
    first.save(tmp_path / "a.tif", save_all=True, append_images=[second])
    np.testing.assert_array_equal(_pixels(tmp_path / "a.tif"), COLOURS)


def test_damaged_metadata_make_no_image_unreadable(tmp_path: Path) -> None:
    Image.fromarray(COLOURS).save(tmp_path / "a.png", exif=b"Exif\0\0nonsense")
    with quiet():
        np.testing.assert_array_equal(np.asarray(decoded(tmp_path / "a.png")), COLOURS)


def _bomb(path: Path) -> None:
    """Write a PNG of 400 million pixels in a few hundred kilobytes."""
    Image.new("1", (20_000, 20_000)).save(path, "PNG")


def _large(path: Path) -> None:
    """Write a PNG of 100 million pixels, of which Pillow only warns."""
    Image.new("1", (10_000, 10_000)).save(path, "PNG")


def _cut(kind: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        Image.fromarray(np.repeat(np.repeat(COLOURS, 20, axis=0), 20, axis=1)).save(path, kind)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return write


def _wrong_checksum(path: Path) -> None:
    Image.fromarray(COLOURS).save(path, "PNG")
    content = path.read_bytes()
    start = content.index(b"IDAT")
    data = zlib.compress(b"short")
    path.write_bytes(content[: start - 4] + len(data).to_bytes(4, "big") + b"IDAT" + data + b"\0\0\0\0")


def _floats(path: Path) -> None:
    Image.fromarray(np.full((4, 4), 0.5, np.float32)).save(path, "TIFF")


def _integers(path: Path) -> None:
    Image.fromarray(np.full((4, 4), 200, np.int32)).save(path, "TIFF")


def _post_script(path: Path) -> None:
    path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\n%%EndComments\nshowpage\n")


WRONG = {
    "bomb": (_bomb, "pixels, as in a decompression bomb"),
    "large": (_large, "pixels, as in a decompression bomb"),
    **{f"cut {kind}": (_cut(kind), "not a readable image") for kind in ("JPEG", "PNG", "BMP", "TIFF", "GIF", "WEBP")},
    "checksum": (_wrong_checksum, "not a readable image"),
    "floats": (_floats, "floating-point pixels"),
    "integers": (_integers, "32-bit pixels"),
    "PostScript": (_post_script, "of no known format"),
    "text": (lambda path: path.write_text("no picture"), "of no known format"),
    "empty": (lambda path: path.write_bytes(b""), "of no known format"),
    "fifo": (os.mkfifo, "not a file"),
    "folder": (Path.mkdir, "not a file"),
    "absent": (lambda path: None, "no such file"),
    "loop": (lambda path: path.symlink_to(path.name), "a link that leads back to itself"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_read_is_one_message_with_the_path(tmp_path: Path, name: str, capfd) -> None:
    damage, said = WRONG[name]
    path = tmp_path / "0001_c1.jpg"
    damage(path)
    with warnings.catch_warnings(record=True) as spilled, quiet(), pytest.raises(DataError, match=said) as caught:
        decoded(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert not spilled
    assert capfd.readouterr().err == ""
    assert list(judged({str(path): "a" * 60 + name[:4]}).problems) == [str(path)]


def test_a_verdict_that_nobody_gave_is_judged_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REID_SEARCH_CACHE", str(tmp_path / "cache"))
    path = str(tmp_path / "a.png")
    Image.fromarray(COLOURS).save(path)
    found = judged({path: "a" * 64})
    with closing(sqlite3.connect(tmp_path / "cache/contents.sqlite")) as connection, connection:
        connection.execute("UPDATE verdicts SET verdict = 'junk'")
    assert judged({path: "a" * 64}) == found


def test_each_content_is_judged_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REID_SEARCH_CACHE", str(tmp_path / "cache"))
    whole, cut = str(tmp_path / "a.png"), str(tmp_path / "b.png")
    Image.fromarray(COLOURS).save(whole)
    _cut("PNG")(Path(cut))
    digests = {whole: "a" * 64, cut: "b" * 64}
    found = judged(digests)
    assert list(found.problems) == [cut]
    assert found.sizes == {whole: (4, 6)}
    Path(whole).unlink()
    Path(cut).unlink()
    assert judged(digests) == found
