"""Send notices to people: each as a Prefect event, and also to a webhook and by e-mail if the settings name them.

`tell` sends each notice once. Before sending, it stores a small object, the mark of this notice, on the condition that
there is none yet. An error of the webhook or the mail server is logged, not raised, so the flow that sends the notice
goes on.
"""

from __future__ import annotations

import hashlib
import json
import smtplib
import urllib.request
from collections.abc import Mapping
from email.message import EmailMessage

from prefect.events import emit_event

from packshot.errors import RecordConflictError
from packshot.escaping import body, chat, header, one_line
from packshot.keys import line_notice_key, notice_key
from packshot.naming import batch_id
from packshot.record import ShotRecord
from packshot.types import Value
from tasks.environment.desk_pages import desk_page
from tasks.environment.logs import log
from tasks.environment.settings import Settings, get_settings
from tasks.storage.bucket import open_storage

TIMEOUT_S = 10.0
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
    """A message to people about a shot, or about the whole production line.

    Attributes:
        kind: what happened, one of `KINDS`, such as ``overdue``; the Prefect event's name is ``packshot.job.<kind>``.
        client, batch, shot: names of what the notice is about. If it is about the line, client and batch are empty, and
            `shot` is the topic, such as ``night``.
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
    are logged, not raised. True does not say that these two have received it. A mark in storage says that the notice
    was sent. It is written first, so a notice that fails is not sent again.

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
        StorageUnavailableError, StorageDeniedError: the mark can't be stored. Nothing is sent.
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
    """Send people a notice about the whole production line, not about one shot; return True if it was sent now.

    Args:
        kind: what happened, one of `KINDS`, such as ``night_stopped``.
        message: what happened, in words.
        about: the topic, such as ``routing`` or ``night``.
        once: a text that tells this notice from others of its kind; if one with this text was sent before, nothing is
            sent. Empty: it is always sent.
    Raises:
        StorageUnavailableError, StorageDeniedError: `once` is given, and the mark that the notice was sent can't be
            stored. Nothing is sent. Errors of the webhook or the mail server are logged, not raised.
    """
    notice = Notice(kind=kind, client="", batch="", shot=about, state="", message=message)
    if once and not _noted(line_notice_key(f"{kind}-{once}"), notice):
        return False
    send(notice)
    return True


def tell_of_misnamed(key: str, why: Exception | str, *, about: str) -> bool:
    """Send people a notice about an object in storage whose name can't be used; return True if it was sent now.

    Only one notice is sent for each key: a second call sends nothing and returns False.

    Args:
        key: the object's key in storage.
        why: what is wrong with the name, in words or as the error that says it.
        about: where the object is, in words, such as "inbox".
    Raises:
        StorageUnavailableError, StorageDeniedError: the mark that the notice was sent can't be stored. Nothing is sent.
    """
    mark = hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:16]
    return raise_alarm("misnamed", f"{key!r}: {why}", about=about, once=mark)


def send_once(notice: Notice, *, mark: str) -> bool:
    """Send a notice about a shot unless one of its kind with this mark was sent; return True if it was sent now.

    Args:
        notice: what people are told.
        mark: a text that tells this notice from others of its kind about the shot, for example a due time.
    Raises:
        StorageUnavailableError, StorageDeniedError: the mark that the notice was sent can't be stored. Nothing is sent.
            Errors of the webhook or the mail server are logged, not raised.
    """
    key = notice_key(batch_id(notice.client, notice.batch), notice.shot, f"{notice.kind}-{mark}")
    if not _noted(key, notice):
        return False
    send(notice)
    return True


def _noted(key: str, notice: Notice) -> bool:
    """Mark a notice as sent, by conditional write; return False if it was marked before."""
    try:
        open_storage().put_if_absent(key, notice.model_dump_json().encode(), content_type="application/json")
    except RecordConflictError:
        return False
    return True


def send(notice: Notice) -> None:
    """Send a notice, whether it was sent before or not.

    The notice becomes a Prefect event, and goes to the webhook and the mail address if the settings name them. An error
    of the webhook or the mail server is logged, not raised.
    """
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
    settings = get_settings()
    for target in (_to_webhook, _by_mail):
        try:
            target(notice, settings)
        except Exception as error:  # noqa: BLE001  no text and no answer of a server ever stops the line
            log().warning(
                "could not tell %s (%s): %s", target.__name__.strip("_"), notice.subject, type(error).__name__
            )


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
