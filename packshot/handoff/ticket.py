"""Collect everything that an editor needs to know about one shot, for one page: the job ticket."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from pydantic import Field

from packshot.decision import Choice, Decision
from packshot.handoff.deciding import MUST_SAY_WHAT, since_restart
from packshot.handoff.neck_joint.joint import JointProof
from packshot.handoff.services import Estimate, NeededService, estimate, needed_services
from packshot.handoff.upload_form import UploadForm
from packshot.record import ShotRecord
from packshot.specs.handoff import Tier
from packshot.specs.models import Plan
from packshot.specs.services import Service
from packshot.types import Complexity, Finding, Size, Status, Value

SCHEMA = "packshot-ticket/1"


class TicketFile(Value):
    """One file that the ticket offers an editor to download.

    Attributes:
        what: what the file is, in words for the editor, such as ``reference``.
        key: the file's key in storage: ``jobs/<client>/<batch>/<shot>/out/<file>``.
        link: address to download it without an access key. The ticket's `links_expire_at` says until when.
    """

    what: str
    key: str
    link: str


class OrderedPlatform(Value):
    """A platform to which the picture goes, with the platform's requirements on the edit.

    Attributes:
        name: the platform's name for people.
        background: the platform's rule for the background, a value of `Background` such as ``pure_white``.
        fill_ratio: how much of the canvas the product shall fill, 0..1: its share of the canvas's width or height,
            whichever is greater.
    """

    name: str
    background: str
    fill_ratio: float


class JobTicket(Value):
    """The job ticket of one shot: everything that an editor needs to know. `job_ticket` makes it.

    Attributes:
        client, batch, shot: names of client, batch and shot.
        title: the SKU, else the name of the client's file without its extension.
        picture: SHA-256, in hexadecimal, of the picture that the editor gets to work on. Whoever answers the ticket
            quotes its first digits, so that no answer is taken for another picture's.
        size_px: width and height of the photograph.
        round: 1 for the first work, one more for each picture that an editor has returned.
        why: why a person must edit the shot, in words.
        services: kinds of handwork to do, such as a clipping path, each with its reason.
        tier, tier_why: how much handwork it is (`Tier`, from basic to super complex), and why, in words.
        issued_at, due_at: when the ticket was made, and when the finished picture should be back.
        links_expire_at: until when the download links and the upload form work.
        take: files to download, with links.
        put_back_into: the shot's hot folder: the beginning of the keys in storage under which the finished picture
            goes, ``jobs/<client>/<batch>/<shot>/returned/``.
        put_back_form: a form that uploads the finished picture without an access key; None in tickets without one.
        desk_page: address of the shot's page at the review desk; empty in tickets of earlier versions.
        facts: everything that is known of the product: name of a fact -> its value, such as ``sku`` -> ``BTL201``.
        platforms: the platforms to which the picture goes.
        colour: what is known about the shot's colours, as `colour_words` returns it, and under ``reference_photograph``
            why a reference photograph could not be given.
        neck_joint: how good the machine's draft of a neck joint is: name of a measurement -> its result in words; empty
            if there is no draft.
        notes: the client's notes on the shot, as the manifest has them; empty if there are none.
        history: people's decisions, oldest first. If the shot was started again from its original, only those since.
        findings: findings about the photograph and the present edit that did not pass, skipped checks among them.
    """

    schema_name: str = SCHEMA
    client: str
    batch: str
    shot: str
    title: str
    picture: str
    size_px: Size
    round: int
    why: str
    services: tuple[NeededService, ...]
    tier: Tier
    tier_why: str
    issued_at: datetime
    due_at: datetime
    links_expire_at: datetime
    take: tuple[TicketFile, ...]
    put_back_into: str
    put_back_form: UploadForm | None = None
    desk_page: str = ""
    facts: Mapping[str, str]
    platforms: tuple[OrderedPlatform, ...]
    colour: Mapping[str, str]
    neck_joint: Mapping[str, str] = Field(default_factory=dict)
    notes: str = ""
    history: tuple[Decision, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def noticed(self) -> tuple[Finding, ...]:
        """Return the warnings and failures among the findings, in order; of equal code and message, only one."""
        told = (one for one in self.findings if one.status in (Status.WARNING, Status.FAILED))
        return tuple({(one.code, one.message): one for one in told}.values())

    @property
    def sent_back(self) -> Decision | None:
        """Return the last decision by which a person sent the shot to an editor, such as a reviewer or the client.

        None if no person did: the machine's route or quality control sent the shot.
        """
        back = [one for one in self.history if one.choice in MUST_SAY_WHAT]
        return back[-1] if back else None


class Scope(Value):
    """The work that people do on a shot. `scope_of` makes it.

    Attributes:
        services: the services (kinds of handwork) that the shot needs, each once, with the reason.
        estimate: how much handwork it is, in four tiers from basic to super complex, with the reason.
    """

    services: tuple[NeededService, ...]
    estimate: Estimate

    @property
    def ghost_mannequin(self) -> bool:
        """True if the shot needs a neck joint (the mannequin is removed from a garment)."""
        return any(one.service is Service.GHOST_MANNEQUIN for one in self.services)


def scope_of(record: ShotRecord, plan: Plan, *, ghost_mannequin: bool) -> Scope:
    """Return the handwork to do on a shot: the services (kinds of handwork) that it needs, and how much work they are.

    The services are those that the manifest asks for, those that the measurements call for, and those that are usual
    for the shot's category. A neck joint that is only usual for the category is left out unless `ghost_mannequin` is
    True.

    Args:
        record: the shot's record, with the report on its route.
        plan: the shot's plan: all its settings, resolved.
        ghost_mannequin: True if this client's garments get a neck joint: the mannequin is removed and the neckline
            filled.
    """
    routing = record.reports.get("routing", {})
    features: Mapping[str, float] = routing.get("features", {})
    services = needed_services(
        features=features,
        limits=plan.routing,
        asked=_asked(record, plan, ghost_mannequin=ghost_mannequin),
        reference=record.fact("reference"),
    )
    complexity = Complexity(routing.get("complexity", Complexity.SIMPLE))
    return Scope(
        services=services,
        estimate=estimate(features=features, limits=plan.routing, services=services, complexity=complexity),
    )


def _asked(record: ShotRecord, plan: Plan, *, ghost_mannequin: bool) -> dict[str, str]:
    kind = plan.category
    wished = [word for word in record.fact("services").split(",") if word]
    asked = dict.fromkeys(wished, "the manifest asks for it")
    for word in kind.services if kind else ():
        if word != "ghost_mannequin" or ghost_mannequin:
            asked.setdefault(word, f"usual for {kind.title.lower()}" if kind else "")
    return asked


def job_ticket(
    record: ShotRecord,
    plan: Plan,
    *,
    scope: Scope,
    why: str,
    at: datetime,
    due_at: datetime,
    links_expire_at: datetime,
    take: tuple[TicketFile, ...],
    put_back_into: str,
    put_back_form: UploadForm,
    desk_page: str = "",
    picture: str,
    reference_lost: str = "",
) -> JobTicket:
    """Return the ticket of a shot that waits for an editor, with all that the editor needs to know.

    Args:
        record: the shot's record: all that is stored about the shot.
        plan: the shot's plan: all its settings, resolved.
        scope: the handwork to do, as `scope_of` returns it.
        why: why a person must edit the shot, in words.
        at: the present time.
        due_at: when the finished picture should be back.
        links_expire_at: until when the download links and the upload form work.
        take: files to download, with links.
        put_back_into: the shot's hot folder: the beginning of the keys under which the finished picture goes.
        put_back_form: form that uploads the finished picture without an access key.
        desk_page: address of the shot's page at the review desk; empty if there is none.
        picture: SHA-256, in hexadecimal, of the picture that the editor gets to work on.
        reference_lost: why the reference photograph is not among the files, in words; empty if it is, or if there is
            none.
    """
    history = since_restart(record)
    size = record.reports.get("reading", {}).get("size", (0, 0))
    return JobTicket(
        client=record.shot.client,
        batch=record.shot.batch,
        shot=record.shot.shot,
        title=record.fact("sku") or PurePosixPath(record.source.key).stem,
        picture=picture,
        size_px=Size(*size),
        round=1 + sum(one.choice is Choice.RETURN for one in history),
        why=why,
        services=scope.services,
        tier=scope.estimate.tier,
        tier_why=scope.estimate.why,
        issued_at=at,
        due_at=due_at,
        links_expire_at=links_expire_at,
        take=take,
        put_back_into=put_back_into,
        put_back_form=put_back_form,
        desk_page=desk_page,
        facts={name: fact.value for name, fact in record.facts.items()},
        platforms=tuple(
            OrderedPlatform(
                name=one.platform.title, background=one.platform.background.value, fill_ratio=one.rules.fill_ratio
            )
            for one in plan.renditions
        ),
        colour={**colour_words(record, plan), **({"reference_photograph": reference_lost} if reference_lost else {})},
        neck_joint=_neck_joint_words(record) if scope.ghost_mannequin else {},
        notes=record.fact("notes"),
        history=history,
        findings=tuple(one for one in record.present_findings if one.status is not Status.PASSED),
    )


def _neck_joint_words(record: ShotRecord) -> dict[str, str]:
    proof = record.reports.get("neck_joint", {}).get("proof")
    return JointProof.model_validate(proof).words() if proof else {}


def colour_words(record: ShotRecord, plan: Plan) -> dict[str, str]:
    """Return what is known about a shot's colours, for its ticket: topic -> what is known, in words.

    ``reference`` is always there: the colour reference that the manifest names, else ``required`` or ``not required``.
    ``against the reference, before the edit`` is there if it was measured. Then comes each colour finding on the
    present edit by its code. Example: ``colour_shift`` -> ``1.20 delta E 2000 (limit 2.00)``.

    Args:
        record: the shot's record: all that is stored about the shot.
        plan: the shot's plan, which says whether a reference is required.
    """
    measured = {
        one.code: f"{one.measured:.2f} {one.unit}".strip()
        + (f" (limit {one.limit:.2f})" if one.limit is not None else "")
        for one in record.present_findings
        if one.measured is not None and ("delta_e" in one.unit.lower().replace(" ", "_") or "colour" in one.code)
    }
    before = colour_off_before(record)
    said = {} if before is None else {"against the reference, before the edit": f"{before:.2f} delta E 2000"}
    needed = "required" if plan.rules.colour_reference_required else "not required"
    return {"reference": record.fact("reference") or needed, **said, **measured}


def colour_off_before(record: ShotRecord) -> float | None:
    """Return delta E 2000 between the master's product and its colour reference; None if it was not measured."""
    before = record.reports.get("draft", {}).get("colour_before")
    return None if before is None else float(before)


def colour_off(record: ShotRecord) -> str:
    """Return delta E 2000 between the product and its colour reference in words: "9.1 before the edit, 1.2 now".

    A measurement that was not made is left out; the text is empty without both.
    """
    before = colour_off_before(record)
    now = [
        one.measured
        for one in record.present_findings
        if one.code == "colour_not_verified" and one.measured is not None
    ]
    said = ["" if before is None else f"{before:.1f} before the edit", f"{now[-1]:.1f} now" if now else ""]
    return ", ".join(filter(None, said))


def ticket_json(ticket: JobTicket) -> bytes:
    """Return a job ticket as the bytes of ``ticket.json``, in UTF-8."""
    return (ticket.model_dump_json(indent=1) + "\n").encode()


def words_for(ticket: JobTicket) -> dict[str, Any]:
    """Return the variables for the template of the ticket's page, by name.

    They are ``ticket``, the ticket itself, and ``sent_back``, the decision by which a person sent the shot to an editor
    (None if no person did).
    """
    return {"ticket": ticket, "sent_back": ticket.sent_back}
