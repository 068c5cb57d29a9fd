"""Define ``packshot job``, by which people list the shots that wait for them and answer, from the command line.

The commands send the same answers as the form in the Prefect UI. If the shot's record does not allow an answer, the
command says so, and the waiting run is not resumed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from packshot.cli.options import Json
from packshot.cli.showing import in_markup, new_table, print_json, terminal_console
from packshot.decision import REASONS, Choice, ColourWord
from packshot.outcomes.first_time import By
from packshot.record import State

Shot = Annotated[str, typer.Argument(help="CLIENT/BATCH/SHOT, as `packshot job list` prints it.")]
Person = Annotated[str, typer.Option("--by", help="Your name; the shot's record keeps it.")]
Picture = Annotated[
    str, typer.Option(help="First digits of the hash of the picture you looked at, from `packshot job show`.")
]
Note = Annotated[str, typer.Option(help="What the next person should know.")]
Marks = Annotated[
    list[str] | None, typer.Option("--mark", help="A place and what to do there: LEFT,TOP,RIGHT,BOTTOM: TEXT.")
]
Override = Annotated[str, typer.Option(help="Why the work is accepted although a check fails.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Do not wait until the answer has been followed.")]

_MINUTE = "%Y-%m-%d %H:%M"


def _reason(choices: tuple[Choice, ...]) -> str:
    codes = dict.fromkeys(reason.value for choice in choices for reason in REASONS[choice])
    return f"Reason code: {', '.join(codes)}."


Good = Annotated[str, typer.Option("--reason", help=_reason((Choice.APPROVE, Choice.SIGN)))]
Bad = Annotated[str, typer.Option("--reason", help=_reason((Choice.REJECT_WORK, Choice.REJECT)))]
Wish = Annotated[str, typer.Option("--reason", help=_reason((Choice.CHANGE_REQUEST,)))]
Defect = Annotated[str, typer.Option("--reason", help=_reason((Choice.SEND_TO_EDITOR,)))]
Gone = Annotated[str, typer.Option("--reason", help=_reason((Choice.GO_ON,)))]


def commands() -> typer.Typer:
    """Return the group of commands ``packshot job``, to be added to the program ``packshot``.

    With these commands a person lists the shots that wait for people, looks at a shot, judges or corrects it, or takes
    an editor's job and hands in the finished picture.
    """
    app = typer.Typer(no_args_is_help=True)
    _add_looking(app)
    _add_reviewing(app)
    _add_editing(app)
    return app


def _add_looking(app: typer.Typer) -> None:
    @app.command("list")
    def list_jobs(
        client: Annotated[str, typer.Option(help="Only this client's.")] = "",
        batch: Annotated[str, typer.Option(help="Only this batch's.")] = "",
        json: Json = False,
    ) -> None:
        """List the shots that wait for people: for whom, since when and until when; the earliest due first."""
        from tasks.reports.board import in_words, waits

        found = [wait for _, wait in waits(client=client, batch=batch)]
        if json:
            print_json([one.model_dump(mode="json") for one in found])
            return
        table = new_table("shot", "state", "with", "since", "due", "", "tier", ids=("shot", "state", "tier"))
        for one in found:
            times = (f"{one.since:%m-%d %H:%M}", f"{one.due:%m-%d %H:%M}")
            late = "" if one.urgency == "in time" else f"[red]{one.urgency}[/]"
            name = f"{one.client}/{one.batch}/{one.shot}"
            table.add_row(in_markup(name), one.state.value, in_markup(one.with_whom), *times, late, one.tier)
        terminal_console().print(table)
        terminal_console().print(in_words(found))

    @app.command("show")
    def show(
        shot: Shot,
        renew: Annotated[bool, typer.Option("--renew", help="Sign the ticket's links anew.")] = False,
        json: Json = False,
    ) -> None:
        """Show a waiting shot: its state, its ticket with links, its findings and its history."""
        from tasks.people.job_commands import job_of

        job = job_of(shot, renew=renew)
        if json:
            print_json(job.model_dump(mode="json"))
        else:
            _print_job(job)

    @app.command("rate")
    def rate(
        by: Annotated[By, typer.Option(help="What the rates are counted by.")] = By.EDITOR,
        client: Annotated[str, typer.Option(help="Only this client's batches.")] = "",
        batch: Annotated[str, typer.Option(help="Only this batch.")] = "",
        json: Json = False,
    ) -> None:
        """Say how much of the editors' work was approved the first time a second person saw it."""
        from tasks.people.job_commands import first_time_rates

        rates = first_time_rates(by=by, client=client, batch=batch)
        if json:
            print_json([{**one.model_dump(mode="json"), "ratio": one.ratio} for one in rates])
            return
        columns = ("shots", "first time", "share", "rejected for", "by clients", "new wishes")
        table = new_table(by.value, *columns, ids=(by.value,))
        for one in rates:
            faults = ", ".join(f"{reason} {count}" for reason, count in one.rejections.items())
            counts = (str(one.client_faults), str(one.change_requests))
            shown = (str(one.shots), str(one.approved), f"{one.ratio:.0%}", faults, *counts)
            table.add_row(in_markup(one.name), *shown)
        terminal_console().print(table)


