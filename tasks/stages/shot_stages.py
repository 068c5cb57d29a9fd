"""Run the stages of a shot, one task each: fetch, call `packshot.pipeline` once, store, return a small result.

Each task also updates the shot's record. Its result is cached by content, so a retry or a new run repeats only work
that is not done. Pixels stay in storage; tasks pass references and measurements to each other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from prefect import task

from packshot import pipeline
from packshot.batch import ShotRef
from packshot.decision import Decision
from packshot.errors import ObjectMissingError, RecordConflictError, RefusedInputError, VerificationError
from packshot.export.labels import labels_of
from packshot.export.preview import before_and_after
from packshot.figures import counted
from packshot.ingest.master import read_master, write_working_tiff
from packshot.ingest.shoot_groups import GroupDecision
from packshot.keys import quarantine_key, quarantine_reason_key
from packshot.naming import ShotId
from packshot.pipeline import opening
from packshot.pipeline.opening import MasteredFile
from packshot.record import State
from packshot.specs.models import Configs
from tasks.environment.configs import CLIENT_UNKNOWN, configs_in_force, fingerprint
from tasks.environment.style_guides import taken_away
from tasks.learning.routing_model import as_promised, ruled_out, serving_model
from tasks.processing.children import children
from tasks.processing.memory import room_for, room_for_file
from tasks.processing.networks import network_in_use
from tasks.records.bookkeeping import Life, living
from tasks.records.stored import load_batch
from tasks.results.cache_keys import unit
from tasks.results.handovers import ApprovedShot, EditedShot, ExportedShot, MasteredShot, RoutedShot
from tasks.stages import stored_edits
from tasks.stages.first_edit import make_first_edit
from tasks.storage import shot_objects
from tasks.storage.bucket import open_storage
from tasks.telling.displays import show_refusal


@task(name="master", task_run_name="master · {ref.shot.shot}", **unit("master"))
def master_shot(ref: ShotRef, *, configs_fingerprint: str) -> MasteredShot:
    """Make the master of an uploaded photograph (stage 1), and return its hash and measurements; or the reason of a
    refusal.

    The master is a 16-bit TIFF in Adobe RGB. The master is stored with the shot's plan and a preview. A file that can't
    be used is refused: it is copied into quarantine, and nothing is raised.

    Args:
        ref: the photograph's entry in its batch's record.
        configs_fingerprint: hash of the configs of the batch's client when the batch was listed; part of the cache key.
    Raises:
        ObjectMissingError: the file was deleted or replaced since the batch was listed.
        ConfigError: the client's style guide is wrong, or is gone since the batch was listed; or none of its platforms
            takes the photograph.
    """
    with living(ref.shot, stage="master") as life:
        life.hold(room_for_file(ref.size_bytes))
        original = _as_listed(ref.key, ref.etag)
        sidecar = _as_listed(ref.sidecar, ref.sidecar_etag) if ref.sidecar else b""
        sha256 = hashlib.sha256(original).hexdigest()
        try:
            done, made = _mastered(ref, original, sidecar, life.record.decisions, listed=configs_fingerprint)
        except RefusedInputError as error:
            return _refused(life, ref, original, sha256, error)
        plan = done.plan
        files = {
            "master.tif": made["master.tif"],
            shot_objects.PLAN: plan.model_dump_json(indent=1).encode(),
            "preview.webp": made["preview.webp"],
        }
        objects = shot_objects.keep(ref.shot, files)
        life.reach(
            State.MASTERED,
            why=f"{done.report['size'][0]} x {done.report['size'][1]} px, {done.report['profile'] or 'no profile'}",
            facts=done.facts,
            source_sha256=sha256,
            plan_fingerprint=plan.fingerprint,
            findings=done.findings,
            reports={"reading": done.report, "light": done.light.model_dump(mode="json")},
            objects=objects,
        )
        return MasteredShot(
            shot=ref.shot,
            source_sha256=sha256,
            plan_fingerprint=plan.fingerprint,
            generation=ref.generation,
            category_source=done.category_source,
            features=done.features,
            light=done.light,
            looks=done.looks,
            master_sha256=objects["master.tif"],
        )


def _as_listed(key: str, etag: str) -> bytes:
    """Return an uploaded file's bytes, as they were when the batch was listed.

    Raises:
        ObjectMissingError: the file was deleted or replaced since.
    """
    data, found = open_storage().get_with_etag(key)
    if found.strip('"') != etag:
        raise _replaced(key, found=found, listed=etag)
    return data


def _replaced(key: str, *, found: str, listed: str) -> ObjectMissingError:
    return ObjectMissingError(
        "this uploaded file was replaced while its batch was being processed",
        key,
        found=f"the ETag {found}",
        allowed=f"the one that was listed, {listed}",
        next_step="Start the batch again, so that it lists the new file. Or send the file in another batch.",
    )


def _mastered(
    ref: ShotRef, original: bytes, sidecar: bytes, decisions: Sequence[Decision], *, listed: str
) -> tuple[MasteredFile, Mapping[str, bytes]]:
    """Master an original in a confined child process; return what is known about it, and its files."""
    configs = configs_in_force()
    _require_its_style_guide(ref.shot, configs, listed=listed)
    answer = children().call(
        opening.MASTER,
        original,
        about=ref.path,
        within=configs.ingest.apart,
        path=ref.path,
        shot=ref.shot.shot,
        row=ref.row,
        client=ref.shot.client,
        configs=configs,
        sidecar=sidecar,
        decisions=decisions,
    )
    return MasteredFile.model_validate(answer.value), answer.parts


def _require_its_style_guide(shot: ShotId, configs: Configs, *, listed: str) -> None:
    """Raise an error if the client had a style guide of its own when its batch was listed, and has none any more.

    The default one would take its place without a word. A batch whose client never had one says so in its findings.

    Args:
        listed: the fingerprint of the client's configs when the batch was listed.
    Raises:
        ConfigError: the client's own file is gone.
    """
    client = shot.client
    if client in configs.clients or client in configs.broken_clients or fingerprint(configs, client=client) == listed:
        return
    if any(one.code == CLIENT_UNKNOWN for one in load_batch(shot.in_batch).findings):
        return
    raise taken_away(client)


def _refused(life: Life, ref: ShotRef, original: bytes, sha256: str, error: RefusedInputError) -> MasteredShot:
    """Put a copy of a refused file into quarantine with the reason. The original stays where it is.

    Raises:
        ObjectMissingError: the file was deleted or replaced since it was read.
    """
    storage, batch = open_storage(), ref.shot.in_batch
    try:
        storage.copy(ref.key, quarantine_key(batch, ref.path), etag=ref.etag)
    except RecordConflictError as changed:
        raise _replaced(ref.key, found=changed.found or "of another file", listed=ref.etag) from changed
    reason = stored_edits.refusal_json(ref, error, sha256=sha256)
    storage.put(quarantine_reason_key(batch, ref.path), reason, content_type="application/json")
    life.reach(State.REFUSED, why=str(error), source_sha256=sha256, reports={"refusal": {"code": error.code}})
    show_refusal(ref.shot, str(error))
    return MasteredShot(
        shot=ref.shot,
        source_sha256=sha256,
        plan_fingerprint="",
        generation=ref.generation,
        refused=str(error),
    )


@task(name="correct", task_run_name="correct · {mastered.shot.shot}", **unit("correct"))
def correct_shot(mastered: MasteredShot, *, group: GroupDecision) -> MasteredShot:
    """Correct the colours of a master, as its shoot group needs it (stage 2); return the shot with the new hash.

    The corrected picture is stored beside the master as ``corrected.tif``; the hash is that of this file.

    Args:
        mastered: a shot that was not refused.
        group: what was decided about its shoot group (shots in the same light). Call the task only if this has a
            correction of the colours.
    Raises:
        ObjectMissingError: the master is missing, or its bytes have changed.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    with living(mastered.shot, stage="correct") as life:
        record = life.record
        life.hold(room_for(record))
        done = pipeline.correct_master(read_master(shot_objects.fetch(record, "master.tif")), group.correction)
        files = {
            stored_edits.CORRECTED: write_working_tiff(done.pixels, metadata=stored_edits.metadata_of(record)),
            "preview.webp": before_and_after(done.pixels, None),
        }
        objects = shot_objects.keep(mastered.shot, files, over=record.objects)
        life.reach(State.MASTERED, why=group.correction.why, findings=done.findings, objects=objects)
        return mastered.model_copy(update={"master_sha256": objects[stored_edits.CORRECTED]})


