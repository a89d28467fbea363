"""`huodang scores`."""

import typer

app = typer.Typer(help="异常评分 / anomaly scores", no_args_is_help=True)