def _print_job(job: Any) -> None:
    console = terminal_console()

    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    say(f"{job.shot}: {job.state}")
    say(f"picture  {job.picture}")
    if job.wait:
        say(f"waits    for {job.wait.with_whom} since {job.wait.since:{_MINUTE}}, due {job.wait.due:{_MINUTE}}")
    if job.score is not None:
        say(f"score    {job.score:.1f}")
    for name, link in job.links.items():
        say(f"{name:<12} {link}")
    if job.ticket:
        say(f"tier     {job.ticket.tier} ({job.ticket.tier_why})")
        for one in job.ticket.services:
            say(f"service  {one.service}: {one.why}")
        for file in job.ticket.take:
            say(f"take     {file.what}: {file.link}")
        say(f"put into {job.ticket.put_back_into}")
    for finding in job.findings:
        say(f"finding  {finding.code} {finding.status}: {finding.message}")
    for event in job.trail:
        say(f"trail    {event.at:{_MINUTE}} {event.from_state} -> {event.to_state}: {event.why} [{event.actor}]")


def _add_reviewing(app: typer.Typer) -> None:
    @app.command("approve")
    def approve(
        shot: Shot,
        by: Person,
        picture: Picture,
        reason: Good = "meets_standard",
        note: Note = "",
        colour: Annotated[
            ColourWord, typer.Option(help="The colours, with the product or its reference in hand.")
        ] = ColourWord.NOT_COMPARED,
        edited_by: Annotated[str, typer.Option(help="The editor's name, if Packshot does not know it.")] = "",
        no_wait: NoWait = False,
    ) -> None:
        """Approve the machine's edit, or sign off an editor's work; never your own."""
        also: dict[State, dict[str, Any]] = {State.AWAITING_SIGNOFF: {"colour": colour.value, "edited_by": edited_by}}
        choices = {State.IN_REVIEW: Choice.APPROVE, State.AWAITING_SIGNOFF: Choice.SIGN}
        _answer(shot, choices, also=also, person=by, picture=picture, reason=reason, note=note, no_wait=no_wait)

    @app.command("reject")
    def reject(
        shot: Shot,
        by: Person,
        picture: Picture,
        reason: Bad,
        note: Note = "",
        mark: Marks = None,
        no_wait: NoWait = False,
    ) -> None:
        """Reject an editor's work (our fault), so that it goes back; if there is none yet, reject the photograph."""
        choices = {State.AWAITING_SIGNOFF: Choice.REJECT_WORK} | dict.fromkeys(
            (State.IN_REVIEW, State.AWAITING_EDITOR, State.ON_HOLD), Choice.REJECT
        )
        also = {State.AWAITING_SIGNOFF: {"marks": _marks(mark)}}
        _answer(shot, choices, also=also, person=by, picture=picture, reason=reason, note=note, no_wait=no_wait)

    @app.command("change")
    def change(
        shot: Shot,
        by: Person,
        picture: Picture,
        note: Note,
        reason: Wish = "client_wish",
        mark: Marks = None,
        no_wait: NoWait = False,
    ) -> None:
        """Ask for a change of an editor's work because of a new wish, which is nobody's fault."""
        choices = {State.AWAITING_SIGNOFF: Choice.CHANGE_REQUEST}
        also = {State.AWAITING_SIGNOFF: {"marks": _marks(mark)}}
        _answer(shot, choices, also=also, person=by, picture=picture, reason=reason, note=note, no_wait=no_wait)

    @app.command("edit")
    def edit(
        shot: Shot,
        by: Person,
        picture: Picture,
        reason: Defect,
        note: Note = "",
        mark: Marks = None,
        no_wait: NoWait = False,
    ) -> None:
        """Send the machine's edit to an editor, with marks or a note that say what is to be done."""
        also = {State.IN_REVIEW: {"marks": _marks(mark)}}
        choices = {State.IN_REVIEW: Choice.SEND_TO_EDITOR}
        _answer(shot, choices, also=also, person=by, picture=picture, reason=reason, note=note, no_wait=no_wait)

    @app.command("redo")
    def redo(
        shot: Shot, by: Person, picture: Picture, reason: Defect, note: Note = "", no_wait: NoWait = False
    ) -> None:
        """Let the machine edit a shot again, by a cut-out method that it has not tried; then a person decides."""
        choices = {State.IN_REVIEW: Choice.REDO}
        _answer(shot, choices, person=by, picture=picture, reason=reason, note=note, no_wait=no_wait)

    @app.command("go-on")
    def go_on(shot: Shot, by: Person, picture: Picture, reason: Gone, note: Note = "", no_wait: NoWait = False) -> None:
        """Let a shot on hold go on without what its client has not sent."""
        _answer(
            shot, {State.ON_HOLD: Choice.GO_ON}, person=by, picture=picture, reason=reason, note=note, no_wait=no_wait
        )

    @app.command("no-fault")
    def no_fault(
        shot: Shot,
        by: Person,
        picture: Picture,
        note: Annotated[str, typer.Option(help="What the client is told.")],
        reason: Annotated[str, typer.Option(help=_reason((Choice.NO_FAULT,)))] = "as_ordered",
        no_wait: NoWait = False,
    ) -> None:
        """Tell a client who sent a picture back that it has no fault of ours: it stays as it was delivered."""
        choices = {State.AWAITING_EDITOR: Choice.NO_FAULT}
        _answer(shot, choices, person=by, picture=picture, reason=reason, note=note, no_wait=no_wait)

    @app.command("correct")
    def correct(
        shot: Shot,
        by: Person,
        picture: Picture,
        new_name: Annotated[
            str,
            typer.Option("--name", help="The name that the file should have had, as the client names files."),
        ] = "",
        new_services: Annotated[str, typer.Option("--services", help="The services that are meant.")] = "",
        note: Note = "",
        no_wait: NoWait = False,
    ) -> None:
        """Correct the name or the services of a shot on hold; it goes on under the new ones."""
        also: dict[State, dict[str, Any]] = {State.ON_HOLD: {"new_name": new_name, "new_services": new_services}}
        choices = {State.ON_HOLD: Choice.CORRECT}
        _answer(shot, choices, also=also, person=by, picture=picture, reason="corrected", note=note, no_wait=no_wait)


