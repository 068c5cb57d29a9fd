"""Define the choices and reasons by which people decide about a shot, and the record of one decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from packshot.figures import counted
from packshot.types import Box, Value


class Choice(StrEnum):
    """A decision that a person can make about a shot. The value is the text of the button.

    Attributes:
        APPROVE: the machine's edit may be delivered.
        SEND_TO_EDITOR: a person shall edit the shot instead of the machine.
        REDO: the machine shall edit the shot again by another method.
        REJECT: the photograph itself cannot be used; the shot is refused.
        RETURN: the file that the editor returned shall be used.
        SIGN: a second person accepts the editor's picture.
        REJECT_WORK: the editor's picture has a mistake; the editor mends it.
        CHANGE_REQUEST: the editor's picture is as ordered, but something else is wanted now.
        GO_ON: a shot on hold goes on without what it waited for.
        ARRIVED: what a shot on hold waited for has arrived.
        CORRECT: the file name or the services of a shot on hold are corrected.
        NO_FAULT: a picture that a client sent back is as ordered; it stays delivered.
        TAKE, GIVE_BACK: an editor takes a job, or gives it back to the queue.
        CLIENT_FAULT: the client sends a delivered picture back because of a mistake.
        CLIENT_WISH: the client sends a delivered picture back because of a new wish.
    """

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
    CORRECT = "correct its name or services"
    NO_FAULT = "no fault of ours"
    TAKE = "take the job"
    GIVE_BACK = "give the job back"
    CLIENT_FAULT = "client's rejection (our fault)"
    CLIENT_WISH = "client's change request (a new wish)"


class Reason(StrEnum):
    """The reason for a decision, as a code that can be counted. `REASONS` says which reasons fit which decision.

    Attributes:
        MEETS_STANDARD: the picture is right.
        FLAWS_ACCEPTED: the picture has flaws that do not matter.
        EDGE: the product's edge is not clean.
        MISSING_PART: a part of the product is missing.
        LEFTOVER_BACKGROUND: something of the old background is left.
        COLOUR, SHADOW, DUST, RETOUCH: colours, shadow, dust or retouching are not right.
        POSITION: the product's size or place is not right.
        OUT_OF_FOCUS, BADLY_EXPOSED: the photograph is blurred, or too dark or too light.
        WRONG_PRODUCT, INCOMPLETE_PRODUCT: the photograph shows another product, or not all of it.
        CLIENT_WISH, STYLE_CHANGE: the client wants something else, or the client's style guide has changed.
        WORK_DONE: an editor's work is done.
        CANNOT_BE_HAD, NOT_NEEDED: what a shot on hold waits for does not exist, or is not needed.
        ARRIVED, CORRECTED: what a shot on hold waits for has arrived, or is corrected.
        AS_ORDERED: a picture that a client sent back is as ordered.
        TAKEN, GIVEN_BACK: an editor has taken the job, or given it back.
        OTHER: anything else; the note says what.
    """

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
    CORRECTED = "corrected"
    AS_ORDERED = "as_ordered"
    TAKEN = "taken"
    GIVEN_BACK = "given_back"
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
    Choice.CORRECT: (Reason.CORRECTED,),
    Choice.NO_FAULT: (Reason.AS_ORDERED, Reason.OTHER),
    Choice.TAKE: (Reason.TAKEN,),
    Choice.GIVE_BACK: (Reason.GIVEN_BACK,),
    Choice.CLIENT_FAULT: _DEFECTS,
    Choice.CLIENT_WISH: (Reason.CLIENT_WISH, Reason.STYLE_CHANGE),
}
"""The reasons allowed for each choice. A form proposes the first one."""


BY_CLIENT = frozenset({Choice.CLIENT_FAULT, Choice.CLIENT_WISH})
"""Decisions of a client about a delivered picture."""


class ColourWord(StrEnum):
    """A person's judgement of the colours, compared with the product or its reference in hand.

    Attributes:
        NOT_COMPARED: the person did not compare them.
        CONFIRMED: the colours are right.
        REFUSED: the colours are wrong.
    """

    NOT_COMPARED = "not compared"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


MOST_MARKS = 50
"""Marks of one decision. Nobody works through more, and a record keeps them for ever."""


class Mark(Value):
    """A rectangle that somebody drew on a picture, with the task for the next person there.

    Attributes:
        left, top, right, bottom: in pixels of the edit, which are also those of the master; right and bottom are
            exclusive.
        text: the task, in words.
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
        """The mark's rectangle, in pixels of the edit, which are also those of the master."""
        return Box(self.left, self.top, self.right, self.bottom)


