"""People's answers in tests: the form's fields as a person would leave or fill them."""

from __future__ import annotations

from typing import Any

import numpy as np

from packshot.decision import REASONS, Choice
from packshot.handoff.deciding import picture_shown
from packshot.keys import job_returned_prefix
from packshot.naming import ShotId
from tasks.people.answers import follow_answer
from tasks.people.forms import Answer
from tasks.people.questions import SHOWN_DIGITS
from tasks.records.stored import load_record
from tasks.results.handovers import Outcome
from tasks.storage.bucket import open_storage
from tests import drawn_products


def answer_fields(shot: ShotId, choice: Choice, **values: Any) -> dict[str, Any]:
    """What a form sends: its proposals about the picture shown now, with some fields filled in."""
    said = {
        "decision": choice.value,
        "person": "Ada",
        "reason": REASONS[choice][0].value,
        "picture": picture_shown(load_record(shot))[:SHOWN_DIGITS],
        "note": "kept the rim",
    }
    return {**said, **values}


def answer(shot: ShotId, choice: Choice, **values: Any) -> Answer:
    """The same, read as the flow reads it."""
    return Answer(**answer_fields(shot, choice, **values))


def follow(shot: ShotId, given: Answer, *, question: str = "run-1") -> Outcome:
    """Follow an answer as the run does."""
    return follow_answer.fn(shot, given, question=question)


def put_back(shot: ShotId, name: str, data: bytes) -> None:
    """Put a finished picture into the shot's hot folder."""
    open_storage().put(job_returned_prefix(shot) + name, data, content_type="image/png")


def cut_out_by_hand(*, brightened: float = 1.0) -> bytes:
    """The drawn product, cut out exactly; its colours multiplied, if somebody painted on it."""
    return _on_white(drawn_products.pixels() * brightened)


def another_product_by_hand() -> bytes:
    """The drawn product's outline with another product in it."""
    y, x = np.mgrid[:1000, :1000]
    checks = 60 + 120 * (((x // 40) + (y // 40)) % 2)
    return _on_white(np.repeat(checks[..., None], 3, axis=2))


def _on_white(product: np.ndarray) -> bytes:
    share = drawn_products.coverage(1000, 1000)[..., None]
    work = np.rint(np.clip(share * product + (1 - share) * 255, 0, 255)).astype(np.uint8)
    return drawn_products.encoded(work, "PNG", compress_level=1)
