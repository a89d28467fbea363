"""`huodang clues`."""

import typer

app = typer.Typer(help="疑点 / clues", no_args_is_help=True)
