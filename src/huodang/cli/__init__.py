"""One command line over all rooms: `huodang`.

Each group stands in a file of its own and imports its rooms only when one of its commands runs: `--help` stays quick.
"""

import sys

import typer

from huodang.cli import (
    accounts,
    cascade,
    catalogue,
    certification,
    check,
    clues,
    connect,
    demo,
    docs,
    events,
    files,
    intersect,
    keys,
    link,
    lots,
    match,
    paylist,
    receipt,
    recovery,
    rules,
    scores,
    serve,
    sharing,
    steward,
    steward_events,
    steward_sharing,
    sync,
    watch,
)

app = typer.Typer(
    name="huodang",
    help="活档:部门间共享退休档案,一次办成退休,每一次查阅都可证明。\n\n"
    "Huodang: share retirement archives between departments, retire once, prove every look.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,  # locals may hold personal data
)
app.add_typer(rules.app, name="rules")
app.add_typer(keys.app, name="keys")
app.add_typer(receipt.app, name="receipt")
app.add_typer(serve.app, name="serve")
app.add_typer(accounts.app, name="accounts")
app.add_typer(steward.app, name="steward")
app.add_typer(sharing.app, name="sharing")
app.add_typer(catalogue.app, name="catalogue")
app.add_typer(connect.app, name="connect")
app.add_typer(intersect.app, name="intersect")
app.add_typer(match.app, name="match")
app.add_typer(files.app, name="files")
app.add_typer(lots.app, name="lots")
app.add_typer(events.app, name="events")
app.add_typer(cascade.app, name="cascade")
app.add_typer(certification.app, name="certification")
app.add_typer(clues.app, name="clues")
app.add_typer(paylist.app, name="paylist")
app.add_typer(recovery.app, name="recovery")
app.command("scores")(scores.scores)
app.add_typer(watch.app, name="watch")
app.add_typer(docs.app, name="docs")
steward.app.command("events")(steward_events.events)
steward_sharing.register(steward.app)
app.command("demo")(demo.demo)
app.command("sync")(sync.sync)
app.command("check")(check.check)
app.command("link")(link.link)


def main() -> None:
    """Run the command line; a known error prints its Chinese and English sentence and exits with 2."""
    from huodang.standards import HuodangError  # noqa: PLC0415  (only now, so that `--help` stays quick)

    try:
        app()
    except HuodangError as error:
        sys.stderr.write(f"{error.sentence('zh')}\n{error.sentence('en')}\n")
        sys.exit(2)
