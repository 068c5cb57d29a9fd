"""Write the client's report on a delivery, ``report.html``: one page that opens offline, with its pictures inside."""

from __future__ import annotations

import base64
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import cv2
import numpy as np
from PIL import Image

from packshot.colour.spaces import srgb_profile
from packshot.colour.transform import convert
from packshot.escaping import page_environment
from packshot.export.client_words import approved_by, made_by, title, told, why_absent
from packshot.export.decoded import decode_delivered
from packshot.export.delivery import KINDS, DeliveredFile, DeliverySummary, Kind, ShotSummary
from packshot.export.preview import halves_of
from packshot.formats.sniff import FileKind, detect
from packshot.types import Finding, Size, Status, Value, Verdict

PICTURE_PX = 560
THUMBNAIL_PX = 112
PICTURE_BUDGET_BYTES = 80_000_000
"""Greatest total size of the pictures, so that browsers can open the page. Pictures of later shots are left out, and
the page says so."""
_COMPONENT_POINTS = 25.0
_QUALITY = 80
_IN_PAGE = {FileKind.WEBP: "webp", FileKind.PNG: "png"}
_KIND_WORDS: Mapping[Kind, str] = {
    "delivered": "Delivered",
    "waiting": "Waiting for a person",
    "refused": "Refused",
    "failed": "Failed",
}
_VERDICT_WORDS = {
    Verdict.AUTO_APPROVE.value: "Approved by the machine",
    Verdict.HUMAN_REVIEW.value: "Reviewed by a person",
    Verdict.REJECT_AND_REDO.value: "Redone by a person",
}
_STATUS_WORDS = {
    Status.PASSED: "passed",
    Status.WARNING: "warning",
    Status.FAILED: "failed",
    Status.SKIPPED: "not checked",
}


class EvidencePicture(Value):
    """A place that deserves a look, at 1:1, before and after side by side, for the client's report.

    Attributes:
        code: code of the finding that names the place.
        message: the finding's message.
        picture: the file, in a format that browsers show.
    """

    code: str
    message: str
    picture: bytes


class ShotPictures(Value):
    """The pictures of one shot for the client's report. `pictures_of` makes it.

    Attributes:
        preview: a file with before and after side by side; the photograph alone if there is no edit; empty if there is
            no preview.
        evidence: places that a reviewer should look at, the worst first.
        renditions: path of a delivered file below the delivery's folder -> a small WebP of it (`thumbnail`).
    """

    preview: bytes = b""
    evidence: tuple[EvidencePicture, ...] = ()
    renditions: Mapping[str, bytes] = {}


def report_html(delivery: DeliverySummary, *, pictures: Callable[[ShotSummary], ShotPictures]) -> bytes:
    """Return the client's report on a delivery: one HTML page, UTF-8, with all pictures embedded.

    Args:
        delivery: what the page reports.
        pictures: called with a shot, returns its pictures. It is called at most once per shot. Once the page holds 80
            MB of pictures, it is not called any more, and further shots are described in words.
    """
    budget = _Budget(PICTURE_BUDGET_BYTES)

    def ask(shot: ShotSummary) -> ShotPictures:
        return ShotPictures() if budget.spent else pictures(shot)

    delivered = [_shot(shot, ask(shot), budget) for shot in delivery.shots if shot.files]
    filters: dict[str, Callable[..., str]] = {"thousands": "{:,}".format, "bytes": _bytes_in_words, "title": title}
    page = page_environment("packshot.export", filters).get_template("report.html.j2")
    text = page.render(
        delivery=delivery,
        counts=[_count(delivery, kind) for kind in KINDS],
        platforms=_platforms(delivery),
        shots=delivered,
        absent=_absent(delivery, ask, budget),
        remarks=[_finding(finding) for finding in delivery.findings],
        pictures_left_out=budget.spent,
    )
    return text.encode()


def thumbnail(data: bytes, *, longest_px: int = THUMBNAIL_PX) -> bytes:
    """Return a small WebP of a delivered file in sRGB, for looking at only, as bytes.

    Args:
        data: the whole file.
        longest_px: greatest length of the longest side.
    Raises:
        RefusedInputError: the file cannot be decoded.
    """
    photo = decode_delivered(data).photo
    share = min(1.0, longest_px / photo.size.longest)
    size = Size(max(1, round(photo.size.width * share)), max(1, round(photo.size.height * share)))
    small = np.ascontiguousarray(cv2.resize(photo.pixels, size, interpolation=cv2.INTER_AREA))
    shown = convert(small, source=photo.icc or srgb_profile(), target=srgb_profile(), bit_depth=8)
    return _webp(Image.fromarray(shown))


