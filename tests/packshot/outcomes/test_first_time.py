"""First-time approval rates, counted from records alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from packshot.decision import REASONS, Choice, Decision, Reason
from packshot.naming import ShotId
from packshot.outcomes.first_time import By, first_time_approval
from packshot.record import ShotRecord, Source
from packshot.types import Sourced

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
RETURN, SIGN, FAULT, WISH = Choice.RETURN, Choice.SIGN, Choice.REJECT_WORK, Choice.CHANGE_REQUEST
CLIENT_FAULT, CLIENT_WISH = Choice.CLIENT_FAULT, Choice.CLIENT_WISH


def shot(name: str, *decisions: Choice, editor: str = "Ada", client: str = "acme", edited_by: str = "") -> ShotRecord:
    return ShotRecord(
        shot=ShotId(client=client, batch="spring", shot=name),
        source=Source(key=name, sha256="0" * 64, size_bytes=1),
        facts={"category": Sourced(value="rings", source="manifest")},
        decisions=tuple(
            Decision(
                choice=choice,
                by=editor if choice is RETURN else "Sen Ior",
                at=NOON + timedelta(hours=number),
                reason=Reason.EDGE if choice in (FAULT, CLIENT_FAULT) else REASONS[choice][0],
                picture="a" * 16,
                edited_by=edited_by if choice is SIGN else "",
            )
            for number, choice in enumerate(decisions)
        ),
    )


@pytest.mark.parametrize(
    ("decisions", "approved"),
    [
        ((RETURN, SIGN), 1),
        ((RETURN, FAULT, RETURN, SIGN), 0),
        ((RETURN, WISH, RETURN, SIGN), 1),  # a new wish is nobody's fault
        ((RETURN, WISH, RETURN, FAULT, RETURN, SIGN), 0),
        ((RETURN, FAULT), 0),
        ((RETURN, SIGN, CLIENT_FAULT), 0),  # the client saw what the second person had not
        ((RETURN, SIGN, CLIENT_FAULT, RETURN, SIGN), 0),
        ((RETURN, SIGN, CLIENT_WISH, RETURN, SIGN), 1),
        ((RETURN, SIGN, CLIENT_WISH, RETURN, SIGN, CLIENT_FAULT), 1),  # the first work was right
        ((CLIENT_FAULT, RETURN, SIGN), 1),  # the machine's edit was at fault, not the editor's work
    ],
)
def test_a_shot_counts_by_its_first_judgement(decisions: tuple[Choice, ...], approved: int) -> None:
    (rate,) = first_time_approval([shot("A1", *decisions)], by=By.EDITOR)
    assert (rate.name, rate.shots, rate.approved) == ("Ada", 1, approved)


def test_what_clients_send_back_is_counted_with_its_reason() -> None:
    records = [shot("A1", RETURN, SIGN, CLIENT_FAULT), shot("A2", RETURN, SIGN, CLIENT_WISH), shot("A3", CLIENT_FAULT)]
    (rate,) = first_time_approval(records, by=By.EDITOR)
    assert (rate.shots, rate.approved, rate.client_faults, rate.change_requests) == (2, 1, 1, 1)
    assert rate.rejections == {"edge": 1}


def test_work_that_nobody_has_judged_counts_for_nobody() -> None:
    assert first_time_approval([shot("A1", RETURN), shot("A2")], by=By.EDITOR) == ()


def test_rates_are_counted_by_editor_category_and_client() -> None:
    records = [
        shot("A1", RETURN, SIGN),
        shot("A2", RETURN, FAULT, RETURN, SIGN),
        shot("B1", RETURN, SIGN, editor="Bob", client="birch"),
    ]
    by_editor = {rate.name: rate for rate in first_time_approval(records, by=By.EDITOR)}
    assert {name: rate.ratio for name, rate in by_editor.items()} == {"Ada": 0.5, "Bob": 1.0}
    assert by_editor["Ada"].rejections == {"edge": 1}
    assert [rate.name for rate in first_time_approval(records, by=By.CLIENT)] == ["acme", "birch"]
    (category,) = first_time_approval(records, by=By.CATEGORY)
    assert (category.name, category.shots, category.approved) == ("rings", 3, 2)


def test_whoever_signed_says_whose_work_it_was() -> None:
    record = shot("A1", RETURN, SIGN, editor="editor not known", edited_by="Cem")
    assert [rate.name for rate in first_time_approval([record], by=By.EDITOR)] == ["Cem"]
