"""Write pages and tables about shots and batches for Prefect's UI, from their records."""

from __future__ import annotations

from collections.abc import Sequence

from packshot.blind import UNTOLD, is_blind
from packshot.escaping import code, markdown
from packshot.figures import measured_in
from packshot.keys import shot_key
from packshot.naming import BatchId, ShotId
from packshot.record import ShotRecord
from packshot.types import Finding, Status, Verdict, in_order_of_weight
from tasks.environment.desk_pages import desk_link
from tasks.storage.shot_objects import fetch
from tasks.telling.artifacts import artifact_key, page_artifact, picture, table_artifact

_SIGNS = {Status.PASSED: "✓", Status.WARNING: "⚠", Status.FAILED: "✗", Status.SKIPPED: "– not checked"}


def show_edit(record: ShotRecord) -> None:
    """Show an edited shot on its page in Prefect's UI.

    The page has the pictures before and after, the score and its parts, the route, the findings, and enlarged places as
    evidence. If a reviewer must judge the shot without the machine's opinion (blind review), it has only the pictures.

    Args:
        record: the record of a shot with an edit.
    Raises:
        ObjectMissingError: the shot has no preview.
    """
    shot = record.shot
    key = artifact_key("shot", shot.client, shot.batch, shot.shot)
    text = _to_be_judged(record) if is_blind(record) else _opinion(record)
    page_artifact(text, key=key, description=f"{shot}")


_VERDICTS = {
    Verdict.AUTO_APPROVE: "approved by the machine",
    Verdict.HUMAN_REVIEW: UNTOLD,
    Verdict.REJECT_AND_REDO: "not good enough",
}


def _to_be_judged(record: ShotRecord) -> str:
    shot = record.shot
    return "\n\n".join([f"# {markdown(shot.shot)}: {UNTOLD}", desk_link(shot), preview_of(record)])


def _opinion(record: ShotRecord) -> str:
    shot, edit = record.shot, record.reports["edit"]
    routing = record.reports.get("routing", {})
    scores = " · ".join(f"{name} {points:.1f}" for name, points in edit["components"].items())
    lines = [
        f"# {markdown(shot.shot)}: {edit['score']:.1f} of 100, {_VERDICTS[Verdict(edit['verdict'])]}",
        f"**{markdown(first_sentence(record))}**",
        desk_link(shot),
        preview_of(record),
        f"**Score** {scores or 'none'}  \n**Route** {markdown(routing.get('complexity', ''))}: "
        f"{markdown(routing.get('reason', ''))}  \n**Method** {markdown(edit['method'])}  \n"
        f"**State** {markdown(record.state)}",
        _findings(record.present_findings),
    ]
    for number, one in enumerate(edit["evidence"], start=1):
        place = picture(shot_key(shot, f"evidence/{number}-{one['code']}.webp"), alt=one["code"])
        lines.append(f"**{markdown(one['code'])}** {at_place(one['box'])}: {markdown(one['message'])}\n\n{place}")
    return "\n\n".join(lines)


def preview_of(record: ShotRecord) -> str:
    """Return Markdown with a shot's preview: the picture before the edit and, if there is an edit, after it.

    Raises:
        ObjectMissingError: the shot has no preview yet.
    """
    name = "preview.webp"
    return picture(shot_key(record.shot, name), alt=record.shot.shot, inline=fetch(record, name))


def first_sentence(record: ShotRecord) -> str:
    """Return one plain sentence about what a person should look at first: the message of the shot's worst finding.

    Failed checks that forbid approval are the worst. If every check passed, it is "Every check passed."
    """
    worst = record.worst_finding
    return worst.message if worst else "Every check passed."


def at_place(box: Sequence[int]) -> str:
    """Return where a piece of evidence lies in its picture, such as "at 66, 68 (256 x 256 px)".

    The first two numbers are the distance of its top left corner from the picture's left and top edges, in pixels.

    Args:
        box: left, top, right, bottom, in pixels of the picture.
    """
    left, top, right, bottom = box
    return f"at {left}, {top} ({right - left} x {bottom - top} px)"


def _findings(findings: tuple[Finding, ...]) -> str:
    """Return sentences on what a person must know, beginning with what forbids approval; their measurements; and last,
    in short, what passed.
    """
    told = in_order_of_weight(findings)
    said = [one for one in told if one.status is not Status.PASSED]
    passed = [one for one in told if one.status is Status.PASSED]
    sentences = "\n".join(
        f"- {'**Stops approval.** ' if one.stops_approval else ''}{markdown(one.message)}" for one in said
    )
    rows = [
        f"| {_SIGNS[one.status]}{' **gate**' if one.stops_approval else ''} | {code(one.code)} "
        f"| {_figure(one.measured, one.unit)} | {_figure(one.limit, one.unit)} | {markdown(one.message)} |"
        for one in said
    ]
    table = "\n".join(["| result | finding | measured | limit | in words |", "|---|---|---|---|---|", *rows])
    figures = f"## In figures\n\n{table}" if said else ""
    good = ", ".join(f"{code(one.code)} {_figure(one.measured, one.unit)}".rstrip() for one in passed)
    return "\n\n".join(filter(None, [sentences, figures, f"## Passed ({len(passed)})\n\n{good}" if passed else ""]))


def _figure(value: float | None, unit: str) -> str:
    return "" if value is None else measured_in(value, markdown(unit))


def show_refusal(shot: ShotId, reason: str) -> None:
    """Show on the shot's page in Prefect's UI why the shot's file was refused.

    Args:
        reason: in words, as plain text; Markdown in it is escaped.
    """
    text = (
        f"# {markdown(shot.shot)}: refused\n\n{markdown(reason)}\n\n"
        "The original is unchanged. A copy is in quarantine, with the reason."
    )
    page_artifact(text, key=artifact_key("shot", shot.client, shot.batch, shot.shot), description=f"{shot}")


def show_job(shot: ShotId, instructions: str) -> None:
    """Show on the shot's page in Prefect's UI what an editor has to do. It replaces what the page showed before.

    Args:
        instructions: Markdown, already escaped; the same text that is in the editor's form.
    """
    page_artifact(instructions, key=artifact_key("shot", shot.client, shot.batch, shot.shot), description=f"{shot}")


def show_table(batch: BatchId, rows: list[dict[str, object]], description: str) -> None:
    """Show in Prefect's UI what became of each shot of a batch, as a table.

    Args:
        rows: one for each shot; each maps column heading to cell.
        description: one sentence about the batch.
    """
    table_artifact(rows, key=artifact_key("batch", batch.client, batch.batch), description=description)
