"""The command line on local files: no server, no bucket, no network.

The segmentation network comes from outside (`build`), because finding and fetching model files is the outside's
business. What each exit status means stands in `EXIT_STATUSES` and in docs/errors.md.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from packshot.errors import ConfigError, NamingError, PackshotError, RefusedInputError, TransientError
from packshot.specs.load import Configs, default_folder, load_configs
from packshot.types import Finding, Status, Value, Verdict


class Exit(IntEnum):
    """What the exit status says."""

    OK = 0
    NOT_ALL_WELL = 1
    USAGE = 2
    CONFIG = 3
    TRANSIENT = 4
    ERROR = 5


EXIT_STATUSES = {
    Exit.OK: "all is well",
    Exit.NOT_ALL_WELL: "done, but something failed its check, was refused or needs a person",
    Exit.USAGE: "the command line was not understood",
    Exit.CONFIG: "a config file is wrong",
    Exit.TRANSIENT: "something outside did not answer; trying again may help",
    Exit.ERROR: "any other error; the message says what, where and what to do",
}

NOT_THIS_FILE = (RefusedInputError, ConfigError)
"""What one photograph among several may meet: it is not accepted, or nothing in the configs takes its view."""

Photos = Annotated[list[Path], typer.Argument(help="Photographs.", exists=True, dir_okay=False, readable=True)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of tables.")]
ConfigFolder = Annotated[
    Path | None, typer.Option("--configs", help="Folder of the configs.", envvar="PACKSHOT_CONFIGS", file_okay=False)
]
ClientOption = Annotated[str, typer.Option(help="Whose style guide applies.")]
CategoryOption = Annotated[str, typer.Option(help="The product's category, where no file name or metadata says it.")]

SegmenterSource = Callable[[str], Any]
"""Given an engine's name ("auto", "onnxruntime", "openvino"), return (segmenter, findings about it)."""


