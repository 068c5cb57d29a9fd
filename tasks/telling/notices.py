"""Send notices to people: each as a Prefect event, and also to a webhook and by e-mail if the settings name them.

`tell` sends each notice once. Before sending, it stores the notice as an object below ``leases/notices/``, on the
condition that there is none yet. After the webhook and the mail server have taken the notice, it stores another small
object, the mark that the notice was sent, and deletes the first. What was refused, or was being sent when the process
ended, is still there: `send_again` finds it and tries again, at longer and longer intervals. So a notice arrives at
least once; it arrives twice if the process ends between the answer and the mark. Errors of the webhook and the mail
server are logged, not raised, so the flow that sends the notice goes on.

    absent ── stored, tried ──► taken ──► mark stored, object deleted
                  │ refused, no answer, or the process ended
                  ▼
              waits ── send_again, up to 24 tries ──► taken, or given up
"""

from __future__ import annotations

import hashlib
import json
import smtplib
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from email.message import EmailMessage

from prefect.events import emit_event
from pydantic import ValidationError

from packshot.errors import ObjectMissingError, PackshotError, RecordConflictError
from packshot.escaping import body, chat, header, one_line
from packshot.figures import counted
from packshot.keys import lease_key, line_notice_key, notice_key, notice_lease
from packshot.naming import batch_id
from packshot.record import ShotRecord
from packshot.types import Value
from tasks.environment.desk_pages import desk_page
from tasks.environment.logs import log
from tasks.environment.settings import Settings, get_settings
from tasks.storage.bucket import open_storage

TIMEOUT_S = 10.0
SENDING_S = 120.0
"""Time after which a notice counts as not sent if nobody has said how its sending ended. Sending takes less."""
FIRST_WAIT_S, LONGEST_WAIT_S = 60.0, 3600.0
"""Time from a failed try to the next. It doubles each time, up to the longest."""
MOST_TRIES = 24
"""Tries for each notice; they take 19 hours. Then it is given up, and the log says so."""
_JSON = "application/json"
EVENT_PREFIX = "packshot.job."
NOTHING_FETCHED = {"mrkdwn": False, "unfurl_links": False, "unfurl_media": False}
"""Options for Slack: don't interpret markup, and don't fetch pages or pictures that the text links to."""
KINDS: Mapping[str, str] = {
    "on_hold": "is on hold",
    "soon_due": "is soon due",
    "overdue": "is overdue",
    "unknown_file": "got a file that fits no shot",
    "sent_back": "was sent back by its client",
    "client_answered": "has an answer for its client",
    "answer_refused": "got an answer that could not be followed",
    "promise_broken": "breaks its promise",
    "night_stopped": "did not run to its end",
    "night_missing": "did not begin",
    "misnamed": "holds something that is left where it is",
}


class Notice(Value):
    """A message to people about a shot, or about the whole system.

    Attributes:
        kind: what happened, one of `KINDS`, such as ``overdue``; the Prefect event's name is ``packshot.job.<kind>``.
        client, batch, shot: names of what the notice is about. If it is about the whole system, client and batch are
            empty, and `shot` is the topic, such as ``night``.
        state: the shot's state; empty if the notice is not about a shot.
        message: what happened, in words.
        due: the time by which somebody must act, as text such as ``2026-05-01T14:00:00+00:00``; empty if nobody must.
        page: address of the shot's page at the review desk; may be empty.
    """

    kind: str
    client: str
    batch: str
    shot: str
    state: str
    message: str
    due: str = ""
    page: str = ""

    @property
    def subject(self) -> str:
        """The notice in one line, for example as the subject of an e-mail: "acme/spring/BTL201_MAIN is overdue"."""
        return f"{'/'.join(filter(None, (self.client, self.batch, self.shot)))} {KINDS[self.kind]}"


