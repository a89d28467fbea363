"""`huodang certification`."""

import typer

app = typer.Typer(help="待遇领取资格认证 / certification", no_args_is_help=True)
