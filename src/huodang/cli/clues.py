"""`huodang clues`: the queue of clues, one clue, what is done with it, and a check's findings taken in."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)
# ruff: noqa: D301  (\b is the mark that keeps the lines of an example apart)

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from huodang.cli.supervising import AsJson, Config, Note, User, agency, print_json

app = typer.Typer(
    help="疑点：排队、查看、办理、从比对结果立案 / clues: queue, look, act, take in a check's findings",
    no_args_is_help=True,
)

ClueId = Annotated[str, typer.Argument(metavar="CLUE", help="疑点编号 / the clue's id")]
File = typer.Option(exists=True, dir_okay=False)


@app.command("list")
def list_clues(
    config: Config,
    user: User,
    state: Annotated[str | None, typer.Option(help="环节，缺省为未决 / state; by default the undecided")] = None,
    matter: Annotated[str | None, typer.Option(help="事项，如 death / matter, such as death")] = None,
    limit: Annotated[int, typer.Option(min=1, help="至多多少条 / at most so many")] = 50,
    *,
    mine: Annotated[bool, typer.Option("--mine", help="只看分给我的 / mine only")] = False,
    overdue: Annotated[bool, typer.Option("--overdue", help="只看超期的 / overdue only")] = False,
    as_json: AsJson = False,
) -> None:
    """按风险、金额、时限排队，不含个人信息 / the queue by tier, money and deadline; it names nobody.

    Examples:
    \b
      huodang clues list --config hub/hub.yaml --user li
      huodang clues list --config hub/hub.yaml --user li --matter death --overdue --json
    """
    from rich.console import Console
    from rich.table import Table

    from huodang.standards import Money

    with agency(config) as here:
        actor = here.signed_in(user)
        if overdue:
            rows = [row for row in here.clues.overdue(actor) if matter in {None, row.matter}][:limit]
        else:
            rows = here.clues.queue(actor, state=state, matter=matter, mine=mine, limit=limit)
    if as_json:
        print_json(rows)
        return
    table = Table(
        "编号 / id", "事项 / matter", "等级", "环节 / state", "措施 / measure", "金额(元)", "时限 / due", "办理人"
    )
    for row in rows:
        due = f"{row.light_label[0]} {row.due_on}" if row.due_on else ""
        table.add_row(
            row.clue_id,
            row.matter_label[0] + ("（疑似）" if row.candidate else ""),
            row.tier_label[0],
            row.state_label[0],
            row.measure_label[0],
            Money(row.fen).text,
            due,
            row.locked_by or row.assigned_to,
        )
    Console().print(table)
    typer.echo(f"{len(rows)} 条 / clues")


@app.command()
def show(
    clue: ClueId,
    config: Config,
    user: User,
    letters: Annotated[
        Path | None, typer.Option("--letters", help="告知书写到该目录，HTML / write the letters here", file_okay=False)
    ] = None,
    *,
    evidence: Annotated[bool, typer.Option("--evidence", help="连同封存的证据 / with the frozen evidence")] = False,
) -> None:
    """一条疑点的全部，个人信息按权限遮盖，查看留痕 / all of a clue, masked; the look is recorded.

    Examples:
    \b
      huodang clues show c1234 --config hub/hub.yaml --user li --evidence
      huodang clues show c1234 --config hub/hub.yaml --user li --letters letters/
    """
    from huodang.store import write_whole
    from huodang.supervision.control import letter

    with agency(config) as here:
        actor = here.signed_in(user)
        view = here.clues.view(actor, clue)
        told: dict[str, object] = {"clue": view}
        if evidence:
            told["evidence"] = here.clues.evidence(actor, clue)
        if actor.role in {"investigator", "reviewer", "auditor"}:
            told["payments"] = here.control.payments(actor, clue)
        if letters is not None:
            letters.mkdir(parents=True, exist_ok=True)
            for one in here.control.letters(actor, clue):
                write_whole(letters / f"{one.notice_id}.html", letter(one).encode())
    print_json(told)


@app.command()
def act(  # noqa: PLR0917  (the options are named on the command line)
    clue: ClueId,
    event: Annotated[str, typer.Argument(metavar="EVENT", help="办理事项，见 show 的 may / see `may` in show")],
    config: Config,
    user: User,
    note: Note = "",
    data: Annotated[
        list[str] | None, typer.Option("--data", help="名=值，可多次，如 law=条例第八条 / NAME=VALUE, repeatable")
    ] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只看能不能办 / only say whether it is open")] = False,
) -> None:
    """办理一条疑点：领办、函询、认定、复核、裁定 / do something with a clue.

    Examples:
    \b
      huodang clues act c1234 take --config hub/hub.yaml --user li
      huodang clues act c1234 confirm --config hub/hub.yaml --user li --note 已核对死亡证明 \\
        --data law=社会保险经办条例第八条 --data fact_from=2025-02-10
      huodang clues act c1234 approve --config hub/hub.yaml --user wang
    """
    given = dict(_pair(one) for one in data or [])
    with agency(config) as here:
        actor = here.signed_in(user)
        if dry_run:
            may = [one for one in here.clues.view(actor, clue).may if one.event == event]
            needs = "、".join(may[0].needs) if may else ""
            typer.echo(f"可以办，需要 / open, needs: {needs or '—'}" if may else "现在不能办 / not open now")
            raise typer.Exit(0 if may else 2)
        view = here.clues.act(actor, clue, event, note=note, data=given)
    typer.echo(f"{clue}  {view.row.state_label[0]} / {view.row.state_label[1]}  {view.row.measure_label[0]}")


@app.command("open-from-check")
def open_from_check(  # noqa: PLR0917  (the options are named on the command line)
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="比对结果目录 / the check's --out", exists=True, file_okay=False)
    ],
    config: Config,
    user: User,
    payments: Annotated[list[Path] | None, File] = None,
    enrolments: Annotated[list[Path] | None, File] = None,
    population: Annotated[list[Path] | None, File] = None,
    certifications: Annotated[list[Path] | None, File] = None,
    archives: Annotated[list[Path] | None, File] = None,
    balances: Annotated[list[Path] | None, File] = None,
    mapping: Annotated[Path | None, typer.Option("--map", exists=True, dir_okay=False)] = None,
    rules: Annotated[Path | None, typer.Option("--rules", exists=True, file_okay=False)] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只数，不立 / only count")] = False,
) -> None:
    """把一次比对的发现立为疑点，整批或不立，同一次比对只立一次 / a check's findings become clues, whole, once.

    A check's results are masked, so the files it checked are given again; they are held against its certificate.

    Examples:
    \b
      huodang check --payments list.csv --deaths deaths.csv --month 2025-03 --out run/
      huodang clues open-from-check run/ --payments list.csv --config hub/hub.yaml --user li
    """
    from huodang.supervision.clues.runs import findings_of_run
    from huodang.supervision.rules import rules_of_folder
    from huodang.supervision.tables import Kind

    given = {
        Kind.PAYMENTS: payments,
        Kind.ENROLMENTS: enrolments,
        Kind.POPULATION: population,
        Kind.CERTIFICATIONS: certifications,
        Kind.ARCHIVES: archives,
        Kind.BALANCES: balances,
    }
    files = {kind: paths for kind, paths in given.items() if paths}
    own = tuple(rules_of_folder(rules)) if rules else ()
    found = findings_of_run(folder, files, datetime.now(UTC), mapping=mapping, rules=own)
    aside = sum(found.set_aside.values())
    if aside:
        listed = "、".join(f"{rule} {number}" for rule, number in found.set_aside.items())
        typer.echo(f"{aside} 行身份号码无效，不立疑点 / rows with no valid number, no clue: {listed}")
    if dry_run:
        typer.echo(f"将立 {len(found.findings)} 项发现 / findings would be taken")
        return
    with agency(config) as here:
        actor = here.signed_in(user)
        taken, clues = here.clues.take_run(actor, found.run_id, found.findings)
    typer.echo(f"{taken} 项发现，{clues} 条疑点 / findings in clues（批次 / run {found.run_id}）")


def _pair(text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found or not name:
        raise typer.BadParameter(f"写成 名=值 / write NAME=VALUE: {name[:40]}", param_hint="--data")
    return name.strip(), value
