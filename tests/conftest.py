"""Settings for all tests."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes depends on what else the machine does; it is no property of the code.
settings.register_profile("packshot", deadline=None)
settings.load_profile("packshot")

pytest_plugins = ["tests.servers"]