def build(segmenter: SegmenterSource) -> typer.Typer:
    """Return the commands on local files; `segmenter` is called once, by the first command that needs the network."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="rich",
        help="Product photographs for every marketplace: cut out, checked, exported, proven.",
        epilog="Exit status: " + "; ".join(f"{code.value} {text}" for code, text in EXIT_STATUSES.items()) + ".",
        pretty_exceptions_enable=False,
    )
    _add_looking(app)
    _add_editing(app, segmenter)
    app.add_typer(_config_commands(), name="config", help="Look at the configs, check them, print their schemas.")
    return app


def run(app: typer.Typer) -> int:
    """Run the command line and return its exit status; errors raised on purpose become one sentence."""
    try:
        ended = app(standalone_mode=False)
    except PackshotError as error:
        Console(stderr=True).print(f"packshot: {error}", style="red", markup=False, highlight=False)
        return _status_of(error)
    except typer.Abort:
        return 130
    except Exception as error:
        if type(error).__module__.startswith(("click", "typer")) and hasattr(error, "show"):
            error.show()
            return Exit.USAGE
        raise
    return ended if isinstance(ended, int) else Exit.OK  # a command that ended with typer.Exit gives its status


def _status_of(error: PackshotError) -> int:
    if isinstance(error, ConfigError):
        return Exit.CONFIG
    if isinstance(error, RefusedInputError):
        return Exit.NOT_ALL_WELL
    return Exit.TRANSIENT if isinstance(error, TransientError) else Exit.ERROR


def print_json(value: object) -> None:
    """Print a value as JSON on standard output."""
    sys.stdout.write(json.dumps(value, indent=1, ensure_ascii=False, default=_plain) + "\n")


def _plain(value: object) -> object:
    return value.model_dump(mode="json") if isinstance(value, Value) else str(value)


@contextmanager
def bar(title: str, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on standard error, if it is a terminal; gives the function that moves it."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        row = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(row, completed=done, total=total)


def findings_table(title: str, findings: Sequence[Finding]) -> Table:
    """Return findings with what was measured and the limit, the worst first."""
    table = Table("", "finding", "measured", "limit", "", "where", title=escape(title), title_justify="left")
    order = [Status.FAILED, Status.WARNING, Status.SKIPPED, Status.PASSED]
    marks = {
        Status.FAILED: "[red]failed[/]",
        Status.WARNING: "[yellow]warning[/]",
        Status.SKIPPED: "[cyan]not checked[/]",
        Status.PASSED: "[green]passed[/]",
    }
    for one in sorted(findings, key=lambda finding: order.index(finding.status)):
        box = f"{one.box.left},{one.box.top} {one.box.size}" if one.box else ""
        measured = "" if one.measured is None else f"{one.measured:.4g} {one.unit}"
        limit = "" if one.limit is None else f"{one.limit:.4g}"
        table.add_row(marks[one.status], one.code, measured, limit, escape(one.message), box)
    return table


def _configs(folder: Path | None) -> Configs:
    return load_configs(folder or default_folder())


def _add_looking(app: typer.Typer) -> None:
    """Commands that only look at files."""

    @app.command("inspect")
    def inspect_files(
        photos: Photos, client: ClientOption = "default", configs: ConfigFolder = None, json: Json = False
    ) -> None:
        """Say what each file is, and whether and why it is accepted or refused."""
        from packshot.ingest.inspect_file import inspect
        from packshot.specs.resolve import style_guide

        known = _configs(configs)
        guide = style_guide(known, client)
        limits = known.ingest.model_copy(update={"min_px": guide.min_px} if guide.min_px else {})
        found = [inspect(path.read_bytes(), path.name, limits) for path in photos]
        if json:
            print_json(found)
        else:
            for one in found:
                _show_inspection(one)
        _exit_unless(all(one.accepted for one in found))

    @app.command()
    def check(
        file: Annotated[Path, typer.Argument(help="A finished picture.", exists=True, dir_okay=False)],
        platform: Annotated[str, typer.Option(help="The platform whose rules apply.")],
        configs: ConfigFolder = None,
        json: Json = False,
    ) -> None:
        """Check a finished picture, whoever made it, against a platform's rules. Exit status 0: it passes."""
        from packshot.export.check import check_file

        known = _configs(configs)
        findings = check_file(file.read_bytes(), platform=_platform(known, platform), qc=known.qc, name=file.name)
        passed = not any(finding.status is Status.FAILED for finding in findings)
        if json:
            print_json({"file": str(file), "platform": platform, "passed": passed, "findings": findings})
        else:
            console = Console()
            console.print(findings_table(f"{file.name} for {platform}", findings))
            verdict = "[bold green]pass[/]" if passed else "[bold red]fail[/]"
            console.print(f"{escape(file.name)}: {verdict}", highlight=False)
        _exit_unless(passed)

    @app.command()
    def route(
        photos: Photos,
        client: ClientOption = "default",
        category: CategoryOption = "",
        configs: ConfigFolder = None,
        json: Json = False,
    ) -> None:
        """Say who would edit each photograph, a machine or a person, and why."""
        from packshot import pipeline

        known = _configs(configs)
        rows: list[dict[str, Any]] = []
        for path in photos:
            try:
                done = _mastered(path, known, client=client, category=category)
                decision = pipeline.route(done.features, done.plan, category_source=done.category_source)
                rows.append(
                    {"file": str(path), **decision.model_dump(mode="json"), "features": done.features.model_dump()}
                )
            except NOT_THIS_FILE as error:
                rows.append({"file": str(path), "refused": str(error)})
        if json:
            print_json(rows)
        else:
            for row in rows:
                _show_route(row)
        _exit_unless(not any("refused" in row for row in rows))


