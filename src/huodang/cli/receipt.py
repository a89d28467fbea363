"""`huodang receipt`."""

import typer

app = typer.Typer(help="凭证核验 / receipts", no_args_is_help=True)