class Decision(Value):
    """One decision by a person about a shot. It stays in the shot's record for ever.

    Attributes:
        choice: what was decided.
        by: the person's name, such as "Ana López". A client's decision has the word "client" and the client's name,
            such as "client acme".
        at: when it was decided (UTC).
        reason: why, as a code.
        picture: SHA-256, in hexadecimal, of the picture that was shown, or at least its first 8 digits.
        question: id of the question (the form that a shot opens for people) that the decision answers; each question is
            answered once. It is empty if the decision answers none.
        note: what the person adds, in words; empty if nothing.
        marks: places in the picture, for the next person.
        file: key in storage of the returned file that was used, or of the delivered file that a client sent back; empty
            for other decisions.
        override: why the work was accepted although a check failed; empty if none failed.
        edited_by: only for a sign-off: the editor's name, if the record does not have it; otherwise empty.
        verified: True if the name was proved by a login or by a signed share link; False if somebody only typed it.
        colour: only for a sign-off: how the person judged the colours.
        new_name: only for a correction: the name that the file should have had, with or without its extension; empty
            if the name was right.
        new_services: only for a correction: the services (kinds of handwork) that are meant, in the words of a
            manifest, separated by commas; empty if the services were right.
        done: only for a sign-off: the tasks that the person has ticked as done, one text each. They are among the tasks
            last given to the editor.
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
    new_name: str = ""
    new_services: str = ""
    done: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The decision as a sentence: choice, reason, what was added, and person.

        Example: ``send to an editor: edge (2 marked places) (the rim at the left), Ana López``.
        """
        said = f"{self.choice}: {self.reason.replace('_', ' ')}"
        places = f" ({counted(len(self.marks), 'marked place')})" if self.marks else ""
        given = (("name", self.new_name), ("services", self.new_services), ("seen as done", "; ".join(self.done)))
        more = "".join(f" ({what}: {words})" for what, words in given if words)
        because = f" ({self.note})" if self.note else ""
        return f"{said}{places}{more}{because}, {self.by}"


def answer_to(rejection: Decision, decisions: Sequence[Decision]) -> Decision | None:
    """Return the studio's decision that a client's complaint is not justified (`NO_FAULT`); None if there is none.

    A complaint is a client's decision to send a delivered picture back. The studio's decision counts only if it was
    made before the client's next complaint.

    Args:
        rejection: the complaint, one of `decisions`.
        decisions: all decisions about the shot, oldest first.
    Raises:
        ValueError: `rejection` is not one of `decisions`.
    """
    later = decisions[decisions.index(rejection) + 1 :]
    first = next((one for one in later if one.choice in (Choice.NO_FAULT, *BY_CLIENT)), None)
    return first if first is not None and first.choice is Choice.NO_FAULT else None


def standing(decisions: Sequence[Decision]) -> tuple[Decision, ...]:
    """Return the decisions that count for statistics, oldest first.

    All of them count except a client's complaint about which the studio later decided that it is no fault of the
    studio (`Choice.NO_FAULT`).

    Args:
        decisions: all decisions about the shot, oldest first.
    """
    return tuple(one for one in decisions if one.choice not in BY_CLIENT or answer_to(one, decisions) is None)