class _Budget:
    """Counts the bytes of the page's pictures; `spent` is set as soon as one had to be left out."""

    def __init__(self, n_bytes: int) -> None:
        self._left = n_bytes
        self.spent = False

    def uri(self, picture: bytes) -> str:
        """Return a picture as a data URI (a text that a page embeds), and count its bytes.

        The result is "" if the picture is empty, or larger than what remains of the page's bytes for pictures.

        Args:
            picture: content of the picture's file.
        """
        if not picture:
            return ""
        if len(picture) > self._left:
            self.spent = True
            return ""
        self._left -= len(picture)
        kind = _IN_PAGE.get(detect(picture), "jpeg")
        return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"


def _bytes_in_words(n_bytes: int) -> str:
    """Return a number of bytes in kB or MB."""
    if n_bytes < 1_000_000:
        return f"{max(1, round(n_bytes / 1000))} kB"
    return f"{n_bytes / 1_000_000:.1f} MB"


def _count(delivery: DeliverySummary, kind: Kind) -> dict[str, Any]:
    """Return the number and share of the shots with an outcome, for the page."""
    number = delivery.counts[kind]
    total = len(delivery.shots) or 1
    return {"kind": kind, "word": _KIND_WORDS[kind], "number": number, "share": f"{100 * number / total:.2f}"}


def _platforms(delivery: DeliverySummary) -> list[dict[str, Any]]:
    """Return each platform's totals: files, bytes, formats, and pixels checked for white."""
    found: dict[str, list[DeliveredFile]] = defaultdict(list)
    for _, file in delivery.files:
        found[file.platform].append(file)
    return [
        {
            "name": name,
            "files": len(files),
            "bytes": sum(file.size_bytes for file in files),
            "formats": ", ".join(sorted({_encoding(file) for file in files})),
            "checked": sum(file.background.checked_px for file in files if file.background),
            "off_white": sum(file.background.off_white_px for file in files if file.background),
        }
        for name, files in sorted(found.items())
    ]


def _shot(shot: ShotSummary, pictures: ShotPictures, budget: _Budget) -> dict[str, Any]:
    """Return the values of a delivered shot for the page's template."""
    before, after = _split(pictures.preview)
    return {
        "summary": shot,
        "name": shot.fact("sku") or shot.shot,
        "ids": [(name.upper(), shot.fact(name)) for name in ("asin", "isbn", "ean", "upc", "gtin") if shot.fact(name)],
        "view": shot.fact("view"),
        "verdict": _VERDICT_WORDS.get(shot.verdict, title(shot.verdict)),
        "before": budget.uri(before),
        "after": budget.uri(after),
        "components": [
            {"name": name, "points": f"{points:.1f}", "share": f"{100 * points / _COMPONENT_POINTS:.1f}"}
            for name, points in shot.components.items()
        ],
        "made_by": made_by(shot),
        "approved_by": approved_by(shot),
        "findings": [_finding(finding) for finding in told(shot.remarks)],
        "passed": sum(finding.status is Status.PASSED for finding in shot.findings),
        "evidence": [
            {"code": one.code, "message": one.message, "picture": uri, "width": _size(one.picture).width}
            for one in pictures.evidence
            if (uri := budget.uri(one.picture))
        ],
        "files": [
            _file(file, budget.uri(pictures.renditions.get(file.path, b"")), findings=some)
            for file, some in _told_once(shot)
        ],
    }


def _told_once(shot: ShotSummary) -> Iterator[tuple[DeliveredFile, list[Finding]]]:
    """Yield each file of a shot with what is to be said of it, without what was said of the shot or a file before."""
    said = [one.message for one in shot.remarks]
    for file in shot.files:
        new = told(file.remarks, already=said)
        said += [one.message for one in new]
        yield file, new


