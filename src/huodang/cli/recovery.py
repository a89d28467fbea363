"""`huodang recovery`."""

import typer

app = typer.Typer(help="追回多发的待遇 / recovery of what was overpaid", no_args_is_help=True)
