"""What `huodang catalogue` prints and writes, as text and as JSON."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)

from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from huodang.exchange import CatalogueEntry, ImportPlan, MandatoryStanding
    from huodang.exchange.catalogue import Change


def entry_payload(entry: "CatalogueEntry") -> dict[str, Any]:
    """Give an entry as JSON, with its level and provider."""
    return {**entry.to_payload(), "level": entry.level, "provider": entry.provider}


def change_payload(change: "Change") -> dict[str, str]:
    """Give one changed field as JSON."""
    return {"field": change.field, "heading": change.chinese, "before": change.before, "after": change.after}


def standing_payload(one: "MandatoryStanding") -> dict[str, Any]:
    """Give how a duty stands as JSON."""
    from huodang.store import utc_text

    return {
        "item": one.item.item,
        "title": one.item.title.chinese,
        "provider": one.item.provider,
        "service": one.service.value,
        "chinese": one.label(),
        "english": one.label("en"),
        "light": one.light,
        "gap": one.gap,
        "resource": one.resource,
        "as_of": utc_text(one.as_of) if one.as_of else None,
        "due_by": one.due_by.isoformat() if one.due_by else None,
        "law": one.item.law,
        "law_status": one.item.status,
    }


def plan_payload(plan: "ImportPlan", *, apply: bool) -> dict[str, Any]:
    """Give the outcome of an import as JSON."""
    return {
        "applied": apply and not plan.refused,
        "counts": {change.value: number for change, number in plan.counts.items()},
        "ignored": list(plan.ignored),
        "entries": [
            {
                "resource": item.resource,
                "change": item.change.value,
                "row": item.place.row,
                "changes": [change_payload(change) for change in item.changes],
                "problems": [
                    {
                        "row": problem.place.row,
                        "column": problem.place.column,
                        "chinese": problem.chinese,
                        "english": problem.english,
                    }
                    for problem in item.problems
                ],
            }
            for item in plan.items
        ],
    }


def tell_plan(plan: "ImportPlan") -> None:
    """Print what a file would do, entry by entry."""
    from huodang.exchange.catalogue import IMPORT_LABELS, ImportChange

    for item in plan.items:
        if item.change is ImportChange.UNCHANGED:
            continue
        chinese, english = IMPORT_LABELS[item.change]
        typer.echo(f"[{chinese} / {english}] {item.resource}")
        for problem in item.problems:
            typer.echo(f"  {problem.place.sentence()}: {problem.chinese} / {problem.english}")
        if item.change is ImportChange.CHANGED:
            tell_changes(item.changes)
    if plan.ignored:
        typer.echo(f"未用的列 / columns not used: {'、'.join(plan.ignored)}")
    typer.echo(
        "，".join(f"{IMPORT_LABELS[one][0]} / {IMPORT_LABELS[one][1]} {number}" for one, number in plan.counts.items())
    )


def tell_changes(changes: "tuple[Change, ...]") -> None:
    """Print changed fields, one a line."""
    for change in changes:
        typer.echo(f"  {change.chinese} / {change.english}: {change.before or '—'} → {change.after or '—'}")
