"""The matte in returned files, wherever it is."""

from __future__ import annotations

import io
from contextlib import suppress

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import example, given, settings
from hypothesis import strategies as st

from packshot.colour.spaces import WHITE_16
from packshot.errors import RefusedInputError
from packshot.formats.blocks import join_blocks
from packshot.paths.draft import draft_path
from packshot.paths.draft_file import CHANNEL_NAME, read_draft_matte, write_draft
from packshot.paths.model import CLIPPING_PATH_NAME, FIRST_PATH, LAST_PATH, SavedPath
from packshot.paths.rasterise import rasterise
from packshot.paths.write import path_blocks, photoshop_resources
from packshot.returned.read import MatteSource, ReturnedWork, overlap, read_returned
from packshot.types import Matte, Size
from tests.packshot.paths.drawn_paths import rectangle, saved
from tests.packshot.returned import works
from tests.shared_data import shared_data

OTHER = saved(rectangle(0.1, 0.1, 0.2, 0.2), name="Schatten", record_id=2001)


def read(data: bytes, prefer: str = "") -> ReturnedWork:
    return read_returned(data, name="work", limits=works.limits(), prefer_path=prefer)


def matte_of(work: ReturnedWork) -> Matte:
    assert work.matte is not None
    return work.matte


def codes(work: ReturnedWork) -> list[str]:
    return [one.code for one in work.findings]


def test_transparency_is_the_matte() -> None:
    for data in (
        works.png(works.plain(), works.matte()),
        works.tiff(works.master(), works.matte(), meaning="unassalpha"),
    ):
        work = read(data)
        assert work.source is MatteSource.TRANSPARENCY
        np.testing.assert_allclose(matte_of(work), works.matte(), atol=1 / 255)


def test_a_clipping_path_is_the_matte() -> None:
    resources = photoshop_resources([OTHER, works.PATH], clipping="Product")
    for data in (works.tiff(works.master(), resources=resources), works.jpeg(works.plain(), resources=resources)):
        work = read(data)
        assert (work.source, work.source_name) == (MatteSource.CLIPPING_PATH, "Product")
        np.testing.assert_allclose(matte_of(work), works.matte(), atol=1e-4)


def test_the_clients_rule_names_another_path() -> None:
    resources = photoshop_resources([OTHER, works.PATH], clipping="Product")
    data = works.tiff(works.master(), works.matte(), resources=resources, meaning="unassalpha")
    work = read(data, prefer="schatten")
    assert (work.source, work.source_name) == (MatteSource.CLIPPING_PATH, "Schatten")
    assert "mattes_differ" in codes(work)


def test_of_several_unmarked_paths_none_is_used() -> None:
    work = read(
        works.tiff(
            works.master(),
            resources=photoshop_resources([OTHER, works.PATH], clipping="").replace(b"\x0b\xb7", b"\x0b\xb8"),
        )
    )
    assert work.matte is None
    assert "clipping_path_unclear" in codes(work)


NAMES = st.text(st.characters(codec="mac_roman", exclude_categories=("Cc",)), min_size=1, max_size=40)
SIDES = st.tuples(st.floats(0.05, 0.4), st.floats(0.05, 0.4), st.floats(0.6, 0.95), st.floats(0.6, 0.95))


def unmarked(*paths: SavedPath) -> bytes:
    """Photoshop's resources with these paths, and none that names the clipping path."""
    return join_blocks(one for one in path_blocks(paths) if one.number != CLIPPING_PATH_NAME)


@given(NAMES, SIDES, st.integers(FIRST_PATH, LAST_PATH), st.booleans())
@example("Arbeitspfad", (0.1, 0.1, 0.9, 0.9), FIRST_PATH, False)
@settings(max_examples=15, deadline=None)
def test_a_lone_path_is_taken_and_told_unless_the_file_or_the_client_marks_it(
    name: str, sides: tuple[float, float, float, float], number: int, is_jpeg: bool
) -> None:
    """A guide is a path like any other: whoever reads the finding can see whether the product was meant."""
    path = saved(rectangle(*sides), name=name, record_id=number)

    def file(resources: bytes) -> bytes:
        if is_jpeg:
            return works.jpeg(works.plain(), resources=resources)
        return works.tiff(works.master(), resources=resources)

    lone = file(unmarked(path))
    work = read(lone)
    assert (work.source, work.source_name) == (MatteSource.CLIPPING_PATH, path.name)
    (told,) = [finding for finding in work.findings if finding.code == "clipping_path_assumed"]
    assert repr(path.name) in told.message
    assert "clipping_path_assumed" not in codes(read(file(photoshop_resources([path], clipping=path.name))))
    assert "clipping_path_assumed" not in codes(read(lone, prefer=path.name))


def test_a_saved_channel_is_the_matte_where_there_is_nothing_better() -> None:
    work = read(works.tiff(works.master(), works.matte()))
    assert work.source is MatteSource.SAVED_CHANNEL
    np.testing.assert_allclose(matte_of(work), works.matte(), atol=1e-4)


def test_a_path_goes_before_the_channel_that_the_draft_came_with() -> None:
    """The editor bent the path and left the machine's channel alone."""
    draft = draft_path(works.matte())
    half = rasterise(saved(rectangle(0.1, 0.1, 0.9, 0.5)), works.SIZE, works.SIZE)
    work = read(write_draft(works.master(), half, draft))
    assert work.source is MatteSource.CLIPPING_PATH
    assert overlap(matte_of(work), works.matte()) > 0.99
    (finding,) = [one for one in work.findings if one.code == "mattes_differ"]
    assert CHANNEL_NAME in finding.message


