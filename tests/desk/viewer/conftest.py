"""The pictures' addresses in an application of their own, on the session's real storage."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from desk.pictures.tiles import routes
from tasks.environment.settings import Settings
from tasks.storage.bucket import Storage
from tests.tasks.conftest import batch, s3_settings, storage  # noqa: F401


@pytest.fixture
def client(s3_settings: Settings, storage: Storage) -> Iterator[TestClient]:  # noqa: F811
    with TestClient(Starlette(routes=[Mount("/pictures", routes=routes())])) as opened:
        yield opened
