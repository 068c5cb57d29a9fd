"""Record that a client rejects a delivered picture, and create a run that asks people about the shot.

Each step can be repeated. If one fails, the next attempt does the remaining steps.
"""

from __future__ import annotations

from prefect.client.orchestration import get_client

from packshot.batch import BatchRecord
from packshot.decision import Mark, Reason
from packshot.errors import DecisionRefusedError
from packshot.handoff.rejecting import Delivered, on_the_photograph, reject_delivered, rejected_in, rejection
from packshot.keys import delivery_key
from packshot.looking.guides import guides
from packshot.naming import ShotId
from packshot.record import ShotRecord, State
from packshot.types import Box, Size, Value
from tasks.people.jobs import HUMAN_EDIT
from tasks.processing.memory import room_for
from tasks.records.bookkeeping import now
from tasks.records.stored import change_batch, change_record, load_record
from tasks.runs.suspended import run_name
from tasks.stages import stored_edits
from tasks.storage import shot_objects
from tasks.telling.notices import tell


class Words(Value):
    """What a client says about a delivered file that is wrong.

    Attributes:
        reason: the reason code that the client chose.
        note: the client's own text; may be empty.
        boxes: the places that the client marked, in pixels of the file; may be empty.
        size: width and height of the file, in pixels.
    """

    reason: Reason
    note: str
    boxes: tuple[Box, ...]
    size: Size


def send_back(shot: ShotId, file: Delivered, words: Words) -> ShotRecord:
    """Record that a client has sent a delivered picture back, and return the shot's new record.

    The shot then waits for an editor: the run that asks one is created, and people are told. For each delivery only the
    first rejection counts: after a second one the record still has the first, and it is returned without an error.

    Args:
        file: the delivered file that the client looked at.
        words: what the client says about it.
    Raises:
        DecisionRefusedError: the shot has a newer file by now, the client does not say what is wrong, or the marked
            places can't be found on the photograph.
        ObjectMissingError: there is no such shot.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    record = load_record(shot)
    if rejected_in(record, file.number) is None:
        decision = rejection(
            file,
            client=shot.client,
            at=now(),
            reason=words.reason,
            note=words.note,
            marks=_marks(record, file, words),
            key=delivery_key(shot.in_batch, file.number, file.path),
        )
        record = change_record(shot, lambda one: reject_delivered(one, decision, file))
    told = rejected_in(record, file.number)
    assert told, "either this rejection or an earlier one"

    def note(batch: BatchRecord) -> BatchRecord:
        return batch.model_copy(update={"sent_back": {**batch.sent_back, shot.shot: told.at}})

    change_batch(shot.in_batch, note)
    if record.state is State.AWAITING_EDITOR:
        _ask_people(record, number=file.number)
        tell(record, "sent_back", f"{told.sentence}. It waits for an editor.", once=file.question)
    return record


def _ask_people(record: ShotRecord, *, number: int) -> None:
    """Create the run that asks an editor, unless there is one. It begins at once and waits when its ticket is made."""
    shot = record.shot
    category = record.reports.get("routing", {}).get("category") or "unknown"
    with get_client(sync_client=True) as client:
        client.create_flow_run_from_deployment(
            client.read_deployment_by_name(HUMAN_EDIT).id,
            parameters={"client": shot.client, "batch": shot.batch, "shot": shot.shot},
            name=run_name(shot),
            tags=[f"client:{shot.client}", f"batch:{shot.batch}", f"category:{category}", record.state.value],
            idempotency_key=f"human-edit-{shot}-sent-back-{number}",
        )


def _marks(record: ShotRecord, file: Delivered, words: Words) -> tuple[Mark, ...]:
    """Return the client's places as marks on the photograph, where an editor looks for them."""
    if not words.boxes:
        return ()
    with room_for(record):
        matte = stored_edits.read_matte(shot_objects.fetch(record, "matte.png"))
        shown = guides(matte, shot_objects.plan_of(record).renditions)
    platform = file.path.partition("/")[0]
    window = next((one.frame for one in shown if one.platform == platform), None)
    if window is None:
        raise DecisionRefusedError(
            "the places cannot be found on the photograph",
            str(record.shot),
            found=f"no platform {platform} in the shot's plan",
            next_step="Say in the text where it is.",
        )
    photograph = Size(matte.shape[1], matte.shape[0])
    text = words.note or words.reason.replace("_", " ")
    return on_the_photograph(words.boxes, size=words.size, window=window, photograph=photograph, text=text)
