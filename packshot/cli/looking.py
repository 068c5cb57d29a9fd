"""Define the commands that only read local photographs and report on them: ``inspect``, ``check``, ``route``."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from packshot.cli.ending import exit_unless
from packshot.cli.options import (
    CategoryOption,
    ClientOption,
    ConfigFolder,
    Json,
    Photos,
    alone,
    bytes_of,
    configs_in,
    mastered,
    platform_of,
    refusal_of,
    require_known,
    route_of,
    watch_of,
)
from packshot.cli.showing import bold_name, findings_table, in_markup, print_json, show_refused, terminal_console
from packshot.errors import PackshotError
from packshot.types import Status

_DAY = "%Y-%m-%d"


def add(app: typer.Typer, today: Callable[[], datetime.date]) -> None:
    """Add the commands ``inspect``, ``check`` and ``route`` to the command line.

    Args:
        app: the command line. It is changed.
        today: called without arguments; returns today's date. ``check`` uses the platform's rules of this day unless an
            option names another day.
    """

    @app.command("inspect")
    def inspect_files(
        photos: Photos, client: ClientOption = "default", configs: ConfigFolder = None, json: Json = False
    ) -> None:
        """Say what each file is, and whether and why it is accepted or refused."""
        known = configs_in(configs)
        require_known(known, client=client, category="")
        guide = known.clients[client]
        limits = known.ingest.model_copy(update={"min_px": guide.min_px} if guide.min_px else {})
        found = [_inspected(path, limits) for path in photos]
        if json:
            print_json(found)
        else:
            for one in found:
                _show_inspection(one)
        exit_unless(all(one.accepted for one in found))

    @app.command()
    def check(
        files: Annotated[list[Path], typer.Argument(help="Finished pictures.")],
        platform: Annotated[str, typer.Option(help="The platform whose rules apply.")],
        on: Annotated[
            datetime.datetime | None, typer.Option(help="The day whose rules count; today by default.", formats=[_DAY])
        ] = None,
        configs: ConfigFolder = None,
        json: Json = False,
    ) -> None:
        """Check finished pictures against a platform's rules; say which the marketplace itself would refuse."""
        known = configs_in(configs)
        chosen, day = platform_of(known, platform), on.date() if on else today()
        rows = [alone(file, partial(_checked, file, known, chosen, day)) for file in files]
        if json:
            print_json(rows)
        else:
            for row in rows:
                _show_check(row, chosen)
        exit_unless(all(row.get("passed", False) for row in rows))

    @app.command()
    def route(
        photos: Photos,
        client: ClientOption = "default",
        category: CategoryOption = "",
        configs: ConfigFolder = None,
        json: Json = False,
    ) -> None:
        """Say who would edit each photograph, a machine or a person, and why."""
        known = configs_in(configs)
        require_known(known, client=client, category=category)
        rows = [alone(path, partial(_routed, path, known, client, category)) for path in photos]
        if json:
            print_json(rows)
        else:
            for row in rows:
                _show_route(row)
        exit_unless(not any("refused" in row for row in rows))


def _inspected(path: Path, limits: Any) -> Any:
    """Return the inspection of one file. Whatever goes wrong with it, the others go on."""
    from packshot.formats.sniff import FileKind
    from packshot.ingest.inspect_file import Inspection, inspect

    try:
        return inspect(bytes_of(path), path.name, limits)
    except Exception as error:  # noqa: BLE001  the edge of a batch
        code = error.code if isinstance(error, PackshotError) else "unforeseen"
        return Inspection(
            name=path.name,
            size_bytes=0,
            kind=FileKind.UNKNOWN,
            accepted=False,
            refusal=refusal_of(error),
            refusal_code=code,
        )


def _checked(path: Path, known: Any, platform: Any, day: datetime.date) -> dict[str, Any]:
    """Return the findings on one finished picture."""
    from packshot.export.check import check_file, refused_codes

    findings = check_file(bytes_of(path), platform=platform, qc=known.qc, name=path.name, on=day)
    return {
        "file": str(path),
        "platform": platform.name,
        "passed": not any(finding.status is Status.FAILED for finding in findings),
        "refused_by_marketplace": refused_codes(findings, platform),
        "findings": findings,
    }


def _show_check(row: dict[str, Any], platform: Any) -> None:
    if "refused" in row:
        show_refused(row)
        return
    console, name = terminal_console(), Path(row["file"]).name
    console.print(findings_table(f"{name} for {platform.name}", row["findings"]))
    verdict = "[bold green]pass[/]" if row["passed"] else "[bold red]fail[/]"
    console.print(f"{in_markup(name)}: {verdict}", highlight=False)
    if refused := row["refused_by_marketplace"]:
        console.print(f"{platform.title} itself refuses for {', '.join(refused)}.", markup=False, highlight=False)
    elif not row["passed"]:
        console.print(
            f"None of it is known as a reason for which {platform.title} itself refuses.",
            markup=False,
            highlight=False,
        )


def _routed(path: Path, known: Any, client: str, category: str) -> dict[str, Any]:
    done = mastered(path, known, client=client, category=category)
    decision = route_of(done, watch_of(done, known))
    return {"file": str(path), **decision.model_dump(mode="json"), "features": done.features.model_dump()}


def _show_inspection(one: Any) -> None:
    console = terminal_console()
    verdict = "[green]accepted[/]" if one.accepted else f"[red]refused[/]: {in_markup(one.refusal)}"
    console.print(f"[bold]{in_markup(one.name)}[/]  {verdict}", highlight=False)
    if one.size is not None:
        depth = f"{one.bit_depth} bit {one.colour_model}".strip()
        console.print(
            f"  {one.kind}, {one.size} px, {depth}, profile {one.profile or 'none'}"
            f"{' (assumed)' if one.profile_assumed else ''}, orientation {one.orientation}, {one.size_bytes:,} bytes",
            highlight=False,
        )
    for name, value in (one.metadata.model_dump(exclude_defaults=True) if one.metadata else {}).items():
        console.print(f"  {name.replace('_', ' ')}: {value}", highlight=False, markup=False)
    for finding in one.findings:
        console.print(f"  {finding.status}: {finding.code}: {finding.message}", highlight=False, markup=False)


def _show_route(row: dict[str, Any]) -> None:
    console = terminal_console()
    if "refused" in row:
        show_refused(row)
        return
    console.print(f"{bold_name(row)}  {row['complexity']} -> {row['route']}", highlight=False)
    console.print(f"  {row['reason']}", highlight=False, markup=False)
    console.print(
        f"  category {row['category'] or 'unknown'}, colour-match risk {row['colour_match_risk']}, {row['model']}",
        highlight=False,
        markup=False,
    )
    console.print("  " + ", ".join(f"{name} {value:.2f}" for name, value in row["features"].items()), highlight=False)
