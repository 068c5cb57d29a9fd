"""Every address of the desk with every role, and without signing in."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from desk.access.roles import Role
from desk.app import application, routes
from desk.pages.static_files import static_version
from desk.state import Desk
from packshot.naming import ShotId
from packshot.record import ShotRecord, State
from tasks.records.stored import create_record, load_record
from tasks.storage.bucket import Storage
from tests.desk.people import PASSWORD, Browser
from tests.desk.records import record_in
from tests.desk.test_lists import shown

Browse = Callable[[str], Browser]
EVERYBODY = frozenset(Role)
REVIEWS = frozenset({Role.REVIEWER, Role.SENIOR, Role.MANAGER})
SIGNS = frozenset({Role.SENIOR, Role.MANAGER})
JOBS = frozenset({Role.EDITOR, Role.SENIOR, Role.MANAGER})
DECIDES, DECIDES_WORK = frozenset({Role.REVIEWER, Role.SENIOR}), frozenset({Role.SENIOR})
WORKS = frozenset({Role.EDITOR})
RELEASES = frozenset({Role.SENIOR, Role.MANAGER})
NUMBERS = frozenset({Role.SENIOR, Role.MANAGER})
MANAGES = frozenset({Role.MANAGER})
STATES = {
    "review": State.IN_REVIEW,
    "signoff": State.AWAITING_SIGNOFF,
    "job": State.AWAITING_EDITOR,
    "hold": State.ON_HOLD,
}
MAY: Mapping[tuple[str, str], frozenset[Role]] = {
    ("GET", "/"): EVERYBODY,
    ("GET", "/counts"): EVERYBODY,
    ("GET", "/my-rate"): WORKS,
    ("GET", "/find"): EVERYBODY,
    ("GET", "/numbers"): NUMBERS,
    ("GET", "/numbers/no-day/run"): NUMBERS,
    ("GET", "/numbers/2026-03-02/delivered"): NUMBERS,
    ("GET", "/batches/acme/roles"): NUMBERS,
    ("GET", "/queues/review"): REVIEWS,
    ("GET", "/queues/sign-off"): SIGNS,
    ("GET", "/queues/editor-jobs"): JOBS,
    ("GET", "/queues/on-hold"): REVIEWS,
    ("GET", "/queues/overdue"): EVERYBODY,
    ("GET", "/shots/acme/roles/review"): REVIEWS,
    ("GET", "/shots/acme/roles/signoff"): SIGNS,
    ("GET", "/shots/acme/roles/job"): JOBS,
    ("GET", "/shots/acme/roles/hold"): REVIEWS,
    **{
        (method, f"/shots/acme/roles/{shot}/{page}"): roles
        for shot, roles in (("review", REVIEWS), ("signoff", SIGNS), ("job", JOBS), ("hold", REVIEWS))
        for method, page in (("GET", "ahead"), ("POST", "arrive"))
    },
    **{
        ("GET", f"/shots/acme/roles/{shot}/as-delivered/shopify{rest}"): roles
        for shot, roles in (("review", REVIEWS), ("signoff", SIGNS))
        for rest in ("", "/0123456789abcdef/picture.json", "/0123456789abcdef/0/0_0.webp")
    },
    ("GET", "/previews/acme/roles/review/0123456789abcdef.webp"): EVERYBODY,
    ("POST", "/shots/acme/roles/review/claim"): DECIDES,
    ("POST", "/shots/acme/roles/signoff/claim"): DECIDES_WORK,
    ("POST", "/shots/acme/roles/job/claim"): WORKS,
    ("POST", "/shots/acme/roles/job/job/take"): WORKS,
    ("POST", "/shots/acme/roles/job/job/give-back"): WORKS | {Role.SENIOR},
    ("GET", "/shots/acme/roles/job/job/files.zip"): JOBS,
    ("POST", "/shots/acme/roles/job/job/upload"): WORKS,
    ("POST", "/shots/acme/roles/job/job/check"): WORKS,
    ("POST", "/shots/acme/roles/job/job/hand-in"): WORKS,
    ("POST", "/shots/acme/roles/hold/claim"): RELEASES,
    ("POST", "/shots/acme/roles/review/seen"): DECIDES,
    ("POST", "/shots/acme/roles/signoff/seen"): DECIDES_WORK,
    ("POST", "/shots/acme/roles/job/seen"): WORKS,
    ("POST", "/together"): DECIDES,
    ("POST", "/shots/acme/roles/review/leave"): EVERYBODY,
    ("POST", "/shots/acme/roles/review/decision"): DECIDES,
    ("POST", "/shots/acme/roles/signoff/decision"): DECIDES_WORK,
    ("POST", "/shots/acme/roles/job/decision"): WORKS,
    ("POST", "/shots/acme/roles/hold/decision"): RELEASES,
    ("POST", "/undo"): EVERYBODY,
    ("GET", "/deliveries"): MANAGES,
    ("GET", "/deliveries/acme/roles"): MANAGES,
    ("POST", "/deliveries/acme/roles/1/share"): MANAGES,
    ("POST", "/deliveries/acme/roles/1/unshare"): MANAGES,
    ("POST", "/sign-out"): EVERYBODY,
}
"""Method and address -> roles that may ask for it; others are refused with 403."""
WITHOUT_SIGNING_IN = {"/health", "/sign-in", f"/static/{static_version()}"}
PAST_THE_ROLES = {200, 204, 303, 400, 404, 409}
"""Answers that a role does not decide: the page, what it says is wrong, or that there is nothing to undo."""


@pytest.fixture
def browse_as(storage: Storage, desk: Desk) -> Callable[[Role], Browser]:
    """Somebody with one role, and a shot in each state."""
    for name, state in STATES.items():
        record = create_record(record_in(state, ShotId(client="acme", batch="roles", shot=name)))
        shown(desk, record)

    def browser(role: Role) -> Browser:
        desk.accounts.add("Any Body", {role}, PASSWORD)
        client = TestClient(application(desk), base_url="http://127.0.0.1:4280", follow_redirects=False)
        return Browser(client).signed_in("Any Body")

    return browser


@pytest.mark.parametrize("role", Role)
def test_every_address_answers_those_roles_that_may_and_no_other(
    browse_as: Callable[[Role], Browser], role: Role
) -> None:
    browser = browse_as(role)
    for (method, address), roles in MAY.items():
        if address == "/sign-out":
            continue
        answer = browser.get(address) if method == "GET" else browser.post(address, choice="sell it")
        if role in roles:
            assert answer.status_code in PAST_THE_ROLES, (method, address, answer.text)
        else:
            assert answer.status_code == 403, (method, address, answer.text)
    assert browser.post("/sign-out").status_code == 303
    assert browser.get("/counts").status_code == 303


def test_the_table_has_every_address(browse_as: Callable[[Role], Browser]) -> None:
    """Compare it with the application's own, so that no new address is forgotten."""
    for route in routes():
        if isinstance(route, Mount):
            if route.path not in WITHOUT_SIGNING_IN:
                assert route.path == "/pictures", route.path
            continue
        assert isinstance(route, Route)
        if route.path in WITHOUT_SIGNING_IN or route.path.startswith(
            "/shared/"
        ):  # tests/desk/pages/test_shared.py has these
            continue
        for method in (route.methods or set()) - {"HEAD"}:
            assert any((method, address) in MAY and route.path_regex.match(address) for _, address in MAY), (
                f"{method} {route.path} has no row"
            )


