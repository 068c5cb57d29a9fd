"""Sign-in by a reverse proxy: its header counts, from its own addresses only, and from nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from starlette.testclient import TestClient

from desk.access.doorkeeper import COOKIE
from desk.access.proxy import Proxy
from desk.access.roles import Role
from desk.app import application
from desk.pages.static_files import static_version
from desk.state import Desk
from packshot.errors import ConfigError
from tasks.environment.settings import get_settings
from tests.desk.people import PASSWORD, Browser

HEADER, PROXY = "X-Remote-User", "10.0.0.5"
From = Callable[[str], TestClient]


@pytest.fixture
def comes_from(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[From]:
    """Requests from an address, at a desk whose proxy is 10.0.0.5 or in 192.168.7.0/24."""
    monkeypatch.setenv("PACKSHOT_DESK_PROXY_HEADER", HEADER)
    monkeypatch.setenv("PACKSHOT_DESK_PROXY_ADDRESSES", f"{PROXY}, 192.168.7.0/24")
    opened: list[TestClient] = []

    def client(address: str) -> TestClient:
        opened.append(
            TestClient(
                application(desk), base_url="http://127.0.0.1:4280", follow_redirects=False, client=(address, 50_000)
            )
        )
        return opened[-1]

    yield client
    for one in opened:
        one.close()


@pytest.mark.parametrize("address", [PROXY, "192.168.7.20", f"::ffff:{PROXY}"])
def test_whoever_the_proxy_names_is_signed_in_and_can_send_forms(comes_from: From, address: str) -> None:
    client = comes_from(address)
    client.headers[HEADER] = "rea viewer"
    page = client.get("/queues/review", headers={"accept": "text/html"})
    assert page.status_code == 200
    assert "Rea Viewer" in page.text
    assert "httponly" in page.headers["set-cookie"].lower()
    assert "secure" not in page.headers["set-cookie"].lower()
    again = Browser(client).get("/queues/review")
    assert "set-cookie" not in again.headers
    assert Browser(client).post("/undo").status_code == 409, "its token counts; there is nothing to take back"


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.6", "192.168.8.1", "testclient", "::1"])
@pytest.mark.parametrize("also", [{}, {"X-Forwarded-For": PROXY, "X-Real-IP": PROXY, "Forwarded": f"for={PROXY}"}])
def test_from_anywhere_else_the_header_opens_nothing(comes_from: From, address: str, also: dict[str, str]) -> None:
    client = comes_from(address)
    for path in ("/", "/queues/review", "/sign-in", "/counts", "/static/../"):
        answer = client.get(path, headers={HEADER: "Max Manager", "accept": "text/html", **also})
        assert answer.status_code in (403, 404), path
        assert "set-cookie" not in answer.headers
    fields = {"name": "Rea Viewer", "password": PASSWORD, "to": "/"}
    assert client.post("/sign-in", data=fields).status_code == 403, "nor does a password"


def test_a_session_of_the_proxy_is_worth_nothing_elsewhere(comes_from: From) -> None:
    inside = comes_from(PROXY)
    inside.get("/counts", headers={HEADER: "Max Manager"})
    outside = comes_from("127.0.0.1")
    outside.cookies.set(COOKIE, inside.cookies[COOKIE])
    assert outside.get("/counts", headers={HEADER: "Max Manager"}).status_code == 403


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ([], "names nobody"),
        ([(HEADER, "")], "names nobody"),
        ([(HEADER, "Rea Viewer"), (HEADER.lower(), "Max Manager")], "names nobody"),
        ([("X_Remote_User", "Rea Viewer")], "names nobody"),
        ([(HEADER, "No Body")], "no account has the name 'No Body'"),
    ],
)
def test_a_proxy_that_names_nobody_or_two_or_a_stranger_signs_nobody_in(
    comes_from: From, headers: list[tuple[str, str]], why: str
) -> None:
    answer = comes_from(PROXY).get("/counts", headers=headers)
    assert answer.status_code == 403
    assert why in answer.text


def test_another_name_at_the_proxy_is_another_person_whatever_the_cookie_says(comes_from: From) -> None:
    client = comes_from(PROXY)
    client.get("/counts", headers={HEADER: "Max Manager"})
    page = client.get("/numbers", headers={HEADER: "Rea Viewer", "accept": "text/html"})
    assert page.status_code == 403
    assert "Rea Viewer" in page.text


def test_an_account_that_is_removed_counts_at_once(comes_from: From, desk: Desk) -> None:
    client = comes_from(PROXY)
    client.headers[HEADER] = "Rea Viewer"
    assert client.get("/counts").status_code == 200
    desk.accounts.remove("Rea Viewer")
    assert client.get("/counts").status_code == 403


def test_what_needs_no_sign_in_is_open_from_anywhere(comes_from: From) -> None:
    client = comes_from("203.0.113.9")
    assert client.get("/health").status_code == 200
    assert client.get(f"/static/{static_version()}/desk.css").status_code == 200
    assert client.get("/shared/no-link").status_code == 404


@pytest.mark.parametrize(("address", "secure"), [(PROXY, True), ("192.168.7.9", True)])
def test_a_cookie_of_an_encrypted_connection_stays_on_such(comes_from: From, address: str, secure: bool) -> None:
    answer = comes_from(address).get("/counts", headers={HEADER: "Rea Viewer", "X-Forwarded-Proto": "https"})
    assert ("secure" in answer.headers["set-cookie"].lower()) is secure


def test_without_a_proxy_s_sign_in_its_header_says_nothing(browse: Callable[[str], Browser], desk: Desk) -> None:
    client = TestClient(application(desk), base_url="http://127.0.0.1:4280", follow_redirects=False)
    assert client.get("/counts", headers={HEADER: "Max Manager"}).status_code == 401
    assert browse("Rea Viewer").client.get("/numbers", headers={HEADER: "Max Manager"}).status_code == 403


def test_an_account_without_a_password_is_for_the_proxy_alone(comes_from: From, desk: Desk) -> None:
    desk.accounts.add("Ada Lovelace", {Role.REVIEWER}, None)
    assert desk.accounts.sign_in("Ada Lovelace", "") is None
    assert comes_from(PROXY).get("/counts", headers={HEADER: "Ada Lovelace"}).status_code == 200


@pytest.mark.parametrize(
    ("header", "addresses", "why"),
    [(HEADER, "", "is missing"), ("", PROXY, "is missing"), (HEADER, "proxy.example", "is none")],
)
def test_half_of_the_settings_stops_the_desk(
    monkeypatch: pytest.MonkeyPatch, header: str, addresses: str, why: str
) -> None:
    monkeypatch.setenv("PACKSHOT_DESK_PROXY_HEADER", header)
    monkeypatch.setenv("PACKSHOT_DESK_PROXY_ADDRESSES", addresses)
    with pytest.raises(ConfigError, match=why):
        Proxy.of(get_settings())
