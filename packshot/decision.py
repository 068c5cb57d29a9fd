"""What people decide about a shot: the words, and the record of one decision."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from packshot.types import Box, Value


class Choice(StrEnum):
    """What a person decides."""

    APPROVE = "approve"
    SEND_TO_EDITOR = "send to an editor"
    REDO = "redo by the machine"
    REJECT = "reject the photograph"
    RETURN = "use the returned file"
    SIGN = "sign off"
    REJECT_WORK = "reject the work (our fault)"
    CHANGE_REQUEST = "change request (a new wish)"
    GO_ON = "go on without it"
    ARRIVED = "it has arrived"
    TAKE = "take the job"


class Reason(StrEnum):
    """Why, as a code that can be counted."""

    MEETS_STANDARD = "meets_standard"
    FLAWS_ACCEPTED = "flaws_accepted"
    EDGE = "edge"
    MISSING_PART = "missing_part"
    LEFTOVER_BACKGROUND = "leftover_background"
    COLOUR = "colour"
    SHADOW = "shadow"
    DUST = "dust"
    RETOUCH = "retouch"
    POSITION = "position"
    OUT_OF_FOCUS = "out_of_focus"
    BADLY_EXPOSED = "badly_exposed"
    WRONG_PRODUCT = "wrong_product"
    INCOMPLETE_PRODUCT = "incomplete_product"
    CLIENT_WISH = "client_wish"
    STYLE_CHANGE = "style_change"
    WORK_DONE = "work_done"
    CANNOT_BE_HAD = "cannot_be_had"
    NOT_NEEDED = "not_needed"
    ARRIVED = "arrived"
    TAKEN = "taken"
    OTHER = "other"


_DEFECTS = (
    *(Reason.EDGE, Reason.MISSING_PART, Reason.LEFTOVER_BACKGROUND, Reason.COLOUR, Reason.SHADOW, Reason.DUST),
    *(Reason.RETOUCH, Reason.POSITION, Reason.OTHER),
)
_BAD_PHOTOGRAPH = (
    *(Reason.OUT_OF_FOCUS, Reason.BADLY_EXPOSED, Reason.WRONG_PRODUCT, Reason.INCOMPLETE_PRODUCT, Reason.OTHER),
)
_GOOD = (Reason.MEETS_STANDARD, Reason.FLAWS_ACCEPTED, Reason.OTHER)

REASONS: Mapping[Choice, tuple[Reason, ...]] = {
    Choice.APPROVE: _GOOD,
    Choice.SEND_TO_EDITOR: _DEFECTS,
    Choice.REDO: _DEFECTS,
    Choice.REJECT: _BAD_PHOTOGRAPH,
    Choice.RETURN: (Reason.WORK_DONE, Reason.OTHER),
    Choice.SIGN: _GOOD,
    Choice.REJECT_WORK: _DEFECTS,
    Choice.CHANGE_REQUEST: (Reason.CLIENT_WISH, Reason.STYLE_CHANGE, Reason.OTHER),
    Choice.GO_ON: (Reason.CANNOT_BE_HAD, Reason.NOT_NEEDED, Reason.OTHER),
    Choice.ARRIVED: (Reason.ARRIVED,),
    Choice.TAKE: (Reason.TAKEN,),
}
"""Which reasons a choice may have; the first is the one that a form proposes."""


class ColourWord(StrEnum):
    """What a person says of the colours, with the product or its reference in hand."""

    NOT_COMPARED = "not compared"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


class Mark(Value):
    """A place in the picture and what is to be done there.

    Attributes:
        left, top, right, bottom: pixels of the picture at 1:1, half-open.
    """

    left: Annotated[int, Field(ge=0)]
    top: Annotated[int, Field(ge=0)]
    right: int
    bottom: int
    text: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _has_an_area(self) -> Mark:
        if self.right <= self.left or self.bottom <= self.top:
            raise ValueError("right must be greater than left, bottom greater than top")
        return self

    @property
    def box(self) -> Box:
        return Box(self.left, self.top, self.right, self.bottom)


class Decision(Value):
    """One decision, as it stands in a shot's record for good.

    Attributes:
        by: the person's name.
        verified: whether an account proved the name. What somebody types is not verified.
        picture: SHA-256 of the picture that was shown, or its first digits.
        question: what it answers; each question is answered once.
        marks: places, for the next person.
        file: key of the returned file that was taken over.
        override: why work was taken over although a check of it failed; empty where none did.
        edited_by: on a sign-off: whose work it is, where the line did not know.
        colour: on a sign-off.
    """

    choice: Choice
    by: str
    at: datetime
    reason: Reason
    picture: str
    question: str = ""
    note: str = ""
    marks: tuple[Mark, ...] = ()
    file: str = ""
    override: str = ""
    edited_by: str = ""
    verified: bool = False
    colour: ColourWord = ColourWord.NOT_COMPARED

    @property
    def sentence(self) -> str:
        """The decision in words: who, what, why."""
        said = f"{self.choice}: {self.reason.replace('_', ' ')}"
        places = f" ({len(self.marks)} marked places)" if self.marks else ""
        because = f" ({self.note})" if self.note else ""
        return f"{said}{places}{because}, {self.by}"