def _show_inspection(one: Any) -> None:
    console = Console()
    verdict = "[green]accepted[/]" if one.accepted else f"[red]refused[/]: {escape(one.refusal)}"
    console.print(f"[bold]{escape(one.name)}[/]  {verdict}", highlight=False)
    if one.size is not None:
        console.print(
            f"  {one.kind}, {one.size} px, {one.bit_depth} bit {one.colour_model}, profile {one.profile or 'none'}"
            f"{' (assumed)' if one.profile_assumed else ''}, orientation {one.orientation}, {one.size_bytes:,} bytes",
            highlight=False,
        )
    for name, value in (one.metadata.model_dump(exclude_defaults=True) if one.metadata else {}).items():
        console.print(f"  {name.replace('_', ' ')}: {value}", highlight=False, markup=False)
    for finding in one.findings:
        console.print(f"  {finding.status}: {finding.code}: {finding.message}", highlight=False, markup=False)


def _show_route(row: dict[str, Any]) -> None:
    console = Console()
    if "refused" in row:
        _show_refused(row)
        return
    console.print(f"{_bold_name(row)}  {row['complexity']} -> {row['route']}", highlight=False)
    console.print(f"  {row['reason']}", highlight=False, markup=False)
    console.print(
        f"  category {row['category'] or 'unknown'}, colour-match risk {row['colour_match_risk']}, {row['model']}",
        highlight=False,
        markup=False,
    )
    console.print("  " + ", ".join(f"{name} {value:.2f}" for name, value in row["features"].items()), highlight=False)


def _show_refused(row: dict[str, Any]) -> None:
    Console().print(f"{_bold_name(row)}  [red]refused[/]: {escape(row['refused'])}", highlight=False)


def _bold_name(row: dict[str, Any]) -> str:
    """The file's name as markup; a name may hold brackets, which are not ours."""
    return f"[bold]{escape(Path(row['file']).name)}[/]"


def _mastered(path: Path, configs: Configs, *, client: str, category: str = "", platforms: Sequence[str] = ()) -> Any:
    from packshot import pipeline

    row = {"category": category, "platforms": ",".join(platforms)}
    return pipeline.master(
        path.read_bytes(),
        path=path.name,
        shot=path.stem,
        row={name: value for name, value in row.items() if value},
        client=client,
        configs=configs,
    )


def _platform(configs: Configs, name: str) -> Any:
    if name not in configs.platforms:
        raise ConfigError("no such platform", name, allowed=", ".join(sorted(configs.platforms)))
    return configs.platforms[name]


def _require_enabled(platform: Any) -> None:
    if not platform.enabled:
        raise ConfigError("this platform is disabled", platform.name, next_step=platform.notes)


def _require_places(photos: Sequence[Path], out: Path, *, kinds: Sequence[str]) -> None:
    """Check, before anything is done, that no result would be written over another one or over a photograph."""
    wanted: dict[str, Path] = {}
    for photo in photos:
        other = wanted.setdefault(photo.stem.casefold(), photo)
        if other is not photo:
            raise NamingError(
                "two photographs would be written under the same names",
                photo.stem,
                found=f"{other} and {photo}",
                next_step="Give one of them another name, or another folder with --out.",
            )
    here = [photo for photo in photos if photo.resolve().parent == out.resolve()]
    for photo in here:
        stem, _, kind = photo.stem.casefold().rpartition(".")
        if stem in wanted and kind in kinds:
            raise NamingError(
                "a result would be written over a photograph",
                str(photo),
                found=f"the {kind} of {wanted[stem].name} goes there",
                next_step="Choose another folder with --out.",
            )


def _exit_unless(all_well: bool) -> None:
    if not all_well:
        raise typer.Exit(Exit.NOT_ALL_WELL)


Engine = Annotated[str, typer.Option(help="What runs the network: auto, onnxruntime or openvino.")]
Out = Annotated[Path, typer.Option("--out", help="Folder for the results; made where it is missing.", file_okay=False)]


