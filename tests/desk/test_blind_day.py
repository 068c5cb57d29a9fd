"""A reviewer's day with a shot in blind review: no answer that their browser gets depends on the machine's opinion."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any, NamedTuple

import pytest
from httpx import Response
from starlette.routing import BaseRoute, Match, Mount, Route

from desk.app import routes
from desk.state import Desk
from packshot.blind import AUDIT
from packshot.decision import REASONS, Choice
from packshot.naming import ShotId
from packshot.record import EDIT, ShotRecord, State
from packshot.types import Box, Finding, Status, Verdict
from tasks.records.stored import change_record
from tests.desk.people import Browser

WITHOUT_A_REVIEWER = ("/health", "/sign-in", "/sign-out", "/static", "/shared", "/deliveries")
"""Addresses for others, or without any shot; those for clients show what is delivered."""
HIDDEN = {"date", "set-cookie", "content-length"}


class Opinion(NamedTuple):
    """What the machine may think of an edit."""

    score: float
    verdict: Verdict
    complexity: str
    why: str
    findings: tuple[Finding, ...]


def found(code: str, status: Status, *, gate: bool = False, box: Box | None = None) -> Finding:
    return Finding(code=code, status=status, message=f"{code} is so.", measured=3.5, unit="px", gate=gate, box=box)


GOOD = Opinion(98.7, Verdict.AUTO_APPROVE, "simple", "nothing stands out", (found("fringe", Status.PASSED),))
BAD = Opinion(
    41.3,
    Verdict.HUMAN_REVIEW,
    "medium",
    "fine detail",
    (
        found("leftover_suspected", Status.FAILED, gate=True, box=Box(100, 100, 200, 200)),
        found("halo_suspected", Status.WARNING, box=Box(10, 10, 60, 50)),
    ),
)


def thought(record: ShotRecord, opinion: Opinion, *, audit: bool) -> ShotRecord:
    """The same shot with another opinion of the machine; all else stays."""
    edit = record.objects[EDIT]
    whys = {State.ROUTED: f"{opinion.complexity}: {opinion.why}", State.EDITING_AUTO: f"{opinion.complexity} enough"}
    verdict = f"score {opinion.score}: {opinion.verdict}"
    events = (
        one.model_copy(update={"why": whys.get(one.to_state, verdict if one.to_state in SCORED else one.why)})
        for one in record.events
    )
    reports = {
        **record.reports,
        "edit": {**record.reports["edit"], "score": opinion.score, "verdict": opinion.verdict.value},
        "routing": {"category": "boxes", "complexity": opinion.complexity, "reason": opinion.why},
        "figures": {"haze": opinion.score / 100},
    }
    if audit:
        approved = opinion.verdict is Verdict.AUTO_APPROVE
        reports[AUDIT] = {"approved": approved, "ratio": 0.5, "score": opinion.score}
    return record.model_copy(
        update={
            "events": tuple(events),
            "reports": reports,
            "findings": tuple(one.model_copy(update={"picture": edit}) for one in opinion.findings),
        }
    )


SCORED = (State.SCORED, State.IN_REVIEW)


class Day:
    """What a reviewer asks on a day, and what comes back."""

    def __init__(self, desk: Desk, browser: Browser, shots: list[ShotId]) -> None:
        self.desk, self.browser, self.shots = desk, browser, shots
        self.asked: set[str] = set()
        self.csrf = browser.token()

    def lists(self) -> Iterator[tuple[str, Response]]:
        """Answers about many shots."""
        batch = self.shots[0].in_batch
        for queue in ("review", "overdue", "sign-off", "editor-jobs", "on-hold"):
            yield self._get(f"/queues/{queue}")
            for query in ("category=boxes", "age=4", "person=Rea+Viewer", f"client={batch.client}&page=2"):
                yield self._get(f"/queues/{queue}?{query}")
        for address in ("/", "/counts", "/my-rate", "/numbers", "/numbers/2026-03-02/run", f"/batches/{batch}"):
            yield self._get(address)
        yield self._get("/numbers/2026-03-02/waiting")
        for words in (self.shots[0].shot, batch.batch, "leftover", "98.7"):
            yield self._get(f"/find?words={words}")
        for other in self.shots[1:]:
            for page in ("", "/ahead"):
                yield self._get(f"/shots/{other}{page}?queue=review")
            yield self._post(f"/shots/{other}/arrive?queue=review")

    def filtered(self) -> Iterator[tuple[str, Response]]:
        """Lists of one finding."""
        for code in ("leftover_suspected", "halo_suspected", "none_such"):
            yield self._get(f"/queues/review?finding={code}")
            yield self._get(f"/queues/overdue?finding={code}")

    def of_the_shot(self) -> Iterator[tuple[str, Response]]:
        """Answers about the shot itself, up to each decision about it."""
        shot = self.shots[0]
        at = f"/shots/{shot}"
        yield from self.filtered()
        for page in ("", "?queue=review", "/ahead"):
            yield self._get(f"{at}{page}")
        page = unescape(self.browser.page_of(shot))
        kinds = dict(re.findall(r'"(edit|master)": "([0-9a-f]{16})"', page))
        yield self._get(
            "".join(re.findall(r'src="(/previews/[^"]+)"', page)[:1]) or f"/previews/{shot}/{'0' * 16}.webp"
        )
        for kind, digest in kinds.items():
            picture = f"/pictures/{shot}/{kind}/{digest}"
            for path in ("picture.json", "prefetch", "0/0_0.webp", "overlays.json"):
                yield self._get(f"{picture}/{path}")
            listed = self.browser.get(f"{picture}/overlays.json").json()
            yield self._get(f"{picture}/{listed['address']}/guides.json")
            for overlay in listed["overlays"] or ["halo"]:
                for path in ("picture.json", "0/0_0.webp"):
                    yield self._get(f"{picture}/{listed['address']}/{overlay}/{path}")
        for path in ("", f"/{kinds['edit']}/picture.json", f"/{kinds['edit']}/0/0_0.webp"):
            yield self._get(f"{at}/as-delivered/shopify{path}")
        for path in ("arrive", "claim", "seen", "job/take", "job/give-back", "job/upload", "job/check", "job/hand-in"):
            yield self._post(f"{at}/{path}", picture=kinds["edit"])
        yield self._get(f"{at}/job/files.zip")
        for code in ("leftover_suspected", "halo_suspected"):
            yield self._post(f"/together?finding={code}", reason="meets_standard", **{f"shot:{shot}": "1"})
            yield self._get(f"/queues/review?finding={code}")
        yield from self._decisions(at, kinds["edit"])
        yield self._post(f"{at}/leave")

    def _decisions(self, at: str, picture: str) -> Iterator[tuple[str, Response]]:
        for choice in (Choice.APPROVE, Choice.SEND_TO_EDITOR, Choice.REDO, Choice.REJECT, Choice.SIGN):
            for reason in REASONS[choice]:
                fields = {"choice": choice.value, "reason": reason.value, "note": "the handle"}
                yield self._post(f"{at}/decision", picture="0" * 16, **fields)
                yield self._post(f"{at}/decision", picture=picture, **fields)
                yield self._get(f"{at}?queue=review")
                yield self._post("/undo")

    def _get(self, address: str) -> tuple[str, Response]:
        return self._noted("GET", address, self.browser.get(address))

    def _post(self, address: str, **fields: Any) -> tuple[str, Response]:
        answer = self.browser.client.post(address, data={"csrf": self.csrf, **fields})
        return self._noted("POST", address, answer)

    def _noted(self, method: str, address: str, answer: Response) -> tuple[str, Response]:
        self.asked.add(f"{method} {address.partition('?')[0]}")
        return f"{method} {address}", answer


def told(day: Iterator[tuple[str, Response]]) -> dict[str, list[tuple[object, ...]]]:
    """All that a browser is told, by what was asked: status, headers and body, without what only the clock changes."""
    said: dict[str, list[tuple[object, ...]]] = {}
    for asked, answer in day:
        headers = {name: value for name, value in answer.headers.items() if name not in HIDDEN}
        body = re.sub(rb'data-left="\d+">\d+', b"", answer.content)
        said.setdefault(asked, []).append((answer.status_code, headers, body))
    return said


@pytest.fixture
def day(desk: Desk, browse: Callable[[str], Browser], for_review: list[ShotId]) -> Day:
    """A reviewer's browser, and three shots: one that is changed by a test, an ordinary one, and a blind one."""
    change_record(for_review[1], lambda one: thought(one, BAD, audit=False))
    change_record(for_review[2], lambda one: thought(one, GOOD, audit=True))
    return Day(desk, browse("Rea Viewer"), for_review)