@task(name="route", task_run_name="route · {mastered.shot.shot}", **unit("route"))
def route_shot(mastered: MasteredShot, *, group: GroupDecision) -> RoutedShot:
    """Decide whether the machine or a person edits a shot (stage 2), and return the shot with this route.

    The category's rule decides first, then the measurements and the routing model.

    Args:
        mastered: a shot that was not refused.
        group: what was decided about its shoot group (shots in the same light).
    Raises:
        ObjectMissingError: the plan is missing, or its bytes have changed.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    with living(mastered.shot, stage="route") as life:
        assert mastered.features is not None, "refused shots are not routed"
        plan = as_promised(shot_objects.plan_of(life.record))
        decision = pipeline.route(
            mastered.features,
            plan,
            category_source=mastered.category_source,
            group=group,
            model=serving_model(plan),
            ruled_out=ruled_out(plan),
            looks=mastered.looks,
        )
        life.reach(
            State.ROUTED,
            why=f"{decision.complexity}: {decision.reason}",
            findings=group.findings,
            reports={
                "routing": {**decision.model_dump(mode="json"), "features": mastered.features.model_dump()},
                "group": group.model_dump(mode="json"),
            },
        )
        return RoutedShot(
            shot=mastered.shot,
            source_sha256=mastered.source_sha256,
            plan_fingerprint=mastered.plan_fingerprint,
            generation=mastered.generation,
            group=group.part,
            colour_fingerprint=stored_edits.colour_fingerprint(group),
            category=decision.category,
            complexity=decision.complexity,
            route=decision.route,
            reason=decision.reason,
            master_sha256=mastered.master_sha256,
        )


@task(name="edit", task_run_name="edit · {routed.shot.shot}", **unit("edit", knows=network_in_use))
def edit_shot(routed: RoutedShot) -> EditedShot:
    """Cut out, set on exact white, frame and score a shot (stage 3); return its verdict, and who acts next.

    The edit and its findings are stored, and the shot's record is in the state of the verdict.

    Args:
        routed: a shot that stage 2 has given to the machine.
    Raises:
        ModelError: neither the segmentation network nor a fallback is available.
        LeaseLostError: another run has taken this work over.
    """
    with living(routed.shot, stage="edit") as life:
        made = make_first_edit(life)
        return EditedShot(
            shot=routed.shot,
            source_sha256=routed.source_sha256,
            plan_fingerprint=routed.plan_fingerprint,
            generation=routed.generation,
            group=routed.group,
            category=routed.category,
            verdict=made.edit.verdict,
            score=made.edit.score,
            reason=made.why,
            needs_person=made.needs_person,
        )


@task(name="export", task_run_name="export · {approved.shot.shot}", **unit("export"))
def export_shot(approved: ApprovedShot) -> ExportedShot:
    """Make and verify the renditions of an approved shot (stage 4); return the paths of those that passed.

    Each file is decoded again and compared with the platform's rules. If a platform can't be served, the record says
    why; the other platforms still get their files.

    Args:
        approved: a shot that is approved.
    Raises:
        VerificationError: no rendition passed. The shot's record says why.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    with living(approved.shot, stage="export") as life:
        record = life.record
        life.hold(room_for(record))
        plan = pipeline.without_held(shot_objects.plan_of(record), record.reports.get("edit", {}).get("held", {}))
        composite = read_master(shot_objects.fetch(record, "edit.tif"))
        matte = stored_edits.read_matte(shot_objects.fetch(record, "matte.png"))
        labels = labels_of(plan, stored_edits.metadata_of(record))
        export = pipeline.export(composite, matte, plan, known=stored_edits.known_of(record), labels=labels)
        reports = {"export": stored_edits.export_report(export)}
        if not export.verified:
            life.reach(State.APPROVED, why="not one rendition may be delivered", reports=reports)
            raise VerificationError(
                "no rendition passes its verification",
                str(approved.shot),
                found=stored_edits.failures_in_words(export),
                next_step="Look at the findings in the shot's record; correct the style guide, or reprocess the shot.",
            )
        kept = shot_objects.keep(approved.shot, stored_edits.rendition_files(export.verified))
        life.reach(
            State.EXPORTED,
            State.VERIFIED,
            why=f"{counted(len(export.verified), 'file')}, each decoded again and verified",
            reports=reports,
            objects={name: sha256 for name, sha256 in kept.items() if stored_edits.is_thumbnail(name)},
        )
        return ExportedShot(
            shot=approved.shot,
            source_sha256=approved.source_sha256,
            plan_fingerprint=approved.plan_fingerprint,
            generation=approved.generation,
            files=tuple(one.path for one in export.verified),
        )