def _add_editing(app: typer.Typer, segmenter: SegmenterSource) -> None:
    """Commands that need the network."""

    @app.command()
    def edit(
        photos: Photos,
        out: Out,
        platform: Annotated[list[str], typer.Option(help="Platforms to export for; may be given several times.")],
        client: ClientOption = "default",
        category: CategoryOption = "",
        engine: Engine = "auto",
        configs: ConfigFolder = None,
        json: Json = False,
    ) -> None:
        """Edit photographs and export them, verified, as <stem>.<platform>.<extension>.

        The files are written whatever the verdict; exit status 1 says that at least one needs a person or was refused.
        """
        known = _configs(configs)
        for name in platform:
            _require_enabled(_platform(known, name))
        _require_places(photos, out, kinds=platform)
        network, about = segmenter(engine)
        out.mkdir(parents=True, exist_ok=True)
        rows = []
        with bar("editing", quiet=json) as move:
            for done, path in enumerate(photos):
                move(done, len(photos))
                rows.append(_edited(path, known, network, about, out, client, category, platform))
        if json:
            print_json(rows)
        else:
            for row in rows:
                _show_edit(row)
        _exit_unless(all(row.get("verdict") == Verdict.AUTO_APPROVE.value and not row["left_out"] for row in rows))

    @app.command()
    def cutout(
        photos: Photos, out: Out, engine: Engine = "auto", configs: ConfigFolder = None, json: Json = False
    ) -> None:
        """Cut out photographs: <stem>.matte.png (8 bit) and <stem>.composite.png (on white, sRGB), full size."""
        known = _configs(configs)
        _require_places(photos, out, kinds=("matte", "composite"))
        network, about = segmenter(engine)
        out.mkdir(parents=True, exist_ok=True)
        rows = []
        with bar("cutting out", quiet=json) as move:
            for done, path in enumerate(photos):
                move(done, len(photos))
                rows.append(_cut_out(path, known, network, about, out))
        if json:
            print_json(rows)
        else:
            for row in rows:
                Console().print(f"{row['file']}: {row.get('refused') or row['method']}", markup=False, highlight=False)
        _exit_unless(not any("refused" in row for row in rows))


def _edited(
    path: Path,
    known: Configs,
    network: Any,
    about: Sequence[Finding],
    out: Path,
    client: str,
    category: str,
    platforms: Sequence[str],
) -> dict[str, Any]:
    """Edit one file, write its renditions and say what became of it."""
    from packshot import pipeline
    from packshot.export.labels import Labels

    try:
        done = _mastered(path, known, client=client, category=category, platforms=platforms)
    except NOT_THIS_FILE as error:
        return {"file": str(path), "refused": str(error), "left_out": {}}
    decision = pipeline.route(done.features, done.plan, category_source=done.category_source)
    result = pipeline.edit(done.master.pixels16, network, done.plan)
    labels = Labels(copyright=done.plan.copyright, ai_provenance=done.master.metadata.ai_provenance)
    plain = done.plan.model_copy(
        update={"renditions": tuple(one.model_copy(update={"naming": "{shot}"}) for one in done.plan.renditions)}
    )
    export = pipeline.export(result.composite, result.matte, plain, known={"shot": _safe(path.stem)}, labels=labels)
    files = []
    for one in export.renditions:
        target = out / f"{path.stem}.{one.platform}{Path(one.path).suffix}"
        target.write_bytes(one.rendered.encoded.data)
        files.append(
            {
                "file": str(target),
                "platform": one.platform,
                "passed": one.rendered.passed,
                "findings": one.rendered.findings,
            }
        )
    return {
        "file": str(path),
        "route": decision.route.value,
        "reason": decision.reason,
        "score": result.score,
        "verdict": result.verdict.value,
        "method": result.method,
        "components": result.report.model_dump(include={"background", "edge", "fill", "colour"})
        if result.report
        else {},
        "engine": {"model": network.model, "engine": network.engine, "precision": network.precision},
        "findings": (*about, *done.findings, *result.findings),
        "files": files,
        "left_out": {name: str(error) for name, error in export.failures.items()},
    }