def with_opinion(day: Day, opinion: Opinion, *, audit: bool) -> None:
    """Give the first shot another opinion of the machine, in a desk where nobody has done anything about it."""

    def changed(record: ShotRecord) -> ShotRecord:
        reports = {name: report for name, report in record.reports.items() if name != AUDIT}
        return thought(record.model_copy(update={"reports": reports}), opinion, audit=audit)

    change_record(day.shots[0], changed)
    day.desk.claims.release("Rea Viewer")
    day.desk.waiting.refresh()


def compare(asked: str, one: list[tuple[object, ...]], other: list[tuple[object, ...]]) -> None:
    """Fail with the first line that differs."""
    for first, second in zip(one, other, strict=True):
        lines = zip(*(str(answer).replace("\\n", "\n").splitlines() for answer in (first, second)), strict=False)
        assert first == second, (asked, [pair for pair in lines if pair[0] != pair[1]][:3])


def test_a_blind_reviewer_s_day_is_the_same_whatever_the_machine_thinks(day: Day) -> None:
    """Kind of test that was missing: every answer of a day is compared, not some words on some pages."""
    seen = []
    for opinion in (GOOD, BAD):
        with_opinion(day, opinion, audit=True)
        seen.append({**told(day.lists()), **told(day.of_the_shot())})
    good, bad = seen
    assert good.keys() == bad.keys()
    for asked, answers in good.items():
        compare(asked, answers, bad[asked])
    statuses = {answer[0] for answers in good.values() for answer in answers}
    assert {200, 204, 303, 403, 404, 409} <= statuses
    assert unasked(routes(), day.asked) == []


