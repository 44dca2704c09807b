from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from recsys.cli.config import CONFIG_FILE, apply_config, origin, read_config
from recsys.errors import RecsysError

# Which file each command stands in; a command's imports are paid for when it runs.
_COMMANDS = {
    "train": "recsys.cli.train",
    "evaluate": "recsys.cli.evaluate",
    "lr-find": "recsys.cli.lr_find",
    "tune": "recsys.cli.tune",
    "gradcheck": "recsys.cli.gradcheck",
    "recommend": "recsys.cli.recommend",
    "similar": "recsys.cli.ask",
    "predict": "recsys.cli.ask",
    "explain": "recsys.cli.explain",
    "report": "recsys.cli.report",
    "models": "recsys.cli.models",
    "data": "recsys.cli.data",
    "feedback": "recsys.cli.feedback",
    "db": "recsys.cli.db",
    "keys": "recsys.cli.keys",
    "serve": "recsys.cli.serve",
}


class Main(click.Group):
    """The command group; turns this package's errors into one line and an exit code."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the commands in the order in which one needs them."""
        return list(_COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Return a command, importing the file that it stands in."""
        if name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(_COMMANDS[name]), name.replace("-", "_"))
        return command

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Take the arguments before the command; of a bad value it is said who set it."""
        with _origin_told():
            return super().parse_args(context, args)

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments name, its settings checked."""
        name, command, rest = super().resolve_command(context, args)
        if name is not None and command is not None:
            apply_config(context, name, command)
        return name, command, rest

    def invoke(self, context: click.Context) -> Any:
        """Run a command; a `RecsysError` ends it with its message and exit code."""
        try:
            with _origin_told():
                return super().invoke(context)
        except RecsysError as error:
            click.echo(f"Error: {error}", err=True)
            context.exit(error.exit_code)
        except OSError as error:
            if error.filename is None:
                raise
            click.echo(f"Error: {error.filename}: {error.strerror}", err=True)
            context.exit(RecsysError.exit_code)


@contextmanager
def _origin_told() -> Iterator[None]:
    try:
        yield
    except click.MissingParameter:
        raise
    except click.BadParameter as error:
        raise click.BadParameter(
            error.message + origin(error), error.ctx, error.param, error.param_hint
        ) from None


@click.group(
    cls=Main,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "RECSYS",
        "show_default": True,
        "max_content_width": 100,
    },
)
@click.version_option(package_name="recsys")
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    is_eager=True,
    expose_value=False,
    callback=lambda context, _, path: read_config(context, path),
    show_default=f"{CONFIG_FILE}, if there is one",
    help="Settings by command.",
)
@click.option(
    "--database-url",
    metavar="URL",
    default="sqlite:///var/recsys.db",
    help="Where data sets and versions are stored.",
)
@click.pass_context
def main(context: click.Context, database_url: str) -> None:
    """Train, evaluate and serve recommendations.

    An option is taken from the command line, else from the environment (RECSYS_DATABASE_URL,
    RECSYS_TRAIN_N_FACTORS, ...), else from recsys.toml.
    """
    context.obj = database_url
