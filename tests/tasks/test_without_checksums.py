"""A storage that refuses checksum headers: the real server behind a gateway that refuses them as some storages do."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from packshot.errors import RecordConflictError, StorageDeniedError
from tasks.environment.settings import Settings
from tasks.storage.bucket import Storage, open_storage
from tasks.storage.requests import MULTIPART_FROM_BYTES
from tests.patience import PATIENCE_S

REFUSAL = (
    '<?xml version="1.0"?><Error><Code>{code}</Code>'
    "<Message>Unsupported header '{header}' received for this API call.</Message></Error>"
)
ANSWERS = {"InvalidRequest": 400, "NotImplemented": 501}


@pytest.fixture(params=sorted(ANSWERS))
def gateway(request: pytest.FixtureRequest, s3_settings: Settings) -> Iterator[str]:
    """The address of a gateway to the session's S3 server."""
    real, code = urlsplit(str(s3_settings.s3_endpoint_url)), request.param

    class Gateway(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            checks = [one for one in self.headers if one.lower().startswith(("x-amz-checksum", "x-amz-sdk-checksum"))]
            if checks or "x-amz-trailer" in self.headers:
                text = REFUSAL.format(code=code, header=(checks or ["x-amz-trailer"])[0]).encode()
                self._answer(ANSWERS[code], {}, text)
                return
            there = http.client.HTTPConnection(real.hostname or "", real.port or 80, timeout=PATIENCE_S)
            there.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in ("connection", "expect"):
                    there.putheader(name, value)
            there.endheaders(body)
            found = there.getresponse()
            self._answer(found.status, dict(found.getheaders()), found.read())
            there.close()

        def _answer(self, status: int, heads: dict[str, str], body: bytes) -> None:
            self.send_response_only(status)
            length = heads.get("Content-Length", "0") if self.command == "HEAD" else str(len(body))
            for name, value in heads.items():
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", length)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass_on  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def behind(gateway: str, settings: Settings, checksums: str) -> Storage:
    """The storage behind the gateway. Requests are signed for the gateway's address, which is passed on as it is."""
    return open_storage(settings.model_copy(update={"s3_endpoint_url": gateway, "s3_checksums": checksums}))


def test_the_refusal_names_the_headers_and_the_setting(gateway: str, s3_settings: Settings, storage: Storage) -> None:
    with pytest.raises(StorageDeniedError, match="does not accept checksum headers") as refused:
        behind(gateway, s3_settings, "on").put("batches/a/b", b"x", content_type="text/plain")
    assert "PACKSHOT_S3_CHECKSUMS=off" in str(refused.value)
    assert "x-amz-" in str(refused.value)


def test_without_checksum_headers_everything_works(gateway: str, s3_settings: Settings, storage: Storage) -> None:
    there = behind(gateway, s3_settings, "off")
    there.put("batches/a/b", b"first", content_type="text/plain")
    etag = there.put_if_absent("batches/a/c", b"1", content_type="text/plain").etag
    with pytest.raises(RecordConflictError):
        there.put_if_absent("batches/a/c", b"2", content_type="text/plain")
    there.replace_if("batches/a/c", b"2", etag=etag, content_type="text/plain")
    there.copy("batches/a/b", "batches/a/d")
    large = bytes(MULTIPART_FROM_BYTES + 1)
    there.put("batches/a/large", large, content_type="application/octet-stream")
    assert [one.key[-1] for one in there.list("batches/a/")] == ["b", "c", "d", "e"]
    assert [storage.get(f"batches/a/{name}") for name in "bcd"] == [b"first", b"2", b"first"]
    assert there.get("batches/a/large") == storage.get("batches/a/large") == large
