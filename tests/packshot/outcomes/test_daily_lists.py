"""The shots behind a day's numbers: each list is as long as its number is great, whatever happened."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from packshot.decision import Choice
from packshot.outcomes.daily import figures_of
from packshot.outcomes.daily_lists import Number, shots_behind, value_of
from packshot.outcomes.daily_values import AuditCount
from packshot.record import ShotRecord
from tests.packshot.outcomes.lives import BATCH, DAY, RECEIVED, S, Shot
from tests.packshot.outcomes.test_daily import walks

HOUR = timedelta(hours=1)


@given(st.lists(walks(), max_size=6))
def test_a_list_is_as_long_as_its_number(records: list[ShotRecord]) -> None:
    figures = figures_of(records, DAY, received=RECEIVED)
    behind = shots_behind(records, DAY, received=RECEIVED)
    for number in Number:
        assert len(behind[number]) == value_of(figures, number), number


def test_who_edited_whose_work_was_approved_and_what_an_audit_refused_is_listed() -> None:
    good = Shot("good").handed().decided(Choice.RETURN, S.RETURNED, S.SCORED, S.AWAITING_SIGNOFF, after=HOUR)
    good.decided(Choice.SIGN, S.APPROVED, by="Sen", after=HOUR)
    bad = Shot("bad").handed().decided(Choice.RETURN, S.RETURNED, S.SCORED, S.AWAITING_SIGNOFF, after=HOUR)
    bad.decided(Choice.REJECT_WORK, S.AWAITING_EDITOR, by="Sen", after=HOUR)
    machine = Shot("machine").delivered()
    records = [one.record for one in (good, bad, machine)]
    audits = {machine.record.shot: True}
    behind = shots_behind(records, DAY, received=RECEIVED, audits=audits)
    counted = (AuditCount(client="acme", category="boxes", audited=1, refused=1),)
    figures = figures_of(records, DAY, received=RECEIVED, audits=counted)
    assert {number: len(behind[number]) for number in Number} == {n: value_of(figures, n) for n in Number}
    assert [one.shot for one in behind[Number.JUDGED]] == ["bad", "good"]
    assert behind[Number.APPROVED_AT_ONCE] == (BATCH.shot("good"),)
    assert [one.shot for one in behind[Number.PEOPLE]] == ["bad", "good"]
    assert behind[Number.MACHINE] == behind[Number.ESCAPED] == behind[Number.AUDITED] == (machine.record.shot,)
