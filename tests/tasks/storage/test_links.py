"""Links: who has one can read the object, under the name that it shall be saved as, for as long as it lives."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from tasks.environment.settings import Settings
from tasks.storage.bucket import Storage
from tasks.storage.links import link_to

TEXT = "text/plain"


def test_a_link_opens_the_object_and_nothing_else(storage: Storage) -> None:
    storage.put("deliveries/acme/ünïcode name.txt", b"hello", content_type=TEXT)
    link = link_to("deliveries/acme/ünïcode name.txt", expires_s=60, download_name="x.txt")
    with urllib.request.urlopen(link) as answer:
        assert answer.read() == b"hello"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="x.txt"'
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(link.replace("Signature=", "Signature=0"))
    assert caught.value.code == 403
    caught.value.close()


def test_two_addresses_have_two_clients(s3_settings: Settings) -> None:
    public = s3_settings.model_copy(update={"s3_public_endpoint_url": "https://pictures.example.com"})
    link = link_to("deliveries/a", expires_s=60, settings=public)
    assert link.startswith("https://pictures.example.com/")


@pytest.mark.parametrize(("asked_s", "given_s"), [(60, 60), (7 * 24 * 3600, 7 * 24 * 3600), (10**7, 7 * 24 * 3600)])
def test_a_link_lives_as_long_as_asked_but_never_longer_than_it_can(
    storage: Storage, asked_s: int, given_s: int
) -> None:
    link = parse_qs(urlsplit(link_to("batches/a", expires_s=asked_s)).query)
    assert link["X-Amz-Expires"] == [str(given_s)]
    assert "response-content-disposition" not in link
    saved = parse_qs(urlsplit(link_to("batches/a", expires_s=60, download_name="a.jpg")).query)
    assert saved["response-content-disposition"] == ['attachment; filename="a.jpg"']


@pytest.mark.parametrize("name", ["x.txt", "Größe 42.jpg", 'a "b" \\c.tif', "Кружка;1.png", "日本.psd", "a%20b.jpg"])
def test_a_file_is_saved_under_its_name_in_any_script(storage: Storage, name: str) -> None:
    storage.put("deliveries/a", b"hello", content_type=TEXT)
    with urllib.request.urlopen(link_to("deliveries/a", expires_s=60, download_name=name)) as answer:
        header = answer.headers["Content-Disposition"]
    further = re.search(r"filename\*=UTF-8''(\S+)$", header)
    plain = re.match(r'attachment; filename="([^"\\]*)"', header)
    assert plain
    assert (unquote(further[1]) if further else plain[1]) == name
