"""Accounts, sessions, the pace of attempts, claims, and what every request passes."""

from __future__ import annotations

import re
import stat
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from starlette.testclient import TestClient

from desk.access.accounts import FEWEST_CHARACTERS, Accounts
from desk.access.attempts import AT_ONCE, AT_ONCE_IN_ALL, MOST_NAMES, REFILL_S, Attempts
from desk.access.doorkeeper import COOKIE
from desk.access.roles import Role
from desk.access.sessions import IDLE_S, LONGEST_S, MOST_SESSIONS, Sessions
from desk.app import application
from desk.pages.signing import WRONG, _within
from desk.pages.static_files import static_version
from desk.pictures.packs import FOR_EVER
from desk.state import Desk
from desk.work.claims import LASTS_S, Claims
from packshot.errors import ConfigError
from tasks.environment import clocks
from tests.desk.people import PASSWORD, Browser

AT = "http://127.0.0.1:4280"


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    return Accounts(tmp_path / "folder" / "accounts.json")


@pytest.fixture
def client(desk: Desk) -> TestClient:
    return TestClient(application(desk), base_url=AT, follow_redirects=False)


def sign_in(client: TestClient, name: str, password: str, **headers: str) -> int:
    answer = client.post("/sign-in", data={"name": name, "password": password}, headers=headers)
    return int(answer.status_code)


def test_the_file_is_its_user_s_alone_and_holds_no_password(accounts: Accounts) -> None:
    accounts.add("Ada Lovelace", {Role.REVIEWER}, PASSWORD)
    (file,) = accounts._path.parent.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert PASSWORD not in file.read_text()
    assert "$argon2id$" in file.read_text()


def test_only_the_own_password_signs_in(accounts: Accounts) -> None:
    accounts.add("Ada Lovelace", {Role.REVIEWER}, PASSWORD)
    accounts.add("Ben Viewer", {Role.REVIEWER}, PASSWORD + "!")
    found = accounts.sign_in(" ada  LOVELACE", PASSWORD)
    assert found
    assert found.person.name == "Ada Lovelace"
    for name, password in (("Ada Lovelace", PASSWORD + "!"), ("Ada Lovelace", ""), ("nobody", PASSWORD), ("", "")):
        assert accounts.sign_in(name, password) is None


@pytest.mark.parametrize(
    ("name", "roles", "password"),
    [
        ("Ada", {Role.REVIEWER}, "x" * (FEWEST_CHARACTERS - 1)),
        ("Ada", {Role.REVIEWER}, "x" * 1001),
        ("Ada", set(), PASSWORD),
        ("", {Role.REVIEWER}, PASSWORD),
        ("A" * 101, {Role.REVIEWER}, PASSWORD),
        ("Вen Viewer", {Role.REVIEWER}, PASSWORD),  # the first letter is Cyrillic
        ("Ada\x1b[2J", {Role.REVIEWER}, PASSWORD),
        ("Ada\u202e", {Role.REVIEWER}, PASSWORD),
        ("Ada\ud800", {Role.REVIEWER}, PASSWORD),
    ],
)
def test_an_account_that_cannot_be_is_refused(accounts: Accounts, name: str, roles: set[Role], password: str) -> None:
    accounts.add("Ben Viewer", {Role.SENIOR}, PASSWORD)
    with pytest.raises(ConfigError):
        accounts.add(name, roles, password)
    assert [one.name for one in accounts.all()] == ["Ben Viewer"]


def test_another_process_s_change_counts_at_once(accounts: Accounts) -> None:
    other = Accounts(accounts._path)
    assert other.all() == ()
    accounts.add("Ada Lovelace", {Role.REVIEWER}, PASSWORD)
    assert [one.name for one in other.all()] == ["Ada Lovelace"]
    accounts.remove("Ada Lovelace")
    assert other.all() == ()


def test_a_damaged_file_is_told_and_opens_nothing(accounts: Accounts) -> None:
    accounts._path.parent.mkdir()
    for text in ("", "{}", '{"accounts": [{"name": "x"}]}', "[1]"):
        accounts._path.write_text(text)
        with pytest.raises(ConfigError, match="cannot be read"):
            Accounts(accounts._path).all()


def test_a_session_ends_when_it_is_idle_and_in_any_case(accounts: Accounts) -> None:
    clock = Clock()
    sessions = Sessions(clock=clock)
    account = accounts.add("Ada", {Role.REVIEWER}, PASSWORD)
    idle, busy = sessions.begin(account), sessions.begin(account)
    while clock.now < 1000 + LONGEST_S - IDLE_S:
        clock.now += IDLE_S - 1
        assert sessions.find(busy)
    assert sessions.find(idle) is None
    clock.now = 1000 + LONGEST_S
    assert sessions.find(busy) is None


