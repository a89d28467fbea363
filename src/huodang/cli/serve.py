"""`huodang serve`."""

import typer

app = typer.Typer(help="运行服务 / run a process", no_args_is_help=True)
