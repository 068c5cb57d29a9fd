from __future__ import annotations

import hashlib
import json

import pytest

from packshot.errors import VerificationError
from packshot.export.certificate import certificate_json, check_files
from packshot.export.delivery import DeliveredFile
from tests.packshot.export.deliveries import delivery

File = tuple[DeliveredFile, bytes]


def test_each_file_stands_in_it_with_its_figures(amazon_file: File) -> None:
    file, data = amazon_file
    certificate = json.loads(certificate_json(delivery(file)))
    (said,) = certificate["files"]
    assert said["sha256"] == hashlib.sha256(data).hexdigest()
    assert said["size_bytes"] == len(data)
    assert said["background"]["off_white_px"] == 0
    assert said["background"]["quick"]["status"] == "pass"
    assert said["plan_fingerprint"] == "0123456789abcdef"
    assert said["colour_reference"] == "colour not verified"
    assert said["colour"]["mean_delta_e"] < 2
    assert "non_white_background" in said["checks_passed"]
    assert said["quality"] == 95


def test_each_shot_says_by_what_it_was_made_and_who_approved_it(amazon_file: File) -> None:
    certificate = json.loads(certificate_json(delivery(amazon_file[0])))
    (shot,) = certificate["shots"]
    assert shot["model"] == "isnet-general-use"
    assert shot["engine"] == "onnxruntime f32"
    assert shot["approved_by"] == "run 7f3c"
    assert shot["verdict"] == "auto_approve"
    assert shot["facts"]["asin"] == {"value": "B0PACK0301", "source": "manifest"}
    assert certificate["code_version"] == "0.1.0"
    assert certificate["pipeline_version"] == "1"


def test_every_photograph_that_came_in_is_accounted_for(amazon_file: File) -> None:
    certificate = json.loads(certificate_json(delivery(amazon_file[0])))
    named = {one["shot"] for one in certificate["shots"]} | {one["shot"] for one in certificate["not_in_this_delivery"]}
    assert len(named) == certificate["photographs"]["received"] == 4
    assert {one["why"] for one in certificate["not_in_this_delivery"]} >= {"640 x 480 is below 1000 px"}


def test_the_same_delivery_gives_the_same_certificate(amazon_file: File) -> None:
    assert certificate_json(delivery(amazon_file[0])) == certificate_json(delivery(amazon_file[0]))


def test_it_proves_the_files_byte_for_byte(amazon_file: File) -> None:
    file, data = amazon_file
    certificate = certificate_json(delivery(file))
    check_files(certificate, {file.path: data})
    for files, problem in (
        ({}, "is missing"),
        ({file.path: data + b"\0"}, "was changed"),
        ({file.path: data, "amazon_main/other.jpg": b""}, "is not certified"),
    ):
        with pytest.raises(VerificationError, match=problem):
            check_files(certificate, files)
