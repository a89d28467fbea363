"""`huodang watch`."""

import typer

app = typer.Typer(help="监测：谁在领取、时滞与漏查 / who is paid, lag, what was missed", no_args_is_help=True)