def _add_editing(app: typer.Typer) -> None:
    @app.command("take")
    def take(shot: Shot, by: Person) -> None:
        """Say that you are at work on a shot; the board of waiting shots names you."""
        from tasks.people.job_commands import take_job

        take_job(shot, person=by)
        terminal_console().print(f"{shot}: taken by {by}", markup=False, highlight=False)

    @app.command("return")
    def give_back(
        shot: Shot,
        file: Annotated[Path, typer.Argument(help="The finished picture.", exists=True, dir_okay=False)],
        by: Person,
        picture: Picture,
        note: Note = "",
        override: Override = "",
        no_wait: NoWait = False,
    ) -> None:
        """Hand in a finished picture of a shot; the shot goes on with it."""
        choices = dict.fromkeys((State.AWAITING_EDITOR, State.IN_REVIEW), Choice.RETURN)
        also: dict[State, dict[str, Any]] = {
            state: {"returned_file": file.name, "override": override} for state in choices
        }
        _answer(
            shot,
            choices,
            also=also,
            file=file,
            person=by,
            picture=picture,
            note=note,
            reason="work_done",
            no_wait=no_wait,
        )

    @app.command("collect")
    def collect(
        client: Annotated[str, typer.Option(help="Only this client's folders.")] = "", json: Json = False
    ) -> None:
        """Look now for finished pictures that editors put into hot folders, as the scheduled flow does."""
        from tasks.people.hot_folder import collect_returned

        collected = collect_returned.fn(client)
        if json:
            print_json(collected.model_dump(mode="json"))
            return
        for shot, key in collected.resumed.items():
            terminal_console().print(f"{shot}: {key}", markup=False, highlight=False, soft_wrap=True)
        for key, why in collected.unknown.items():
            terminal_console().print(f"{key}: {why}", style="yellow", markup=False, highlight=False, soft_wrap=True)
        terminal_console().print(collected.sentence, markup=False)


def _marks(given: list[str] | None) -> list[dict[str, Any]]:
    """Return the marks as the form expects them."""
    marks = []
    for text in given or ():
        place, _, words = text.partition(":")
        try:
            left, top, right, bottom = (int(part) for part in place.split(","))
        except ValueError:
            raise typer.BadParameter(f"{text!r}: LEFT,TOP,RIGHT,BOTTOM: TEXT", param_hint="--mark") from None
        marks.append({"left": left, "top": top, "right": right, "bottom": bottom, "text": words.strip()})
    return marks


def _answer(
    shot: str,
    choices: dict[State, Choice],
    *,
    also: dict[State, dict[str, Any]] | None = None,
    file: Path | None = None,
    no_wait: bool,
    **fields: str,
) -> None:
    """Answer the question about a shot and print the result. The decision depends on the shot's state."""
    from tasks.people.job_commands import answer_job

    said = answer_job(shot, choices, also=also or {}, fields=fields, file=file, wait=not no_wait)
    terminal_console().print(f"{shot}: {said}", markup=False, highlight=False, soft_wrap=True)