def test_sessions_and_claims_end_while_the_desk_s_machine_is_suspended(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kind of test that was missing: one of the clock that is used unless another is given.

    That clock stood still while a laptop slept: whoever opened it in the morning was signed in as of the evening.
    """
    suspended_s = 0.0
    awake = SimpleNamespace(clock_gettime=lambda clock: 1000.0 + suspended_s)
    monkeypatch.setattr(clocks, "time", awake)
    sessions, claims = Sessions(), Claims()
    token = sessions.begin(accounts.add("Ada", {Role.REVIEWER}, PASSWORD))
    claims.take("a", "Ada")
    assert sessions.find(token)
    assert claims.who("a") == "Ada"
    suspended_s = IDLE_S
    assert sessions.find(token) is None
    assert not claims.who("a")


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="only Linux has a clock that stands still")
def test_the_clock_goes_on_while_this_machine_is_suspended(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {time.CLOCK_MONOTONIC: 10.0, time.CLOCK_BOOTTIME: 4000.0}
    monkeypatch.setattr(clocks, "time", SimpleNamespace(monotonic=lambda: 10.0, clock_gettime=told.__getitem__))
    assert clocks.passed_s() == 4000.0


def test_a_page_that_asks_by_itself_keeps_no_session_open(desk: Desk, client: TestClient) -> None:
    clock = Clock()
    desk.sessions._clock = clock
    browser = Browser(client).signed_in("Rea Viewer")
    for _ in range(2):
        clock.now += IDLE_S * 0.6
        answered = browser.get("/counts")
    assert answered.status_code == 303
    browser.signed_in("Rea Viewer")
    for _ in range(2):
        clock.now += IDLE_S * 0.6
        answered = browser.get("/queues/review")
    assert answered.status_code == 200


def test_sessions_stay_few(accounts: Accounts) -> None:
    sessions = Sessions()
    account = accounts.add("Ada", {Role.REVIEWER}, PASSWORD)
    for _ in range(MOST_SESSIONS + 5):
        last = sessions.begin(account)
    assert len(sessions._open) == MOST_SESSIONS
    assert sessions.find(last)


def test_attempts_are_slowed_for_a_name_and_for_all_and_own_ones_are_not() -> None:
    clock = Clock()
    attempts = Attempts(clock=clock)
    assert [attempts.may_try("Ada") for _ in range(AT_ONCE + 1)] == [True] * AT_ONCE + [False]
    assert not attempts.may_try(" ÁDA ")
    clock.now += REFILL_S
    assert [attempts.may_try("Ada"), attempts.may_try("Ada")] == [True, False]
    for _ in range(100):
        assert attempts.may_try("Ben")
        attempts.succeeded("Ben")
    assert sum(attempts.may_try(f"guess {number}") for number in range(2 * AT_ONCE_IN_ALL)) <= AT_ONCE_IN_ALL


def test_names_that_were_tried_do_not_fill_the_memory() -> None:
    attempts = Attempts()
    for number in range(MOST_NAMES + 100):
        attempts.may_try(f"name {number}")
    assert len(attempts._names) <= MOST_NAMES


def test_a_claim_ends_by_itself_by_leaving_and_by_the_next() -> None:
    clock = Clock()
    claims = Claims(clock=clock)
    assert claims.take("a", "Ada") == "Ada"
    assert claims.take("a", "Ben") == "Ada"
    clock.now += LASTS_S - 1
    assert claims.take("a", "Ada") == "Ada"  # a sign of life
    clock.now += LASTS_S - 1
    assert claims.who("a") == "Ada"
    clock.now += 1
    assert claims.take("a", "Ben") == "Ben"
    claims.take("b", "Ben")
    assert claims.all() == {"b": "Ben"}
    claims.release("Ben", shot="a")
    assert claims.who("b") == "Ben"  # a page that was closed late does not give back the next one's shot
    claims.release("Ben", shot="b")
    assert claims.all() == {}


def test_the_cookie_is_strict_and_no_script_s(client: TestClient) -> None:
    answer = client.post("/sign-in", data={"name": "Rea Viewer", "password": PASSWORD, "to": "/queues/review"})
    assert answer.headers["location"] == "/queues/review"
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith(f"{COOKIE}=")
    for word in ("httponly", "samesite=strict", "max-age", "path=/"):
        assert word in cookie


def test_a_wrong_name_and_a_wrong_password_are_answered_alike_and_slowed(client: TestClient) -> None:
    answers = [
        client.post("/sign-in", data={"name": name, "password": "wrong"}) for name in ("Rea Viewer", "Nobody Here")
    ]
    assert [one.status_code for one in answers] == [403, 403]
    assert all(WRONG in one.text for one in answers)
    assert [sign_in(client, "Rea Viewer", "wrong") for _ in range(AT_ONCE)][-1] == 429
    assert sign_in(client, "Rea Viewer", PASSWORD) == 429
    assert sign_in(client, "Ben Viewer", PASSWORD) == 303


def test_a_new_password_and_signing_out_end_the_session(desk: Desk, client: TestClient) -> None:
    browser = Browser(client).signed_in("Rea Viewer")
    assert browser.get("/counts").status_code == 200
    desk.accounts.add("Rea Viewer", {Role.REVIEWER}, PASSWORD + "!")
    assert browser.get("/counts").status_code == 303
    browser.signed_in("Rea Viewer", PASSWORD + "!")
    token = client.cookies[COOKIE]
    assert browser.post("/sign-out").status_code == 303
    client.cookies.set(COOKIE, token)
    assert browser.get("/counts").status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://elsewhere.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8000"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"host": "elsewhere.example"},
        {"host": "127.0.0.1.elsewhere.example:4280"},
        {"host": "[::1"},
        {"host": "127.0.0.1:4280", "origin": "http://["},
    ],
)
def test_another_site_s_page_signs_nobody_in(client: TestClient, headers: dict[str, str]) -> None:
    assert sign_in(client, "Rea Viewer", PASSWORD, **headers) == 403
    assert COOKIE not in client.cookies


def test_a_form_sent_after_the_session_ended_leads_to_the_sign_in_and_back_to_its_page(client: TestClient) -> None:
    page = {"accept": "text/html", "referer": f"{AT}/shots/acme/b1/A1?queue=review"}
    answer = client.post("/shots/acme/b1/A1/decision", data={"csrf": "old"}, headers=page)
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/sign-in?to=/shots/acme/b1/A1%3Fqueue%3Dreview",
    )
    for elsewhere in ("http://elsewhere.example/x", "http://[", ""):
        answer = client.post("/undo", headers={"accept": "text/html", "referer": elsewhere})
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?to=/")
    assert client.post("/undo").status_code == 401


def test_an_address_longer_than_any_leads_nowhere(client: TestClient) -> None:
    browser = Browser(client).signed_in("Rea Viewer")
    for address in (f"/pictures/a/b/c/edit/{'0' * 16}/{'9' * 5000}/0_0.webp", f"/queues/{'x' * 5000}"):
        assert browser.get(address).status_code == 404


def test_every_answer_has_the_headers(desk: Desk, client: TestClient) -> None:
    Browser(client).signed_in("Rea Viewer")
    style = f"/static/{static_version()}/desk.css"
    for address in ("/sign-in", "/queues/review", "/nowhere", style, "/static/none", "/health", "/counts"):
        headers = client.get(address).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == (FOR_EVER["Cache-Control"] if address == style else "no-store")
    assert "content-security-policy" in client.get("/sign-in", headers={"host": "[::1"}).headers
    bad = TestClient(application(desk), base_url="http://elsewhere.example").get("/sign-in")
    assert (bad.status_code, "content-security-policy" in bad.headers) == (403, True)


def test_no_page_has_a_script_or_a_style_of_its_own() -> None:
    import desk.app

    for template in (Path(desk.app.__file__).parent / "templates").glob("*.j2"):
        text = template.read_text()
        assert "<style" not in text, template
        assert " style=" not in text, template
        assert not re.search(r"\son\w+\s*=(?!=)", text), template
        assert text.count("<script") == text.count('<script type="module" src="/static/'), template


def test_a_form_that_is_too_large_or_none_is_refused(client: TestClient) -> None:
    assert client.post("/sign-in", content=b"{}", headers={"content-type": "application/json"}).status_code == 415
    assert client.post("/sign-in", data={"name": "x" * 200_000}).status_code == 413
    assert client.post("/sign-in", data={f"f{n}": "" for n in range(200)}).status_code == 400


@pytest.mark.parametrize(
    "to",
    [
        "//elsewhere.example",
        "https://elsewhere.example",
        "/\\elsewhere.example",
        "elsewhere",
        "/a\nb",
        "/\t/x",
        "",
        "//[",
    ],
)
def test_signing_in_leads_nowhere_else(to: str) -> None:
    assert _within(to) == "/"
