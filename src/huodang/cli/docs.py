"""`huodang docs`: documents that the product writes about itself."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)
# ruff: noqa: D301  (\b is the mark that keeps the lines of an example apart)

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="生成文档 / write documents", no_args_is_help=True)


@app.callback()
def documents() -> None:
    """生成文档 / write documents."""


@app.command("api")
def api(
    out: Annotated[Path, typer.Option(metavar="FILE", help="写到哪里 / where to write it")] = Path("docs/api.md"),
) -> None:
    """由接口描述生成接口文档 / write the interface's documentation from its description.

    \b
    例 / examples:
      huodang docs api --out docs/api.md
    """
    from huodang.store import write_whole
    from huodang.web import write_api_docs

    out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, write_api_docs().encode())
    typer.echo(f"已写 / written: {out}")
