from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from packshot.colour.transform import srgb8_to_working
from packshot.export import report_page
from packshot.export.client_words import approved_by, why_absent
from packshot.export.delivery import DeliveredFile, DeliverySummary, ShotSummary
from packshot.export.preview import before_and_after
from packshot.export.report_page import ShotPictures, pictures_of, report_html, thumbnail
from packshot.record import State
from packshot.types import Finding, Sourced, Status
from tests.packshot.export.deliveries import delivery

File = tuple[DeliveredFile, bytes]


def webp(*colours: tuple[int, int, int], gap: bool = True) -> bytes:
    parts: list[np.ndarray] = []
    for colour in colours:
        if parts and gap:
            parts.append(np.full((300, 12, 3), 128, np.uint8))
        parts.append(np.full((300, 300, 3), colour, np.uint8))
    stream = io.BytesIO()
    Image.fromarray(np.hstack(parts)).save(stream, "WEBP", quality=82)
    return stream.getvalue()


def preview(before: tuple[int, int, int], after: tuple[int, int, int] | None = None) -> bytes:
    """A preview as the line stores it, of pictures of one colour."""
    sides = [
        np.full((300, 300, 3), srgb8_to_working(np.full((1, 1, 3), one, np.uint8)), np.uint16)
        for one in (before, after)
        if one
    ]
    return before_and_after(sides[0], sides[1] if after else None)


def pictures(shot: ShotSummary) -> ShotPictures:
    if not shot.files:
        return ShotPictures()
    both = preview((200, 30, 30), (30, 30, 200))
    shown = pictures_of(both, [("fringe", "A faint fringe.", webp((9, 9, 9), (250, 250, 250)))])
    return shown.model_copy(update={"renditions": {"amazon_main/B0PACK0301.MAIN.jpg": webp((1, 2, 3))}})


def without(_: ShotSummary) -> ShotPictures:
    return ShotPictures()