def test_without_signing_in_nothing_but_the_sign_in_is_served(browse_as: Callable[[Role], Browser], desk: Desk) -> None:
    client = TestClient(application(desk), base_url="http://127.0.0.1:4280", follow_redirects=False)
    for method, address in [*MAY, ("GET", "/pictures/acme/roles/review/edit/0123456789abcdef/0/0_0.png")]:
        page = client.request(method, address, headers={"accept": "text/html"})
        assert page.status_code in (303, 401), (method, address)
        if page.status_code == 303:
            assert page.headers["location"].startswith("/sign-in?to=")
        other = client.request(method, address, headers={"accept": "image/webp"})
        assert other.status_code == 401, (method, address)
        assert "acme" not in other.text
    assert client.get("/health").text == "well\n"
    assert client.get(f"/static/{static_version()}/desk.css").status_code == 200


def test_no_address_leads_elsewhere(browse_as: Callable[[Role], Browser]) -> None:
    browser = browse_as(Role.SENIOR)
    for address in (
        *("/shots/acme/roles/..%2fx", "/shots/acme/%2e%2e/review", "/shots/acme/roles/nobody", "/queues/nothing"),
        *(
            "/previews/acme/roles/review/..%2f.webp",
            f"/static/{static_version()}/..%2fapp.py",
            "/static/../app.py",
            "/nowhere",
        ),
        *("/previews/acme/roles/review/.webp", "/shots/acme/roles/" + "x" * 200),
    ):
        assert browser.get(address).status_code == 404, address


