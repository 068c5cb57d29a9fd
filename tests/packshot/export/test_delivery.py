from __future__ import annotations

from packshot.export.delivery import DeliveredFile, summarise_shot
from packshot.types import Finding, Status
from tests.packshot.export.deliveries import delivery, record


def test_a_delivered_file_survives_the_record(amazon_file: tuple[DeliveredFile, bytes]) -> None:
    file, data = amazon_file
    assert DeliveredFile.model_validate(file.model_dump(mode="json")) == file
    assert file.size_bytes == len(data)
    assert file.background is not None
    assert file.background.off_white_px == 0
    assert file.background.checked_px > 100_000
    assert file.colour is not None
    assert file.profile.startswith("sRGB")


def test_a_shot_s_summary_says_who_did_what(amazon_file: tuple[DeliveredFile, bytes]) -> None:
    shot = delivery(amazon_file[0]).shots[0]
    assert (shot.route, shot.routed_by, shot.category) == ("automated", "rules only", "home")
    assert (shot.model, shot.engine) == ("isnet-general-use", "onnxruntime f32")
    assert (shot.approved_by, shot.approved_why) == ("run 7f3c", "became approved")
    assert shot.components == {"background": 25.0, "edge": 22.1, "fill": 25.0, "colour": 24.3}
    assert shot.left_out.keys() == {"walmart"}


def test_without_a_reference_the_colour_is_not_verified(amazon_file: tuple[DeliveredFile, bytes]) -> None:
    assert delivery(amazon_file[0]).shots[0].colour_reference == "colour not verified"
    known = record("A").model_copy(
        update={"findings": (Finding(code="colour_not_verified", status=Status.PASSED, message="x", measured=0.8),)}
    )
    summary = summarise_shot(known, file="A.jpg", kind="delivered", why="", in_this_delivery=True)
    assert summary.colour_reference == "verified: delta E 0.8 on average"


def test_a_file_that_did_not_pass_is_not_delivered_and_is_named(amazon_file: tuple[DeliveredFile, bytes]) -> None:
    failure = Finding(code="non_white_background", status=Status.FAILED, message="7 pixels are off.")
    bad = amazon_file[0].model_copy(update={"passed": False, "findings": (failure,)})
    summary = summarise_shot(record("A", file=bad), file="A.jpg", kind="delivered", why="", in_this_delivery=True)
    assert summary.files == ()
    assert summary.left_out[bad.path] == "7 pixels are off."


def test_every_photograph_is_counted_once(amazon_file: tuple[DeliveredFile, bytes]) -> None:
    summary = delivery(amazon_file[0])
    assert summary.counts == {"delivered": 1, "waiting": 1, "refused": 1, "failed": 1}
    assert sum(summary.counts.values()) == len(summary.shots)


def test_what_was_delivered_before_is_not_delivered_again(amazon_file: tuple[DeliveredFile, bytes]) -> None:
    earlier = record("A", file=amazon_file[0])
    summary = summarise_shot(earlier, file="A.jpg", kind="delivered", why="", in_this_delivery=False)
    assert summary.files == ()
