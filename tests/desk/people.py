"""People at the desk in tests: they sign in, read pages and send the forms that are on them."""

from __future__ import annotations

import re
import zlib
from html import unescape
from typing import Any

from httpx import Response
from starlette.testclient import TestClient

from packshot.naming import ShotId

PASSWORD = "correct horse battery"


class Browser:
    """One person's browser."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def signed_in(self, name: str, password: str = PASSWORD) -> Browser:
        answer = self.client.post("/sign-in", data={"name": name, "password": password, "to": "/"})
        assert answer.status_code == 303, answer.text
        return self

    def get(self, address: str) -> Response:
        return self.client.get(address, headers={"accept": "text/html"})

    def token(self) -> str:
        """The token that the person's pages carry."""
        (found,) = re.findall(r'<meta name="csrf" content="([^"]+)">', self.get("/nowhere").text)
        return str(found)

    def post(self, address: str, **fields: Any) -> Response:
        return self.client.post(address, data={"csrf": self.token(), **fields})

    def page_of(self, shot: ShotId) -> str:
        return self.get(f"/shots/{shot}").text

    def decide(self, shot: ShotId, choice: str, reason: str, **fields: Any) -> Response:
        """Open the page of a shot and send its form for a choice."""
        picture = fields.pop("picture", "") or picture_on(self.page_of(shot))
        return self.post(f"/shots/{shot}/decision", choice=choice, reason=reason, picture=picture, **fields)


def picture_on(page: str) -> str:
    """The hash of the picture that a page's forms are about."""
    found = re.findall(r'name="picture" value="([0-9a-f]{16})"', page)
    assert found, unescape(page)
    return str(found[0])


def said_on(page: str) -> str:
    """The words of a page."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


LEAST_PART_BYTES = 5 * 1024 * 1024
"""No S3 server takes smaller parts, but the last."""


def in_three_parts(png: bytes) -> bytes:
    """The same picture in a file that takes three such parts: with room in a chunk that no reader knows."""
    room = bytes(2 * LEAST_PART_BYTES)
    chunk = b"paDd" + room
    after_the_header = 33
    sized = len(room).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    return png[:after_the_header] + sized + png[after_the_header:]