def test_a_role_that_is_taken_away_counts_at_once(browse_as: Callable[[Role], Browser], desk: Desk) -> None:
    browser = browse_as(Role.SENIOR)
    assert browser.get("/queues/sign-off").status_code == 200
    account = desk.accounts.find("Any Body")
    assert account
    desk.accounts._write([account.model_copy(update={"roles": frozenset({Role.EDITOR})})])
    assert browser.get("/queues/sign-off").status_code == 403
    desk.accounts.remove("Any Body")
    assert browser.get("/queues/editor-jobs").headers["location"].startswith("/sign-in")


def test_a_shot_on_the_way_is_nobody_s(browse_as: Callable[[Role], Browser]) -> None:
    def failed(record: ShotRecord) -> ShotRecord:
        return record.model_copy(update={"state": State.APPROVED})

    shot = ShotId(client="acme", batch="roles", shot="approved")
    create_record(failed(record_in(State.IN_REVIEW, shot)))
    answer = browse_as(Role.REVIEWER).get(f"/shots/{shot}")
    assert (answer.status_code, load_record(shot).decisions) == (409, ())
    assert "does not wait for anybody" in answer.text


PICTURES = {"review": REVIEWS, "signoff": SIGNS, "job": JOBS, "hold": REVIEWS}
"""Shot -> roles that may look at its pictures; for others there is no such picture."""


@pytest.mark.parametrize("role", Role)
def test_pictures_are_for_those_who_may_look_at_the_shot(browse_as: Callable[[Role], Browser], role: Role) -> None:
    browser = browse_as(role)
    for shot, roles in PICTURES.items():
        answer = browser.get(f"/pictures/acme/roles/{shot}/edit/{'e' * 16}/overlays.json")
        assert answer.status_code == (200 if role in roles else 404), (shot, answer.text)


GLANCES = {**PICTURES, "approved": EVERYBODY}
"""Shot -> roles that may see its small picture, say beside another view of the product."""


@pytest.mark.parametrize("role", Role)
def test_small_pictures_are_for_those_who_may_see_the_shot(
    browse_as: Callable[[Role], Browser], role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kind of test that was missing: one that knows the picture's hash."""
    monkeypatch.setattr("desk.pages.shots.fetch", lambda record, name: b"RIFF")
    create_record(record_in(State.APPROVED, ShotId(client="acme", batch="roles", shot="approved")))
    browser = browse_as(role)
    for shot, roles in GLANCES.items():
        answer = browser.get(f"/previews/acme/roles/{shot}/{'b' * 16}.webp")
        assert answer.status_code == (200 if role in roles else 404), shot
