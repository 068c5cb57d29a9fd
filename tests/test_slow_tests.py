"""The list of slow tests names tests that exist: a name that changed would put its test back unseen."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT, THIRDS, of_other_thirds, slow_tests


def test_every_line_names_a_test_that_exists() -> None:
    for line in slow_tests():
        module, _, test = line.partition("::")
        assert (ROOT / module).is_file(), line
        name = test.partition("[")[0]
        assert not name or re.search(
            rf"^ *(?:async )?def {name}\(", (ROOT / module).read_text("utf-8"), re.MULTILINE
        ), line


def test_each_slow_test_belongs_to_exactly_one_third(request: pytest.FixtureRequest) -> None:
    items = request.session.items
    slow = [item for item in items if item.get_closest_marker("slow")]
    left_out = [set(of_other_thirds(items, third)) for third in range(THIRDS)]
    assert all(sum(item in others for others in left_out) == THIRDS - 1 for item in slow)
    assert all(item.get_closest_marker("slow") for others in left_out for item in others)