def test_no_list_tells_a_blind_review_from_an_ordinary_one(day: Day) -> None:
    seen = []
    for opinion, audit in ((GOOD, True), (BAD, True), (BAD, False)):
        with_opinion(day, opinion, audit=audit)
        seen.append(told(day.lists()))
    for asked, answers in seen[0].items():
        for others in seen[1:]:
            compare(asked, answers, others[asked])
    alike = []
    for audit in (True, False):
        with_opinion(day, BAD, audit=audit)
        alike.append(told(iter([day._get("/queues/review?finding=leftover_suspected")])))
    assert alike[0] == alike[1], "under its own finding"


def unasked(every: list[BaseRoute], asked: set[str], below: str = "") -> list[str]:
    """Routes that nobody has asked for, so that no new address is forgotten."""
    left = []
    for route in every:
        assert isinstance(route, (Route, Mount))
        if (below + route.path).startswith(WITHOUT_A_REVIEWER):
            continue
        if isinstance(route, Mount):
            left += unasked(list(route.routes), asked, below + route.path)
            continue
        for method in (route.methods or set()) - {"HEAD"}:
            scopes = (
                {"type": "http", "method": one.partition(" ")[0], "path": one.partition(" ")[2].removeprefix(below)}
                for one in asked
                if one.startswith(f"{method} {below}")
            )
            if not any(route.matches(scope)[0] is Match.FULL for scope in scopes):
                left.append(f"{method} {below}{route.path}")
    return left
