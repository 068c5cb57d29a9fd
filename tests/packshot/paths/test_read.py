"""Reading paths out of files."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packshot.errors import NamingError, UnreadableError
from packshot.formats.blocks import Block, join_blocks
from packshot.paths.model import CLIPPING_PATH_NAME, WORK_PATH, FillRule, SavedPath
from packshot.paths.read import PathFile, choose_path, read_paths
from packshot.paths.write import photoshop_resources
from packshot.types import Size, Status
from tests.packshot.paths.containers import jpeg, png, psd, tiff
from tests.packshot.paths.drawn_paths import circle, rectangle, saved, subpaths
from tests.shared_data import shared_data

KINDS: dict[str, Callable[[bytes], bytes]] = {
    "TIFF": tiff,
    "TIFF, big-endian": partial(tiff, byteorder=">"),
    "TIFF, big": partial(tiff, big=True),
    "PSD": psd,
    "PSB": partial(psd, version=2),
    "JPEG": jpeg,
    "JPEG, in pieces": partial(jpeg, segment_bytes=100),
    "PNG": png,
    "PNG, plain": partial(png, packed=False),
}
TWO = (saved(circle(0.5, 0.5, 0.25), name="Körper"), saved(rectangle(0, 0, 1, 1), name="ユニコード", record_id=2001))


def names(paths: PathFile) -> list[str]:
    return [path.name for path in paths.paths]


@pytest.mark.parametrize("kind", KINDS)
def test_paths_are_found_in_every_kind_of_file(kind: str) -> None:
    found = read_paths(KINDS[kind](photoshop_resources(TWO, clipping="ユニコード")), name="work")
    assert found.kind == kind.split(",")[0]
    assert found.size == Size(80, 60)
    assert names(found) == ["Körper", "ユニコード"]
    assert found.clipping is not None
    assert (found.clipping.record_id, found.clipping_name) == (2001, "ユニコード")
    assert found.paths[1].subpaths == TWO[1].subpaths
    assert found.findings == ()


@given(st.lists(subpaths, max_size=3), st.sampled_from(FillRule))
@settings(deadline=None)
def test_a_path_that_is_written_is_read_again(parts: list, rule: FillRule) -> None:
    path = SavedPath("Path 1", 2000, tuple(parts), is_clipping=True, clip_rule=rule, raw_name=b"Path 1")
    assert read_paths(psd(photoshop_resources([path])), name="work").paths == (path,)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_damaged_files_are_refused_or_read_in_part(kind: str, data: st.DataObject) -> None:
    whole = KINDS[kind](photoshop_resources(TWO, clipping="Körper"))
    harmed = bytearray(whole[: data.draw(st.integers(1, len(whole)))])
    for _ in range(data.draw(st.integers(0, 4))):
        harmed[data.draw(st.integers(0, len(harmed) - 1))] = data.draw(st.integers(0, 255))
    with suppress(UnreadableError):
        choose_path(read_paths(bytes(harmed), name="work"))


@pytest.mark.parametrize(
    "start", [b"", b"GIF89a", b"%PDF-1.4", b"8BPS", b"II*\0", b"MM\0+", b"\xff\xd8", b"\x89PNG\r\n\x1a\n"]
)
@given(rest=st.binary(max_size=120))
def test_any_bytes_are_refused_with_a_reason_or_hold_paths(start: bytes, rest: bytes) -> None:
    with suppress(UnreadableError):
        choose_path(read_paths(start + rest, name="work.tif"))


def test_a_file_of_another_kind_is_refused_by_name() -> None:
    with pytest.raises(UnreadableError, match=r"work\.pdf: no paths can be read"):
        read_paths(b"%PDF-1.4", name="work.pdf")


def test_a_damaged_path_is_told_and_the_others_are_read() -> None:
    blocks = [Block(2000, b"broken", b"\0\0\0\4" + bytes(22) + b"xyz"), Block(2001, b"good", b"")]
    found = read_paths(psd(join_blocks(blocks)), name="work")
    assert names(found) == ["broken", "good"]
    (finding,) = found.findings
    assert (finding.code, finding.status, finding.gate) == ("path_damaged", Status.FAILED, True)
    assert "'broken' (2000)" in finding.message


def test_a_clipping_path_that_is_not_there_is_told() -> None:
    blocks = [Block(2000, b"Path 1", b""), Block(CLIPPING_PATH_NAME, b"", b"\4Lost\0\0\0\0\0\1")]
    found = read_paths(psd(join_blocks(blocks)), name="work")
    assert [one.code for one in found.findings] == ["clipping_path_missing"]
    assert (found.clipping, found.clipping_name) == (None, "Lost")


def test_a_clipping_path_may_come_without_flatness_and_rule() -> None:
    good = photoshop_resources([saved(circle(0.5, 0.5, 0.2))])
    found = read_paths(psd(good + join_blocks([Block(CLIPPING_PATH_NAME, b"", b"\6Path 1")])), name="work")
    assert found.clipping is not None
    assert found.clipping.clip_rule is FillRule.EVEN_ODD


def test_the_clients_rule_goes_before_the_files_word() -> None:
    found = read_paths(tiff(photoshop_resources(TWO, clipping="Körper")), name="work")
    assert choose_path(found, prefer="ユニコード").path == found.paths[1]
    assert choose_path(found, prefer="other").path == found.paths[0]
    assert choose_path(found).why == "the file's clipping path"


def test_of_several_paths_none_is_guessed() -> None:
    chosen = choose_path(read_paths(tiff(photoshop_resources(TWO)), name="work"))
    assert chosen.path is None
    assert "2 paths ('Körper', 'ユニコード')" in chosen.why


def test_an_only_path_needs_no_mark() -> None:
    assert choose_path(read_paths(tiff(photoshop_resources(TWO[:1])), name="work")).why == "the only path"


def test_a_work_path_that_was_not_saved_is_named() -> None:
    found = read_paths(psd(join_blocks([Block(WORK_PATH, b"", b"")])), name="work")
    assert choose_path(found).why == "a work path that was not saved"
    assert choose_path(read_paths(psd(b""), name="work")).why == "no path"


def test_paths_with_one_number_or_none_of_a_path_are_not_written() -> None:
    with pytest.raises(NamingError, match="same number"):
        photoshop_resources([TWO[0], TWO[0]])
    with pytest.raises(NamingError, match="2000 to 2997"):
        photoshop_resources([saved(record_id=2999)])
    with pytest.raises(NamingError, match="no such path"):
        photoshop_resources(TWO, clipping="other")


REAL = {
    "8Bim.tif": ([("Path 1", 1, 4), ("Path 2", 1, 4)], "Path 1"),
    "grape_with_path.jpg": ([("Path 1", 1, 45)], "Path 1"),
    "grape_with_path.psd": ([("Path 1", 1, 45)], "Path 1"),
    "little-endian-grape_with_path.tif": ([("Path 1", 1, 45)], "Path 1"),
    "jfif-ycbcr-no-subsampling-intel.jpg": (
        [("Path 1", 3, 40), ("JPカラー", 0, 0), ("7ごみ、マスク形、向き、確認済\u3000平尾", 0, 0)],
        "Path 1",
    ),
    "unicode_pathname.psd": ([("ユニコード", 1, 4)], ""),
    "unicode_pathname.psb": ([("ユニコード", 1, 4)], ""),
    "fruit-cmyk-MeSa-resource.psd": ([], ""),
}


@pytest.mark.parametrize("name", REAL)
def test_real_files_hold_the_paths_that_photoshop_shows(name: str) -> None:
    found = read_paths(shared_data("editor_returns", "clippath", name).read_bytes(), name=name)
    listed = [(path.name, len(path.subpaths), path.knots) for path in found.paths]
    assert (listed, found.clipping_name) == REAL[name]


def test_every_returned_file_is_read() -> None:
    folder = shared_data("editor_returns")
    files = [file for file in folder.rglob("*") if file.suffix in (".psd", ".psb", ".jpg", ".tif")]
    assert len(files) > 100
    for file in files:
        read_paths(file.read_bytes(), name=file.name)