def tell(record: ShotRecord, kind: str, message: str, *, due: str = "", once: str = "") -> bool:
    """Send people a notice about a shot, unless the same notice was sent before; return True if it was sent now.

    The notice becomes a Prefect event. It also goes to a webhook and by e-mail if the settings name them; their errors
    are logged, not raised. True does not say that these two have received it: `send_again` repeats what they refused.

    Args:
        record: the shot's record.
        kind: what happened, one of `KINDS`, such as ``overdue``.
        message: what happened, in words.
        due: the time by which somebody must act, as text such as ``2026-05-01T14:00:00+00:00``; empty if nobody must.
        once: a text that tells this notice from others of the same kind about the shot, for example the due time. Two
            notices with the same text are the same notice. Empty: the time since which the shot has been in its state
            is used, so people get one notice each time that the shot waits.
    Raises:
        KeyError: `kind` is not one of `KINDS`, and the settings name a webhook or a mail address.
        StorageUnavailableError, StorageDeniedError: the notice can't be stored. Nothing is sent.
    """
    shot = record.shot
    notice = Notice(
        kind=kind,
        client=shot.client,
        batch=shot.batch,
        shot=shot.shot,
        state=record.state.value,
        message=message,
        due=due,
        page=desk_page(shot),
    )
    wait = f"{record.since:%Y%m%dT%H%M%S%f}" if record.since else "first"
    return send_once(notice, mark=once or wait)


def raise_alarm(kind: str, message: str, *, about: str, once: str = "") -> bool:
    """Send people a notice about the whole system, not about one shot; return True if it was sent now.

    Args:
        kind: what happened, one of `KINDS`, such as ``night_stopped``.
        message: what happened, in words.
        about: the topic, such as ``routing`` or ``night``.
        once: a text that tells this notice from others of its kind; if one with this text was sent before, nothing is
            sent. Empty: it is always sent, even while the storage is away; it is stored only if it was refused.
    Raises:
        StorageUnavailableError, StorageDeniedError: `once` is given, and the notice can't be stored. Nothing is sent.
            Errors of the webhook or the mail server are logged, not raised.
    """
    notice = Notice(kind=kind, client="", batch="", shot=about, state="", message=message)
    if once:
        return _send_marked(notice, line_notice_key(f"{kind}-{once}"))
    if refused := send(notice):
        _keep(notice, refused)
    return True


def tell_of_misnamed(key: str, why: Exception | str, *, about: str) -> bool:
    """Send people a notice about an object in storage whose name can't be used; return True if it was sent now.

    Only one notice is sent for each key: a second call sends nothing and returns False.

    Args:
        key: the object's key in storage.
        why: what is wrong with the name, in words or as the error that says it.
        about: where the object is, in words, such as "inbox".
    Raises:
        StorageUnavailableError, StorageDeniedError: the notice can't be stored. Nothing is sent.
    """
    mark = hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:16]
    return raise_alarm("misnamed", f"{key!r}: {why}", about=about, once=mark)


def send_once(notice: Notice, *, mark: str) -> bool:
    """Send a notice about a shot unless one of its kind with this mark was sent; return True if it was sent now.

    Args:
        notice: what people are told.
        mark: a text that tells this notice from others of its kind about the shot, for example a due time.
    Raises:
        StorageUnavailableError, StorageDeniedError: the notice can't be stored. Nothing is sent. Errors of the webhook
            or the mail server are logged, not raised.
    """
    return _send_marked(notice, notice_key(batch_id(notice.client, notice.batch), notice.shot, f"{notice.kind}-{mark}"))


class Unsent(Value):
    """A notice that is being sent, or waits to be sent again, as it is stored.

    Attributes:
        notice: what people are told.
        mark: key of the object that says that it was sent; empty if the notice has none.
        to: where it has not arrived yet: ``webhook``, ``mail``.
        tries: how many times it has been tried, with the try that runs now.
        rests_s: time from the last write of this object to the next try, in seconds by the storage's clock.
        nonce: new for each write, so that two writes never have the same bytes and the same ETag.
    """

    notice: Notice
    mark: str
    to: tuple[str, ...]
    tries: int
    rests_s: float
    nonce: str


class Resent(Value):
    """What one look for notices that have not arrived has found.

    Attributes:
        sent: how many have arrived now.
        waiting: how many have still not arrived, and are tried again later.
        given_up: how many were tried for the last time, and have not arrived.
    """

    sent: int = 0
    waiting: int = 0
    given_up: int = 0

    @property
    def sentence(self) -> str:
        """The result in words, such as "1 notice sent again"; empty if nothing was waiting."""
        parts = ((self.sent, "sent again"), (self.waiting, "not taken yet"), (self.given_up, "given up"))
        return "; ".join(f"{counted(number, 'notice')} {what}" for number, what in parts if number)


