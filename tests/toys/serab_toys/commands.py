import typer

from serab_core import hookimpl


@hookimpl
def serab_register_commands(app):
    @app.command("hello")
    def hello(name: str = "world") -> None:
        typer.echo(f"hello {name}")
