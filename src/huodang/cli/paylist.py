"""`huodang paylist`."""

import typer

app = typer.Typer(help="每月发放清单 / the monthly payment list", no_args_is_help=True)
