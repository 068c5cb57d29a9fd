from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.decision import BY_CLIENT, Choice, Decision, Reason
from packshot.learning.audits import Audit, EscapeReport, Standing, audit_of, is_chosen, report_on
from packshot.learning.evidence import example_of, is_held_out, truth_examples
from packshot.naming import ShotId
from packshot.record import ShotRecord, Source
from packshot.routing.approve import QC_PREFIX
from packshot.routing.features import Features
from packshot.routing.mask_figures import MaskFigures
from packshot.routing.model import Example
from packshot.specs.models import AuditConfig, Promise
from tests.configs import shipped_configs

AT = datetime(2026, 3, 1, tzinfo=UTC)
PROMISE = Promise(ratio=0.02)


def audits(count: int, *, refused: int, at: datetime = AT, category: str = "mugs") -> list[Audit]:
    return [Audit(client="acme", category=category, at=at, refused=place < refused) for place in range(count)]


def report(found: list[Audit]) -> EscapeReport:
    return report_on(found, promise=PROMISE, window_days=90, at=AT + timedelta(days=1))


def record(**reports: dict[str, object]) -> ShotRecord:
    shot = ShotId(client="acme", batch="b", shot="A1")
    return ShotRecord(shot=shot, source=Source(key="k", sha256="0" * 64, size_bytes=1), reports=reports)


def decided(choice: Choice) -> Decision:
    return Decision(choice=choice, by="Ada", at=AT, reason=Reason.OTHER, picture="0" * 8, note="n")


AUDITED = record(
    routing={"category": "mugs", "features": {"texture": 0.1}}, figures={"haze": 0.2}, audit={"approved": True}
)


@given(st.floats(0, 1))
def test_the_share_that_is_chosen_is_the_share_that_was_asked_for(ratio: float) -> None:
    chosen = sum(is_chosen(f"{place:064x}", ratio=ratio) for place in range(2000)) / 2000
    assert chosen == pytest.approx(ratio, abs=0.06)


@given(st.text("0123456789abcdef", min_size=64, max_size=64), st.floats(0, 1), st.floats(0, 1))
def test_a_shot_is_chosen_by_its_content_and_a_greater_share_drops_none(sha256: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert is_chosen(sha256, ratio=low) <= is_chosen(sha256, ratio=high)


def test_each_stratum_has_its_own_share() -> None:
    config = AuditConfig(ratio=0.05, by_category={"shoes": 0.2}, by_client={"acme": 0.1})
    assert config.ratio_for(client="acme", category="shoes") == 0.2
    assert config.ratio_for(client="acme", category="mugs") == 0.1
    assert config.ratio_for(client="other", category="mugs") == 0.05


def test_the_share_is_high_at_first_and_falls_as_verdicts_come_in() -> None:
    config = AuditConfig(ratio=0.05, first_ratio=0.25, by_category={"shoes": 0.2})
    shares = [config.ratio_for(client="acme", category="mugs", heard=heard) for heard in (0, 0.25, 0.5, 1, 2)]
    assert shares == pytest.approx([0.25, 0.2, 0.15, 0.05, 0.05])
    assert config.ratio_for(client="acme", category="shoes", heard=1) == 0.2
    shipped = shipped_configs().routing.audit
    assert shipped.first_ratio >= 4 * shipped.ratio


@pytest.mark.parametrize(
    ("choice", "refused"), [(Choice.APPROVE, False), (Choice.SEND_TO_EDITOR, True), (Choice.REDO, True)]
)
def test_the_first_judgement_of_the_machine_s_edit_counts(choice: Choice, refused: bool) -> None:
    found = audit_of(AUDITED, [decided(choice), decided(Choice.APPROVE)])
    assert found is not None
    assert found.refused is refused


@pytest.mark.parametrize("choice", sorted(BY_CLIENT))
def test_what_a_client_sends_back_is_no_audit_and_teaches_nothing(choice: Choice) -> None:
    after = [decided(choice), decided(Choice.RETURN), decided(Choice.SIGN)]
    assert audit_of(AUDITED, after) is None
    assert example_of(AUDITED, after) is None
    audit = audit_of(AUDITED, [decided(Choice.APPROVE), *after])
    assert audit
    assert not audit.refused


def test_what_was_not_chosen_or_not_judged_is_no_audit() -> None:
    assert audit_of(AUDITED, []) is None
    assert audit_of(record(audit={"approved": False}), [decided(Choice.APPROVE)]) is None


def test_a_promise_is_broken_only_where_chance_does_not_explain_it() -> None:
    assert report(audits(50, refused=1)).standing is Standing.OPEN
    assert report(audits(150, refused=0)).standing is Standing.KEPT
    assert report(audits(60, refused=6)).standing is Standing.BROKEN


def test_audits_before_the_window_count_only_for_their_month() -> None:
    found = report(audits(60, refused=6, at=AT - timedelta(days=200)) + audits(10, refused=0))
    assert found.standing is Standing.OPEN
    assert found.overall.audited == 10
    assert [(one.name, one.audited) for one in found.by_month] == [("2025-08", 60), ("2026-03", 10)]


@given(st.integers(0, 300), st.integers(0, 300))
def test_the_interval_holds_the_measured_share(count: int, refused: int) -> None:
    one = report(audits(count, refused=min(count, refused))).overall
    assert one.low <= one.ratio <= one.high


def test_a_judged_shot_teaches_with_the_figures_of_its_record() -> None:
    found = example_of(AUDITED, [decided(Choice.SEND_TO_EDITOR)])
    assert found == Example(
        figures={"texture": 0.1, "haze": 0.2}, refused=True, group="acme/A1", category="mugs", source="audit"
    )
    assert example_of(AUDITED, []) is None
    assert example_of(record(), [decided(Choice.APPROVE)]) is None


def test_all_shots_of_a_product_are_held_out_or_none() -> None:
    made = [Example(figures={}, refused=False, group=f"g{place}") for place in range(1000)]
    held = [is_held_out(one) for one in made]
    assert sum(held) == pytest.approx(300, abs=60)
    assert held == [is_held_out(one.model_copy(update={"refused": True})) for one in made]


def test_the_truth_that_comes_with_packshot_has_both_answers_and_every_figure() -> None:
    found = truth_examples()
    assert {one.refused for one in found} == {True, False}
    own = {*Features.model_fields, *MaskFigures.model_fields}
    assert all(own <= set(one.figures) for one in found)
    judged = [sum(name.startswith(QC_PREFIX) for name in one.figures) for one in found]
    assert sum(count >= 30 for count in judged) > 0.95 * len(judged)
