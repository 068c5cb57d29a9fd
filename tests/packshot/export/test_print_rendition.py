"""What a print house gets, as programs that are not ours read it."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from subprocess import run
from typing import Any

import numpy as np
import pytest
import tifffile

from packshot.colour.spaces import working_profile
from packshot.errors import BadProfileError, ConfigError
from packshot.export.clipping_path import PATH_NAME, clipping_path_finding
from packshot.export.codecs import TiffExtras, settings_of, write
from packshot.export.decoded import decode_delivered
from packshot.export.encode import printed_pixels
from packshot.export.labels import Labels
from packshot.export.render import Rendered, render
from packshot.paths.rasterise import rasterise
from packshot.paths.read import read_paths
from packshot.specs.models import Encoding, Format, PressProfile, Profile, QcConfig, RenditionPlan
from packshot.types import Status
from tests.drawn_press import press_profile
from tests.packshot.export.conftest import FramedFor, Ordered

LABELS = Labels(
    copyright="© Müller & Söhne",
    ai_provenance="compositeWithTrainedAlgorithmicMedia",
    sku="KTL-301",
    gtin="4006381333931",
)


def press() -> PressProfile:
    import base64

    return PressProfile(file="press.icc", icc_base64=base64.b64encode(press_profile()).decode())


def printed(ordered: Ordered, framed_for: FramedFor, qc: QcConfig, **options: Any) -> tuple[RenditionPlan, Rendered]:
    encoding = Encoding(
        format=Format.TIFF, bit_depth=16, compression="deflate", selection=options.pop("selection", False)
    )
    canvas = ordered("print_catalog").platform.canvas.model_copy(update={"min_px": 100})
    rendition = ordered("print_catalog", canvas=canvas, encoding=encoding, **options.pop("changes", {}))
    rendition = rendition.model_copy(update=options.pop("plan", {}))
    return rendition, render(framed_for(rendition), rendition, qc=qc, labels=LABELS, **options)


def told(program: str, *options: str, data: bytes, folder: Path) -> str:
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed (Debian: libimage-exiftool-perl, libtiff-tools)")
    path = folder / "print.tif"
    path.write_bytes(data)
    done = run([program, *options, str(path)], capture_output=True, text=True, check=True, timeout=60)
    assert not done.stderr.strip(), done.stderr
    return done.stdout


def test_exiftool_finds_product_owner_and_provenance(
    ordered: Ordered, framed_for: FramedFor, qc: QcConfig, tmp_path: Path
) -> None:
    _, rendered = printed(ordered, framed_for, qc)
    (found,) = json.loads(told("exiftool", "-j", "-G1", "-struct", "-a", data=rendered.encoded.data, folder=tmp_path))
    assert found["XMP-iptcExt:ProductInImage"] == [{"ProductId": "KTL-301", "ProductGTIN": 4006381333931}]
    assert found["XMP-dc:Rights"] == "© Müller & Söhne"
    assert found["IPTC:CopyrightNotice"] == "© Müller & Söhne"
    assert found["IPTC:ObjectName"] == "KTL-301"
    assert "omposite" in found["XMP-iptcExt:DigitalSourceType"]
    assert (found["IFD0:XResolution"], found["IFD0:ResolutionUnit"]) == (300, "inches")
    assert found["IFD0:BitsPerSample"] == "16 16 16"
    assert "Adobe RGB (1998)" in found["ICC_Profile:ProfileDescription"]


def test_exiftool_finds_no_trouble_and_no_person(
    ordered: Ordered, framed_for: FramedFor, qc: QcConfig, tmp_path: Path
) -> None:
    _, rendered = printed(ordered, framed_for, qc)
    settings = rendered.encoded.settings.model_copy(update={"compression": "none"})  # TIFF 6.0 knows no Deflate
    plain = write(rendered.encoded.pixels, settings, icc=working_profile(), dpi=300, labels=LABELS)
    assert "Warning" not in told("exiftool", "-validate", "-warning", "-a", "-G", data=plain, folder=tmp_path)
    everything = told("exiftool", "-a", "-G1", "-s", data=rendered.encoded.data, folder=tmp_path)
    for personal in ("GPS", "Serial", "Artist", " Creator ", "By-line", "Owner", " Model "):
        assert personal not in everything


def test_tiffinfo_reads_every_compression(ordered: Ordered, framed_for: FramedFor, tmp_path: Path) -> None:
    words = {"none": "None", "deflate": "AdobeDeflate", "lzw": "LZW", "zstd": "ZSTD"}
    framed = framed_for(ordered("print_catalog"))
    for compression, word in words.items():
        settings = settings_of(Encoding(format=Format.TIFF, bit_depth=16, compression=compression))
        data = write(framed.pixels, settings, icc=working_profile(), dpi=300, labels=LABELS)
        described = told("tiffinfo", data=data, folder=tmp_path)
        assert f"Compression Scheme: {word}" in described
        assert "Bits/Sample: 16" in described
        assert "Resolution: 300, 300 pixels/inch" in described
        assert "Photometric Interpretation: RGB color" in described


def test_a_tiff_carries_a_clipping_path_that_encloses_the_product(
    ordered: Ordered, framed_for: FramedFor, qc: QcConfig
) -> None:
    rendition, rendered = printed(ordered, framed_for, qc, clipping_path=True)
    path = read_paths(rendered.encoded.data, name="print.tif").clipping
    assert path is not None
    matte = framed_for(rendition).matte
    inside = rasterise(path, matte.shape[1], matte.shape[0])
    assert abs(inside - matte).mean() < 0.002
    (finding,) = [one for one in rendered.findings if one.code == "clipping_path"]
    assert finding.status is Status.PASSED
    assert rendered.passed


def test_other_programs_find_the_clipping_path(
    ordered: Ordered, framed_for: FramedFor, qc: QcConfig, tmp_path: Path
) -> None:
    _, rendered = printed(ordered, framed_for, qc, clipping_path=True)
    said = json.loads(told("exiftool", "-json", "-Photoshop:all", data=rendered.encoded.data, folder=tmp_path))
    assert said[0]["ClippingPathName"] == PATH_NAME


def test_without_an_order_there_is_no_path(ordered: Ordered, framed_for: FramedFor, qc: QcConfig) -> None:
    _, rendered = printed(ordered, framed_for, qc)
    assert b"8BIM" not in rendered.encoded.data
    assert "clipping_path" not in {one.code for one in rendered.findings}


def test_a_path_beside_the_product_fails(ordered: Ordered, framed_for: FramedFor, qc: QcConfig) -> None:
    rendition, rendered = printed(ordered, framed_for, qc, clipping_path=True)
    shifted = np.roll(framed_for(rendition).matte, 40, axis=1)
    finding = clipping_path_finding(rendered.encoded.data, shifted)
    assert (finding.status, finding.gate) == (Status.FAILED, True)


def test_the_matte_comes_along_as_a_selection_and_leaves_the_picture_on_white(
    ordered: Ordered, framed_for: FramedFor, qc: QcConfig
) -> None:
    rendition, rendered = printed(ordered, framed_for, qc, selection=True)
    framed = framed_for(rendition)
    with tifffile.TiffFile(io.BytesIO(rendered.encoded.data)) as tiff:
        page = tiff.pages.first
        pixels = page.asarray()
        assert tuple(page.extrasamples) == (0,)  # type: ignore[union-attr]
    assert np.array_equal(pixels[..., :3], framed.pixels)
    assert np.abs(pixels[..., 3] / 65535 - framed.matte).max() < 1e-4
    assert rendered.passed
    assert decode_delivered(rendered.encoded.data).photo.alpha is None


def in_inks(ordered: Ordered, framed_for: FramedFor, qc: QcConfig) -> Rendered:
    return printed(ordered, framed_for, qc, changes={"profile": Profile.CMYK}, plan={"press": press()})[1]


def test_inks_are_those_of_the_client_s_press(
    ordered: Ordered, framed_for: FramedFor, qc: QcConfig, tmp_path: Path
) -> None:
    rendered = in_inks(ordered, framed_for, qc)
    photo = decode_delivered(rendered.encoded.data).photo
    assert (photo.model, photo.icc, photo.bit_depth) == ("cmyk", press_profile(), 16)
    described = told("tiffinfo", data=rendered.encoded.data, folder=tmp_path)
    assert "Photometric Interpretation: separated" in described
    assert "Samples/Pixel: 4" in described


def test_white_is_bare_paper(ordered: Ordered, framed_for: FramedFor, qc: QcConfig) -> None:
    rendition, _ = printed(ordered, framed_for, qc, changes={"profile": Profile.CMYK}, plan={"press": press()})
    framed = framed_for(rendition)
    inks = printed_pixels(framed.pixels, icc=press_profile(), bit_depth=8)
    assert not inks[framed.matte == 0].any()
    assert inks[framed.matte == 1].any(axis=1).all()


def test_a_file_in_inks_passes_its_verification(ordered: Ordered, framed_for: FramedFor, qc: QcConfig) -> None:
    rendered = in_inks(ordered, framed_for, qc)
    failed = [finding for finding in rendered.findings if finding.status is Status.FAILED]
    assert not failed
    assert rendered.verification.white is not None
    assert rendered.verification.white.beyond.count == 0
    assert rendered.verification.colour is not None


def test_without_the_press_s_profile_inks_are_refused(ordered: Ordered, framed_for: FramedFor, qc: QcConfig) -> None:
    with pytest.raises(ConfigError, match="profile of the press"):
        printed(ordered, framed_for, qc, changes={"profile": Profile.CMYK})


def test_a_press_profile_that_is_none_is_refused(ordered: Ordered, framed_for: FramedFor, qc: QcConfig) -> None:
    import base64

    wrong = PressProfile(file="wrong.icc", icc_base64=base64.b64encode(working_profile()).decode())
    with pytest.raises(BadProfileError, match="press"):
        printed(ordered, framed_for, qc, changes={"profile": Profile.CMYK}, plan={"press": wrong})


def test_colours_that_a_space_cannot_show_are_said(ordered: Ordered, framed_for: FramedFor, qc: QcConfig) -> None:
    rendition = ordered("amazon_main")
    framed = framed_for(rendition)
    vivid = framed.pixels.copy()
    vivid[framed.matte > 0.5] = (0, 60000, 0)
    import dataclasses

    findings = {f.code: f for f in render(dataclasses.replace(framed, pixels=vivid), rendition, qc=qc).findings}
    assert findings["out_of_gamut"].status is Status.WARNING
    assert findings["out_of_gamut"].measured == pytest.approx(1, abs=0.01)
    usual = {f.code: f for f in printed(ordered, framed_for, qc)[1].findings}
    assert usual["out_of_gamut"].status is Status.PASSED


def test_extras_are_for_tiffs_only() -> None:
    with pytest.raises(ValueError, match="tiff only"):
        Encoding(format=Format.PNG, selection=True)
    assert TiffExtras().resources == b""
