"""The application: its commands, its exit codes, and the handling of errors and Ctrl-C."""

from __future__ import annotations

import atexit
import faulthandler
import io
import os
import signal
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from serab_core import settings
from serab_core.cli import (
    bench,
    cache,
    check,
    config,
    data,
    eval_,
    export,
    leaderboard,
    list_,
    new,
    plugins_,
    report,
    results,
    studies,
    weights,
)
from serab_core.cli.lazy import PluginGroup
from serab_core.cli.output import print_error, print_ignored, print_json, show_tracebacks
from serab_core.cli.streams import OutputError, drop_output, finish_output, prepare_streams
from serab_core.errors import InterruptedRunError, SerabError, UsageError, unforeseen
from serab_core.system.hints import COMMAND_LINE
from serab_core.system.lifecycle import end_process, ignore_numba_file, leave_working_folder
from serab_core.system.session import Session, change_session, current_session, set_process_session
from serab_core.system.terminal import escape_controls, escape_line

if TYPE_CHECKING:
    from types import FrameType

_THREADS_S = 3.0  # seconds that the process waits at its end for threads that a plugin left running
app = typer.Typer(
    name="serab",
    cls=PluginGroup,
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Evaluate how well the embeddings of a speech model separate emotions. "
    "serab scores frozen extractors on the SERAB benchmark.\n\n"
    "Start with: [bold]serab eval opensmile[/bold]",
)
app.command("eval", help=eval_.HELP)(eval_.evaluate_command)
app.command("bench", help=bench.HELP)(bench.bench_command)
app.command("check", help=check.HELP)(check.check_command)
app.command("leaderboard", help=leaderboard.LEADERBOARD_HELP)(leaderboard.leaderboard_command)
app.command("compare", help=leaderboard.COMPARE_HELP)(leaderboard.compare_command)
app.command("bias", help=leaderboard.BIAS_HELP)(leaderboard.bias_command)
app.command("optimism", help=leaderboard.OPTIMISM_HELP)(leaderboard.optimism_command)
app.command("fairness", help=leaderboard.FAIRNESS_HELP)(leaderboard.fairness_command)
app.command("report", help=report.HELP)(report.report_command)
app.command("export", help=export.HELP)(export.export_command)
app.add_typer(cache.app, name="cache")
app.add_typer(config.app, name="config")
app.add_typer(data.app, name="data")
app.add_typer(list_.app, name="list")
app.add_typer(new.app, name="new")
app.add_typer(results.app, name="results")
app.add_typer(studies.app, name="studies")
app.add_typer(weights.app, name="weights")
app.add_typer(plugins_.app, name="plugins")


def _version(asked: bool) -> None:
    if asked:
        from serab_core import __version__

        typer.echo(f"serab {__version__}")
        raise typer.Exit


@app.callback()
def options(
    no_plugins: Annotated[
        bool,
        typer.Option("--no-plugins", help="Load no plugins. Use it to find out whether a plugin causes a problem."),
    ] = False,
    offline: Annotated[
        bool,
        typer.Option("--offline", help="Disable the network. Code that uses it fails with an error that names it."),
    ] = False,
    verbose: Annotated[
        int,
        typer.Option("--verbose", "-v", count=True, help="Show the log on stderr: steps of a run. -vv adds jobs."),
    ] = 0,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error in serab itself.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Apply the options that come before the command."""
    show_tracebacks.set(debug)
    if verbose:
        from serab_core.system.log import show_log

        change_session(verbosity=verbose)
        show_log(verbose)
    if no_plugins:
        change_session(plugins=False)
    if offline or os.environ.get("SERAB_OFFLINE"):
        from serab_core.system.offline import disable_if_requested

        if offline:
            change_session(offline=True)
        disable_if_requested()


def main() -> NoReturn:
    """Run `serab`, and end the process with its exit code."""
    leave_working_folder()
    ignore_numba_file()
    prepare_streams()
    signal.signal(signal.SIGTERM, _terminated)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup ignores it
        signal.signal(signal.SIGHUP, _terminated)
    faulthandler.enable()  # if the import of a plugin crashes, the traceback names its file
    code = run(sys.argv[1:])
    _limit_wait_for_threads(code)
    sys.exit(code)


def _limit_wait_for_threads(code: int) -> None:
    """End the process after a few seconds if a plugin left a thread running, for which Python would wait forever.

    Python itself ends the idle threads of every pool at exit. A thread that is still running after that is stuck.
    """
    over = threading.Event()

    def watch() -> None:
        if over.wait(_THREADS_S):
            return
        for thread in threading.enumerate():
            if thread is not threading.main_thread() and not thread.daemon:
                sys.stderr.write(f"serab ended although a plugin left a thread running ({escape_line(thread.name)})\n")
                end_process(code)

    threading.Thread(target=watch, daemon=True).start()
    atexit.register(over.set)  # Python calls it once no other thread runs


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code.

    An error is a sentence on stderr and, with `--json`, also a document on stdout.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # so that a name outside the terminal's encoding is shown
    quiet = (
        arguments[:1] == ["config"] or "_SERAB_COMPLETE" in os.environ
    )  # `config` prints them itself; the other is the Tab key
    settings.on_ignored = None if quiet else print_ignored
    as_json = "--json" in arguments
    before = set_process_session(Session(interface=COMMAND_LINE))
    try:
        code = _run(arguments, as_json=as_json)
        finish_output()
    except OutputError as error:
        drop_output()
        print_error(error, as_json=False)
        return error.exit_code
    except BrokenPipeError:
        drop_output()
        return 1
    finally:
        if current_session().verbosity:
            from serab_core.system.log import show_log

            show_log(0)
        current_session().close()
        set_process_session(before)
    return code


def _run(arguments: list[str], *, as_json: bool) -> int:
    """Run one command line and return its exit code. Raises OutputError."""
    try:
        app(arguments, prog_name="serab")
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0
        if code == InterruptedRunError.exit_code:
            print_error(InterruptedRunError("interrupted by the user"), as_json=as_json)
        elif as_json and isinstance(ended.__context__, TyperException):
            print_json(_parser_error(ended.__context__).as_json())
        return code
    except OutputError:
        raise
    except SerabError as error:
        print_error(error, as_json=as_json)
        return error.exit_code
    except Exception as error:
        if show_tracebacks.get():
            sys.stderr.write(escape_controls("".join(traceback.format_exception(error))))
        failure = unforeseen(error)
        if type(failure) is SerabError and failure.next_step:
            failure.next_step += ", which `serab --debug ...` prints"
        print_error(failure, as_json=as_json)
        return failure.exit_code
    return 0


def _parser_error(error: TyperException) -> UsageError:
    """Return an error of the command-line parser, which the parser has already printed, as an error of serab."""
    context: typer.Context | None = getattr(error, "ctx", None)
    return UsageError(
        error.format_message().rstrip("."),
        next_step=f"{context.command_path if context else 'serab'} --help",
    )


def _terminated(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
