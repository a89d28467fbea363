"""`huodang keys`."""

import typer

app = typer.Typer(help="密钥与证书 / keys and certificates", no_args_is_help=True)