class Page(HTMLParser):
    """Collects what a browser would load and what a reader would read; complains about tags left open."""

    def __init__(self, page: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[str] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(page.decode())
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "action")]
        if tag not in ("meta", "img", "br", "link", "input", "hr"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def shown(uri: str) -> np.ndarray:
    with Image.open(io.BytesIO(base64.b64decode(uri.split(",", 1)[1]))) as image:
        return np.asarray(image.convert("RGB"))


def test_the_page_needs_nothing_but_itself(amazon_file: File) -> None:
    page = report_html(delivery(amazon_file[0]), pictures=pictures)
    links = Page(page).links
    assert len([link for link in links if link.startswith("data:image/")]) == 4
    assert all(link.startswith(("data:image/", "#")) for link in links)
    assert b"<script" not in page
    assert b"default-src 'none'" in page


def test_before_and_after_are_shown_side_by_side(amazon_file: File) -> None:
    links = Page(report_html(delivery(amazon_file[0]), pictures=pictures)).links
    before, after = (shown(link) for link in links[:2])
    assert before.shape == after.shape == (300, 300, 3)
    assert before.mean(axis=(0, 1)) == pytest.approx((200, 30, 30), abs=4)
    assert after.mean(axis=(0, 1)) == pytest.approx((30, 30, 200), abs=4)


def test_a_photograph_without_an_edit_is_shown_alone(amazon_file: File) -> None:
    alone = pictures_of(preview((200, 30, 30)))
    text = report_html(delivery(amazon_file[0]), pictures=lambda _: alone).decode()
    assert "Before: as received" in text
    assert "After: on white" not in text


def test_a_product_with_a_grey_stripe_is_not_cut_at_the_stripe(amazon_file: File) -> None:
    striped = np.full((300, 312, 3), 40_000, np.uint16)
    striped[:, 150:162] = srgb8_to_working(np.full((1, 1, 3), 128, np.uint8))
    for edit in (None, striped):
        kept = pictures_of(before_and_after(striped, edit))
        page = report_html(delivery(amazon_file[0]), pictures=lambda _, kept=kept: kept)
        links = [link for link in Page(page).links if link.startswith("data:image/")]
        assert shown(links[0]).shape == (300, 312, 3)
        assert ("After: on white" in page.decode()) is (edit is not None)


def test_every_photograph_is_named_with_its_reason(amazon_file: File) -> None:
    summary = delivery(amazon_file[0])
    text = Page(report_html(summary, pictures=pictures)).text
    for shot in summary.shots:
        assert shot.file in text
        assert shot.files or why_absent(shot) in text
    assert "4 photographs received = 1 delivered + 1 waiting for a person + 1 refused + 1 failed" in text
    assert "The manifest names LMP701.jpg, not uploaded." in text
    assert "READY: closes the batch" in text
    assert "needs 'gtin14'" in text


def test_the_figures_of_each_file_are_shown(amazon_file: File) -> None:
    file = amazon_file[0]
    text = Page(report_html(delivery(file), pictures=pictures)).text
    assert file.background is not None
    assert f"{file.background.checked_px:,} px, from {file.background.white_from_px} px on" in text
    assert f"{file.fill_ratio:.1%}" in text
    assert "JPEG q95 4:4:4" in text
    assert "96.4" in text
    assert "Colour not verified" in text
    assert "A faint fringe in the backdrop's colour" in text


def test_nothing_a_client_wrote_becomes_markup(amazon_file: File) -> None:
    summary = delivery(amazon_file[0])
    facts = {**summary.shots[0].facts, "sku": Sourced(value="<img src=x onerror=alert(1)>", source="manifest")}
    evil = summary.model_copy(
        update={
            "shots": (
                summary.shots[0].model_copy(update={"facts": facts}),
                summary.shots[2].model_copy(update={"why": "said <five times>"}),
            )
        }
    )
    page = report_html(evil, pictures=without)
    assert b"<img src=x" not in page
    assert "<img src=x onerror=alert(1)>" in Page(page).text
    assert b"&lt;five times&gt;" in page


def test_pictures_beyond_the_budget_are_left_out_and_said(amazon_file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_page, "PICTURE_BUDGET_BYTES", 10)
    page = Page(report_html(delivery(amazon_file[0]), pictures=pictures))
    assert not [link for link in page.links if link.startswith("data:")]
    assert "Pictures of the later shots are left out here" in page.text


def test_a_delivery_of_nothing_is_still_a_page(amazon_file: File) -> None:
    empty: DeliverySummary = delivery(amazon_file[0]).model_copy(update={"shots": (), "ignored": {}, "findings": ()})
    assert "0 photographs received" in Page(report_html(empty, pictures=without)).text


def test_the_same_delivery_gives_the_same_page(amazon_file: File) -> None:
    assert report_html(delivery(amazon_file[0]), pictures=pictures) == report_html(
        delivery(amazon_file[0]), pictures=pictures
    )


def test_thumbnails_are_made_of_the_delivered_files(amazon_file: File) -> None:
    file, data = amazon_file
    small = pictures_of(b"", renditions={file.path: data}).renditions[file.path]
    page = Page(report_html(delivery(file), pictures=lambda shot: ShotPictures(renditions={file.path: small})))
    (link,) = [link for link in page.links if link.startswith("data:")]
    assert shown(link).shape[0] == report_page.THUMBNAIL_PX


def test_a_thumbnail_shows_a_delivered_file_small(amazon_file: File) -> None:
    with Image.open(io.BytesIO(thumbnail(amazon_file[1], longest_px=64))) as image:
        assert image.size == (64, 64)
        assert np.asarray(image.convert("RGB"))[0, 0].min() >= 250


DOUBT = Finding(
    code="refusal_likely",
    status=Status.FAILED,
    message="The probability that a person refuses this edit is 0.535 (by edge contrast).",
    measured=0.535,
    unit="probability",
)
SMALL = Finding(code="below_recommended", status=Status.WARNING, message="Below the recommended size.")


def in_client_words(file: DeliveredFile) -> DeliverySummary:
    """A delivery whose shot has two files with the same remark, and what only the line needs to know."""
    summary = delivery(file)
    files = tuple(
        file.model_copy(update={"path": f"{name}/a.jpg", "platform": name, "findings": (SMALL,)})
        for name in ("amazon_main", "shopify")
    )
    shot = summary.shots[0].model_copy(
        update={"files": files, "findings": (DOUBT,), "route_reason": "refusal probability 0.312 within 0.400"}
    )
    return summary.model_copy(update={"shots": (shot, *summary.shots[1:])})


def test_a_client_reads_no_probability_no_run_no_model_and_each_remark_once(amazon_file: File) -> None:
    text = Page(report_html(in_client_words(amazon_file[0]), pictures=pictures)).text
    assert "robability" not in text
    assert "run 7f3c" not in text
    for word in ("isnet", "onnxruntime", "rules only", "below_recommended", "refusal_likely"):
        assert word not in text, word
    assert text.count("Below the recommended size.") == 1
    assert "Made by a machine Approved by the machine's checks" in text


def test_who_approved_is_named_if_it_was_a_person(amazon_file: File) -> None:
    shot = delivery(amazon_file[0]).shots[0]
    judged = shot.model_copy(update={"decisions": ({"choice": "sign off", "by": "Sen Ior"},)})
    assert (approved_by(shot), approved_by(judged)) == ("the machine's checks", "Sen Ior")


def test_why_a_photograph_is_not_there_is_said_without_the_line_s_words(amazon_file: File) -> None:
    waits, refused, failed = delivery(amazon_file[0]).shots[1:]
    assert why_absent(waits) == "An editor works on it."
    assert why_absent(refused) == "640 x 480 is below 1000 px"
    assert "a fault on our side" in why_absent(failed)
    all_or_nothing = failed.model_copy(update={"left_out": {"walmart": "the name needs 'gtin14'"}})
    assert why_absent(all_or_nothing) == "Walmart: the name needs 'gtin14'"
    assert "later delivery" in why_absent(waits.model_copy(update={"state": State.VERIFIED, "kind": "failed"}))


def test_the_head_is_the_client_s_title_and_logo(amazon_file: File) -> None:
    head = {"title": "Acme Outfitters", "logo": "data:image/png;base64,AAAA"}
    page = report_html(delivery(amazon_file[0]).model_copy(update=head), pictures=without)
    assert "Acme Outfitters" in Page(page).text
    assert head["logo"] in Page(page).links
