"""`huodang rules`."""

import typer

app = typer.Typer(help="退休规则 / the rules of retirement", no_args_is_help=True)