def _send_marked(notice: Notice, mark: str) -> bool:
    """Send a notice unless its mark says that it was sent, or somebody is sending it; return True if it was tried."""
    storage, name = open_storage(), notice_lease(mark)
    if storage.exists(mark):
        return False
    nonce = uuid.uuid4().hex
    unsent = Unsent(notice=notice, mark=mark, to=tuple(_TARGETS), tries=1, rests_s=SENDING_S, nonce=nonce)
    try:
        etag = storage.put_if_absent(lease_key(name), _bytes_of(unsent), content_type=_JSON).etag
    except RecordConflictError:
        return False
    if storage.exists(mark):  # somebody has sent it between the two requests
        storage.remove_lease(name)
        return False
    _note(unsent, send(notice) or (), name=name, etag=etag)
    return True


def _keep(notice: Notice, refused: tuple[str, ...]) -> None:
    """Store a notice without a mark that was refused. If that fails, it is logged."""
    nonce = uuid.uuid4().hex
    unsent = Unsent(notice=notice, mark="", to=refused, tries=1, rests_s=FIRST_WAIT_S, nonce=nonce)
    try:
        open_storage().put_if_absent(lease_key(notice_lease(nonce)), _bytes_of(unsent), content_type=_JSON)
    except PackshotError as error:
        log().error("%s: nobody was told, and it can't be tried again: %s", notice.subject, error)
    else:
        _say_again(unsent)


def _say_again(waits: Unsent) -> None:
    told = (waits.notice.subject, ", ".join(waits.to), waits.rests_s)
    log().warning("%s: not told yet (%s); it is tried again in %.0f s", *told)


def _note(unsent: Unsent, refused: tuple[str, ...], *, name: str, etag: str) -> None:
    """Store how a try has ended. If that fails, it is logged, and the notice is sent once more later."""
    storage = open_storage()
    given_up = bool(refused) and unsent.tries >= MOST_TRIES
    try:
        if refused and not given_up:
            rests_s = min(FIRST_WAIT_S * 2 ** (unsent.tries - 1), LONGEST_WAIT_S)
            waits = unsent.model_copy(update={"to": refused, "rests_s": rests_s, "nonce": uuid.uuid4().hex})
            storage.replace_if(lease_key(name), _bytes_of(waits), etag=etag, content_type=_JSON)
            _say_again(waits)
            return
        if given_up:
            told = (unsent.notice.subject, ", ".join(refused), unsent.tries, unsent.notice.message)
            log().error("%s: given up, %s did not take the notice in %d tries: %s", *told)
        if unsent.mark:
            _mark(unsent)
        storage.remove_lease(name)
    except (RecordConflictError, ObjectMissingError):
        log().warning("%s: another process is sending this notice, too", unsent.notice.subject)
    except PackshotError as error:
        log().warning("%s: the notice may be sent twice: %s", unsent.notice.subject, error)


def _mark(unsent: Unsent) -> None:
    try:
        open_storage().put_if_absent(unsent.mark, unsent.notice.model_dump_json().encode(), content_type=_JSON)
    except RecordConflictError:
        log().warning("%s: this notice was sent twice", unsent.notice.subject)


def _bytes_of(unsent: Unsent) -> bytes:
    return unsent.model_dump_json().encode()


