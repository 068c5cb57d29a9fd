"""A person's correction of a name or of services: read by the client's own rule, and never guessed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from packshot.decision import Choice, Decision, Reason
from packshot.errors import DecisionRefusedError
from packshot.ingest.corrections import corrected_facts, facts_given
from packshot.specs.models import Client
from packshot.types import Sourced

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
CLIENT = Client(
    name="acme",
    title="Acme",
    platforms=("shopify",),
    file_name_pattern=r"^(?:(?P<sku>EX-\d{5})|(?P<ean>\d{13}))_(?P<view>MAIN|PT\d\d)$",
)
KNOWN = {
    "view": Sourced(value="MAIN", source="config"),
    "services": Sourced(value="dust_remval", source="manifest"),
}


def correction(name: str = "", services: str = "") -> Decision:
    said: dict[str, Any] = {"choice": Choice.CORRECT, "reason": Reason.CORRECTED, "by": "Ada", "at": NOON}
    return Decision(**said, picture="a" * 16, new_name=name, new_services=services)


def told(*corrections: Decision, client: Client = CLIENT) -> dict[str, tuple[str, str]]:
    facts = corrected_facts(KNOWN, corrections, client=client, path="IMG_1.JPG")
    return {name: (one.value, one.source) for name, one in facts.items()}


@pytest.mark.parametrize("name", ["EX-20400_PT01", "EX-20400_PT01.jpg"])
def test_a_new_name_is_read_as_the_file_s_would_have_been(name: str) -> None:
    facts = told(correction(name))
    assert (facts["sku"], facts["view"]) == (("EX-20400", "person"), ("PT01", "person"))
    assert facts["services"] == ("dust_remval", "manifest")


def test_the_last_correction_counts_and_each_corrects_only_what_it_names() -> None:
    facts = told(correction("EX-20400_PT01", "retouch, path"), correction("EX-20401_MAIN"))
    assert (facts["sku"][0], facts["view"][0], facts["services"][0]) == ("EX-20401", "MAIN", "retouch,path")


@pytest.mark.parametrize(
    ("name", "services", "why"),
    [
        ("IMG_0815", "", "reads no product from this name"),
        ("4006381333932_MAIN", "", "reads no product from this name"),  # a wrong check digit
        ("EX-20400_PT01.png", "", "reads no product from this name"),  # another file's extension
        ("", "dust_remval", "nobody knows this service.*dust_removal"),
    ],
)
def test_what_cannot_be_read_is_refused_and_says_what_is_allowed(name: str, services: str, why: str) -> None:
    with pytest.raises(DecisionRefusedError, match=why):
        facts_given(correction(name, services), client=CLIENT, path="IMG_1.JPG")
    assert told(correction(name, services)) == told()


def test_a_client_whose_names_are_not_read_has_none_to_correct() -> None:
    free = CLIENT.model_copy(update={"file_name_pattern": ""})
    with pytest.raises(DecisionRefusedError, match="file names are not read"):
        facts_given(correction("EX-20400_MAIN"), client=free, path="IMG_1.JPG")


def test_a_name_that_a_newer_pattern_does_not_read_no_longer_counts() -> None:
    newer = CLIENT.model_copy(update={"file_name_pattern": r"^(?P<sku>NEW\d+)$"})
    assert "sku" in told(correction("EX-20400_PT01"))
    assert "sku" not in told(correction("EX-20400_PT01"), client=newer)
