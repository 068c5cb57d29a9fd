"""Record that a client sends a delivered picture back: functions that make the shot's new record from the old one.

The shot then waits for an editor, with the client's mark and words. Later it is delivered again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType

from packshot.decision import BY_CLIENT, Choice, Decision, Mark, Reason
from packshot.errors import DecisionRefusedError
from packshot.handoff.deciding import LEADS_TO, require_marks_on_it, require_words
from packshot.record import ShotRecord, State, deliveries_of
from packshot.types import Box, Size, Value

WORDS: Mapping[Reason, tuple[Choice, str]] = MappingProxyType(
    {
        Reason.MISSING_PART: (Choice.CLIENT_FAULT, "A part of the product is missing or cut off"),
        Reason.EDGE: (Choice.CLIENT_FAULT, "The edge of the product is not clean"),
        Reason.LEFTOVER_BACKGROUND: (Choice.CLIENT_FAULT, "Something of the old background is left"),
        Reason.COLOUR: (Choice.CLIENT_FAULT, "The colour is not that of the product"),
        Reason.DUST: (Choice.CLIENT_FAULT, "There is dust, a scratch or a stain"),
        Reason.SHADOW: (Choice.CLIENT_FAULT, "The shadow is not right"),
        Reason.RETOUCH: (Choice.CLIENT_FAULT, "The retouching is not right"),
        Reason.POSITION: (Choice.CLIENT_FAULT, "It is too small, too large or in the wrong place"),
        Reason.OTHER: (Choice.CLIENT_FAULT, "Another fault"),
        Reason.CLIENT_WISH: (Choice.CLIENT_WISH, "It is as ordered, but we wish something different"),
        Reason.STYLE_CHANGE: (Choice.CLIENT_WISH, "Our style guide has changed"),
    }
)
"""Reason -> the decision that it makes, and how a client says it."""


class Delivered(Value):
    """A delivered file that a client sees, and may send back.

    Attributes:
        number: number of the delivery.
        path: path of the file, below the delivery's folder.
        sha256: hash of the file's bytes, in hexadecimal.
    """

    number: int
    path: str
    sha256: str

    @property
    def question(self) -> str:
        """The id of the question that a client answers by sending the file back, such as ``delivery-2``.

        A delivery has one question for each shot, because all files of a shot come from one edit.
        """
        return f"delivery-{self.number}"


def rejection(
    file: Delivered, *, client: str, at: datetime, reason: Reason, note: str, marks: tuple[Mark, ...], key: str
) -> Decision:
    """Return the decision of a client who sends a delivered file back.

    Args:
        file: the delivered file.
        client: the client's name.
        at: the present time.
        reason: what is wrong, one of the reasons that a client may give (the keys of `WORDS`). It decides whether the
            choice is `CLIENT_FAULT` or `CLIENT_WISH`.
        note: the client's own words; empty if there are none.
        marks: places in the photograph, not in the delivered file; `on_the_photograph` converts them.
        key: the delivered file's key in storage.
    Raises:
        KeyError: a client may not give this reason.
    """
    return Decision(
        choice=WORDS[reason][0],
        by=f"client {client}",
        at=at,
        reason=reason,
        picture=file.sha256,
        question=file.question,
        note=note,
        marks=marks,
        file=key,
        verified=True,
    )


def reject_delivered(record: ShotRecord, decision: Decision, file: Delivered) -> ShotRecord:
    """Return the record after a client has sent a delivered file back: the shot waits for an editor.

    Only the first rejection of a shot in a delivery counts. For a later one the record comes back unchanged.

    Args:
        record: the shot's record.
        decision: the client's decision to send the file back, as `rejection` returns it.
        file: the delivered file.
    Raises:
        DecisionRefusedError: the shot has a newer file by now, or the client did not say what is wrong, or a mark lies
            outside the photograph.
    """
    if rejected_in(record, file.number):
        return record
    if record.state is not State.DELIVERED or deliveries_of(record)[-1:] != (file.number,) or not _is_its(record, file):
        raise DecisionRefusedError(
            "this file is not the delivered one any more",
            str(record.shot),
            found=f"{file.path} of delivery {file.number}; the shot is '{record.state}'",
            allowed="a file of the shot's last delivery, while nobody works on the shot",
            next_step="Look at the newest delivery.",
        )
    require_words(record, decision)
    require_marks_on_it(record, decision)
    told = record.model_copy(update={"decisions": (*record.decisions, decision)})
    for state in LEADS_TO[decision.choice]:
        told = told.advance(state, at=decision.at, actor=decision.by, why=decision.sentence)
    return told


def rejected_in(record: ShotRecord, number: int) -> Decision | None:
    """Return the client's decision to send a shot of one delivery back; None if the client has not.

    Args:
        record: the shot's record.
        number: the delivery's number.
    """
    question = Delivered(number=number, path="", sha256="").question
    return next((one for one in record.decisions if one.choice in BY_CLIENT and one.question == question), None)


def on_the_photograph(
    boxes: Iterable[Box], *, size: Size, window: Box, photograph: Size, text: str
) -> tuple[Mark, ...]:
    """Return marks that were drawn on a delivered file, moved to the same places of the photograph.

    They keep their order. A delivered file shows only a part of the photograph, or has white around it. A mark on
    that white is moved to the photograph's border.

    Args:
        boxes: the marked places, in pixels of the file.
        size: width and height of the file.
        window: the part of the photograph that the file shows, in pixels of the photograph
            (`packshot.framing.fit.Placement`).
        photograph: size of the photograph.
        text: the task for the editor at these places.
    """
    across, down = window.width / size.width, window.height / size.height
    marks = []
    for box in boxes:
        left = min(max(0, int(window.left + box.left * across)), photograph.width - 1)
        top = min(max(0, int(window.top + box.top * down)), photograph.height - 1)
        right = min(max(left + 1, round(window.left + box.right * across)), photograph.width)
        bottom = min(max(top + 1, round(window.top + box.bottom * down)), photograph.height)
        marks.append(Mark(left=left, top=top, right=right, bottom=bottom, text=text))
    return tuple(marks)


def _is_its(record: ShotRecord, file: Delivered) -> bool:
    files = record.reports.get("export", {}).get("files", ())
    return any((one["path"], one["sha256"]) == (file.path, file.sha256) for one in files if one["passed"])
