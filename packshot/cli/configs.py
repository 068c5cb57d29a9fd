"""Define the commands on the configs: print a shot's plan, check the files and the environment, print JSON schemas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, TypeAlias

import typer

from packshot.cli.ending import Exit
from packshot.cli.options import CategoryOption, ClientOption, ConfigFolder, configs_in, require_known
from packshot.cli.showing import print_json, terminal_console
from packshot.errors import ConfigError
from packshot.specs.load import default_folder

Surroundings: TypeAlias = Callable[[], Sequence[str]]
"""Returns problems outside of the configs: in the environment."""


def commands(surroundings: Surroundings) -> typer.Typer:
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

        known = configs_in(configs)
        require_known(known, client=client, category=category)
        plan = resolve(known, client=client, category=category, view=view, platforms=tuple(platform or ()))
        print_json({"fingerprint": plan.fingerprint, **plan.model_dump(mode="json")})

    @app.command("check")
    def check(configs: ConfigFolder = None) -> None:
        """Check every config file and the environment; each problem with place, what was found and what is allowed."""
        from packshot.specs.load import find_problems

        problems = [*map(str, find_problems(configs or default_folder())), *surroundings()]
        for problem in problems:
            terminal_console().print(problem, markup=False, highlight=False, soft_wrap=True)
        if problems:
            raise typer.Exit(Exit.CONFIG)
        terminal_console().print(f"{configs or default_folder()}: every file is in order")

    @app.command("schema")
    def schema(kind: Annotated[str, typer.Argument(help="platform, client, categories, ...; empty: all")] = "") -> None:
        """Print the JSON schema of a kind of config file, for editors."""
        from packshot.specs.schema import json_schemas

        schemas = json_schemas()
        if kind and kind not in schemas:
            raise ConfigError("no such kind of config file", kind, allowed=", ".join(schemas))
        print_json(schemas[kind] if kind else schemas)

    return app