def send_again() -> Resent:
    """Try again to send the notices that have not arrived; return how many arrived, wait, and were given up.

    A notice is tried when its pause is over: 60 s after the first failed try, then twice as long each time, at most one
    hour; after 24 tries it is given up. It is tried only where it has not arrived: a webhook that refuses a notice does
    not repeat its mail. If two processes look at the same time, one of them sends it. A stored notice that can't be
    read is logged and left alone.

    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    results = [_try_again(info.key) for info in open_storage().list(lease_key(notice_lease("")).removesuffix(".json"))]
    return Resent(**{name: results.count(name) for name in Resent.model_fields})


def _try_again(key: str) -> str:
    """Send one notice if its pause is over; return which count of `Resent` it belongs to, or nothing."""
    storage, name = open_storage(), key.removeprefix(lease_key("").removesuffix(".json")).removesuffix(".json")
    try:
        data, etag, age = storage.get_with_age(key)
        unsent = Unsent.model_validate_json(data)
    except ObjectMissingError:
        return ""
    except ValidationError as error:
        log().warning("%s is not a notice that can be sent: %s", key, type(error).__name__)
        return ""
    if age.total_seconds() < unsent.rests_s:
        return "waiting"
    if unsent.mark and storage.exists(unsent.mark):
        storage.remove_lease(name)
        return ""
    change = {"tries": unsent.tries + 1, "rests_s": SENDING_S, "nonce": uuid.uuid4().hex}
    unsent = unsent.model_copy(update=change)
    try:
        etag = storage.replace_if(key, _bytes_of(unsent), etag=etag, content_type=_JSON).etag
    except (RecordConflictError, ObjectMissingError):
        return ""
    refused = send(unsent.notice, to=unsent.to) or ()
    _note(unsent, refused, name=name, etag=etag)
    if refused:
        return "given_up" if unsent.tries >= MOST_TRIES else "waiting"
    return "sent"


def send(notice: Notice, *, to: tuple[str, ...] | None = None) -> tuple[str, ...]:
    """Send a notice, whether it was sent before or not; return where it did not arrive: ``webhook``, ``mail``.

    The notice becomes a Prefect event, and goes to the webhook and the mail address if the settings name them. An error
    of the webhook or the mail server is logged, not raised.

    Args:
        to: where to send the notice, of ``webhook`` and ``mail``; then no event is made. None means to both, and as an
            event.
    """
    if to is None:
        emit_event(
            event=EVENT_PREFIX + notice.kind,
            resource={
                "prefect.resource.id": f"packshot.shot.{notice.client}.{notice.batch}.{notice.shot}",
                "prefect.resource.name": notice.shot,
                "packshot.client": notice.client,
                "packshot.batch": notice.batch,
            },
            payload=notice.model_dump(mode="json"),
        )
    settings, refused = get_settings(), []
    for name, target in _TARGETS.items():
        if to is not None and name not in to:
            continue
        try:
            target(notice, settings)
        except Exception as error:  # noqa: BLE001  no text and no answer of a server ever stops the line
            log().warning("could not tell %s (%s): %s", name, notice.subject, type(error).__name__)
            refused.append(name)
    return tuple(refused)


def _to_webhook(notice: Notice, settings: Settings) -> None:
    if settings.notify_webhook_url is None:
        return
    told = {
        "text": f"{chat(f'{notice.subject}: {notice.message}')} {notice.page}".rstrip(),
        **{name: one_line(value) for name, value in notice.model_dump(mode="json").items()},
        **NOTHING_FETCHED,
    }
    request = urllib.request.Request(  # noqa: S310  (the settings allow http and https only)
        settings.notify_webhook_url.get_secret_value(),
        data=json.dumps(told).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_S):  # noqa: S310
        pass


def _by_mail(notice: Notice, settings: Settings) -> None:
    if not (settings.notify_smtp_host and settings.notify_mail_to and settings.notify_mail_from):
        return
    mail = EmailMessage()
    mail["Subject"] = header(f"Packshot: {notice.subject}")
    mail["From"] = settings.notify_mail_from
    mail["To"] = settings.notify_mail_to
    said = filter(None, [notice.message, f"Due: {notice.due}" if notice.due else "", notice.page])
    mail.set_content(body("\n".join(said)) + "\n")
    with smtplib.SMTP(settings.notify_smtp_host, settings.notify_smtp_port, timeout=TIMEOUT_S) as server:
        if settings.notify_smtp_starttls:
            server.starttls()
        if settings.notify_smtp_user and settings.notify_smtp_password:
            server.login(settings.notify_smtp_user, settings.notify_smtp_password.get_secret_value())
        server.send_message(mail)


_TARGETS: Mapping[str, Callable[[Notice, Settings], None]] = {"webhook": _to_webhook, "mail": _by_mail}