def test_a_draft_s_matte_is_read_without_its_pixels() -> None:
    """It is the same as of the whole file, also where the pixels can no longer be decoded."""
    data = write_draft(works.master(), works.matte(), draft_path(works.matte()))
    spoilt = bytearray(data)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages[0]
        for start, length in zip(page.dataoffsets, page.databytecounts, strict=True):
            spoilt[start : start + length] = bytes(length)
    with pytest.raises(RefusedInputError):
        read(bytes(spoilt))
    np.testing.assert_array_equal(read_draft_matte(bytes(spoilt)), matte_of(read(data)))


def test_a_draft_whose_path_covers_everything_tells_nothing_by_it() -> None:
    everywhere = saved(rectangle(-0.1, -0.1, 1.1, 1.1))
    assert read_draft_matte(write_draft(works.master(), works.matte(), everywhere)) is None


def test_a_flat_picture_on_white_is_product_where_it_is_not_white() -> None:
    work = read(works.png(works.on_white()))
    assert work.source is MatteSource.WHITE_BACKGROUND
    np.testing.assert_array_equal(matte_of(work) > 0, (works.on_white() < 255).any(axis=2))


def test_white_that_is_not_exact_does_not_make_all_of_it_product() -> None:
    grey = works.on_white().copy()
    grey[works.matte() == 0] = 253
    rows, columns = np.mgrid[: works.SIZE, : works.SIZE] / works.SIZE - 0.5
    with_its_hole = (np.hypot(rows, columns) < 0.3).astype(np.float32)  # nothing says what shines through there
    assert overlap(matte_of(read(works.png(grey))), with_its_hole) > 0.98


def test_a_photograph_on_its_backdrop_tells_nothing() -> None:
    assert read(works.jpeg(works.plain())).matte is None


def test_a_path_follows_the_pictures_orientation() -> None:
    """The path lies on the pixels as stored; EXIF turns the picture, and the matte with it."""
    half = saved(rectangle(0, 0, 1, 0.25), name="top", is_clipping=True)
    stored = cv2.resize(works.plain(), (300, 200))
    work = read(works.jpeg(stored, resources=photoshop_resources([half]), orientation=6))
    assert work.size == Size(200, 300)
    columns = matte_of(work).mean(axis=0)
    assert columns[-40:].min() == 1
    assert columns[:140].max() == 0
    resized = work.matte_at(Size(400, 600))
    assert resized is not None
    assert resized.shape == (600, 400)
    assert resized.mean(axis=0)[-80:].min() == 1


def test_a_resized_pictures_path_is_laid_on_the_master_at_its_full_size() -> None:
    small = cv2.resize(works.plain(), (300, 300), interpolation=cv2.INTER_AREA)
    work = read(works.jpeg(small, resources=photoshop_resources([works.PATH])))
    composite, matte = work.composite_for(works.master())
    np.testing.assert_allclose(matte, works.matte(), atol=1e-4)
    np.testing.assert_array_equal(composite[matte == 1], works.master()[matte == 1])
    assert (composite[matte == 0] == WHITE_16).all()


def test_work_of_the_masters_size_is_taken_with_its_own_pixels() -> None:
    work = read(works.tiff(works.master(2), resources=photoshop_resources([works.PATH])))
    composite, matte = work.composite_for(works.master())
    np.testing.assert_array_equal(composite[matte == 1], works.master(2)[matte == 1])
    assert (composite[matte == 0] == WHITE_16).all()


def test_work_of_another_shape_is_refused() -> None:
    for data in (works.png(works.on_white()[:600]), works.jpeg(works.plain())):
        with pytest.raises(RefusedInputError, match="cannot be made the shot's picture"):
            read(data).composite_for(works.master())


@given(data=st.data())
@settings(deadline=None, max_examples=25)
def test_damaged_work_is_refused_or_read(data: st.DataObject) -> None:
    small = np.ascontiguousarray(works.master()[::20, ::20])
    whole = works.tiff(small, works.matte()[::20, ::20], resources=photoshop_resources([works.PATH]))
    harmed = bytearray(whole[: data.draw(st.integers(1, len(whole)))])
    for _ in range(data.draw(st.integers(0, 3))):
        harmed[data.draw(st.integers(0, len(harmed) - 1))] = data.draw(st.integers(0, 255))
    with suppress(RefusedInputError):
        read(bytes(harmed))


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("clippath/grape_with_path.psd", MatteSource.CLIPPING_PATH),
        ("clippath/little-endian-grape_with_path.tif", MatteSource.CLIPPING_PATH),
        ("clippath/fruit-cmyk-MeSa-resource.psd", MatteSource.LAYER_MASK),
        ("clippath/ccbug182496.psd", MatteSource.SAVED_CHANNEL),
        ("psd/psd-tools/layer_mask_data.psd", MatteSource.LAYER_MASK),
        ("psd/psd-tools/layer_mask_data.psb", MatteSource.LAYER_MASK),
        ("psd/psd-tools/2layers.psd", MatteSource.LAYER_TRANSPARENCY),
    ],
)
def test_the_matte_of_real_documents_is_found(name: str, source: MatteSource) -> None:
    assert read(shared_data("editor_returns", *name.split("/")).read_bytes()).source is source