def _safe(stem: str) -> str:
    """The stem in letters that a name may have; only the check of names sees it."""
    return (
        "".join(letter if letter.isascii() and (letter.isalnum() or letter in "_-") else "-" for letter in stem).strip(
            "-"
        )
        or "shot"
    )


def _show_edit(row: dict[str, Any]) -> None:
    console = Console()
    if "refused" in row:
        _show_refused(row)
        return
    colour = "green" if row["verdict"] == Verdict.AUTO_APPROVE.value else "yellow"
    console.print(f"{_bold_name(row)}  score {row['score']:.1f}  [{colour}]{row['verdict']}[/]", highlight=False)
    for finding in row["findings"]:
        if finding.status is not Status.PASSED:
            console.print(f"  {finding.status}: {finding.code}: {finding.message}", markup=False, highlight=False)
    for one in row["files"]:
        console.print(
            f"  {one['file']}  {'verified' if one['passed'] else 'NOT VERIFIED'}", markup=False, highlight=False
        )
        for finding in one["findings"]:
            if finding.status in (Status.FAILED, Status.WARNING):
                console.print(f"    {finding.status}: {finding.code}: {finding.message}", markup=False, highlight=False)
    for name, why in row["left_out"].items():
        console.print(f"  {name}: nothing written. {why}", style="red", markup=False, highlight=False)


def _cut_out(path: Path, known: Configs, network: Any, about: Sequence[Finding], out: Path) -> dict[str, Any]:
    """Cut out one file of any size and write its matte and its composite."""
    from packshot import pipeline

    try:
        done = pipeline.cut_out_photo(
            path.read_bytes(), network, name=path.name, limits=known.ingest.model_copy(update={"min_px": 1})
        )
    except RefusedInputError as error:
        return {"file": str(path), "refused": str(error)}
    for name, data in (("matte", done.matte_png), ("composite", done.composite_png)):
        (out / f"{path.stem}.{name}.png").write_bytes(data)
    return {
        "file": str(path),
        "method": done.method,
        "engine": {"model": network.model, "engine": network.engine, "precision": network.precision},
        "findings": (*about, *done.findings),
    }


def _config_commands() -> typer.Typer:
    app = typer.Typer(no_args_is_help=True)

    @app.command("show")
    def show(
        client: ClientOption = "default",
        category: CategoryOption = "",
        view: Annotated[str, typer.Option(help="The view, such as MAIN.")] = "",
        platform: Annotated[list[str] | None, typer.Option(help="Platforms; the client's own by default.")] = None,
        configs: ConfigFolder = None,
    ) -> None:
        """Print the plan that applies to a shot: category < platform < client, with its fingerprint."""
        from packshot.specs.resolve import resolve

        plan = resolve(_configs(configs), client=client, category=category, view=view, platforms=tuple(platform or ()))
        print_json({"fingerprint": plan.fingerprint, **plan.model_dump(mode="json")})

    @app.command("check")
    def check(configs: ConfigFolder = None) -> None:
        """Check every config file; each problem with file, line, field, what was found and what is allowed."""
        from packshot.specs.load import find_problems

        problems = find_problems(configs or default_folder())
        for problem in problems:
            Console().print(str(problem), markup=False, highlight=False)
        if problems:
            raise typer.Exit(Exit.CONFIG)
        Console().print(f"{configs or default_folder()}: every file is in order")

    @app.command("schema")
    def schema(kind: Annotated[str, typer.Argument(help="platform, client, categories, ...; empty: all")] = "") -> None:
        """Print the JSON schema of a kind of config file, for editors."""
        from packshot.specs.schema import json_schemas

        schemas = json_schemas()
        if kind and kind not in schemas:
            raise ConfigError("no such kind of config file", kind, allowed=", ".join(schemas))
        print_json(schemas[kind] if kind else schemas)

    return app