def _file(file: DeliveredFile, picture: str, *, findings: Iterable[Finding]) -> dict[str, Any]:
    """Return the values of a delivered file for the page's template."""
    return {
        "summary": file,
        "picture": picture,
        "name": file.path.rsplit("/", 1)[-1],
        "encoding": _encoding(file),
        "fill": f"{file.fill_ratio:.1%}",
        "white": _white(file),
        "colour": f"{file.colour.mean_delta_e:.2f} / {file.colour.p95_delta_e:.2f}" if file.colour else "not compared",
        "findings": [_finding(finding) for finding in findings],
    }


def _encoding(file: DeliveredFile) -> str:
    """Return format, quality and depth of a file in words, for example ``JPEG q90 4:4:4``."""
    words = [file.format.upper() if file.format != "webp" else "WebP"]
    words.append(f"q{file.quality}" if file.quality is not None else "lossless")
    if file.chroma:
        words.append(file.chroma)
    if file.bit_depth != 8:
        words.append(f"{file.bit_depth} bit")
    return " ".join(words)


def _white(file: DeliveredFile) -> dict[str, Any]:
    """Return the result of the check for white in words, and whether all was exactly white."""
    figures = file.background
    if figures is None or figures.checked_px == 0:
        return {"exact": False, "text": "not checked"}
    if figures.off_white_px:
        return {"exact": False, "text": f"{figures.off_white_px:,} of {figures.checked_px:,} px are off"}
    where = f"from {figures.white_from_px} px on" if figures.white_from_px else "everywhere"
    return {"exact": True, "text": f"{figures.checked_px:,} px, {where}"}


def _finding(finding: Finding) -> dict[str, Any]:
    """Return the values of a finding for the page's template."""
    return {
        "code": finding.code,
        "status": finding.status.value,
        "word": "stops approval" if finding.stops_approval else _STATUS_WORDS[finding.status],
        "message": finding.message,
    }


def _absent(
    delivery: DeliverySummary, ask: Callable[[ShotSummary], ShotPictures], budget: _Budget
) -> list[dict[str, Any]]:
    """Return the shots without files in this delivery, grouped by outcome."""
    groups = []
    for kind in ("waiting", "refused", "failed", "delivered"):
        shots = [shot for shot in delivery.shots if shot.kind == kind and not shot.files]
        if shots:
            word = "Delivered before" if kind == "delivered" else _KIND_WORDS[kind]
            rows = [
                {"summary": shot, "why": why_absent(shot), "picture": budget.uri(_small(ask(shot).preview))}
                for shot in shots
            ]
            groups.append({"kind": kind, "word": word, "shots": rows})
    return groups


def _small(preview: bytes) -> bytes:
    """Return a thumbnail of the photograph before the edit."""
    return _fitted(halves_of(preview)[0], THUMBNAIL_PX) if preview else b""


def _split(preview: bytes) -> tuple[bytes, bytes]:
    """Return before and after, reduced for the page; the second is empty if there is only one picture."""
    if not preview:
        return b"", b""
    before, after = halves_of(preview)
    return _fitted(before, PICTURE_PX), _fitted(after, PICTURE_PX) if after else b""


def _fitted(picture: Image.Image, longest_px: int) -> bytes:
    """Return a WebP with at most this longest side. The picture passed in is reduced, too."""
    picture.thumbnail((longest_px, longest_px), Image.Resampling.LANCZOS)
    return _webp(picture)


def _webp(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "WEBP", quality=_QUALITY, method=2)
    return stream.getvalue()


def _size(picture: bytes) -> Size:
    """Return the size of a picture file."""
    with Image.open(io.BytesIO(picture)) as image:
        return Size(*image.size)


def pictures_of(
    preview: bytes, evidence: Iterable[tuple[str, str, bytes]] = (), renditions: Mapping[str, bytes] | None = None
) -> ShotPictures:
    """Return a shot's pictures for the client's report, from its stored files.

    Args:
        preview: content of its ``preview.webp``; empty if there is none.
        evidence: triples of (code of the finding that names a place, its message, the place's picture file as bytes),
            the worst first.
        renditions: path of a delivered file below the delivery's folder -> its content. Small copies are made of them.
    Raises:
        RefusedInputError: a delivered file cannot be decoded.
    """
    found = tuple(EvidencePicture(code=code, message=message, picture=picture) for code, message, picture in evidence)
    small = {path: thumbnail(data) for path, data in (renditions or {}).items()}
    return ShotPictures(preview=preview, evidence=found, renditions=small)
