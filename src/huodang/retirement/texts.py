"""Notices to people: texts from `data/notices.yaml`, filled in and sealed."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any, Literal

import yaml
from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from huodang.retirement import records
from huodang.retirement.cases import MESSAGE_ELEMENT
from huodang.retirement.errors import RegisterError
from huodang.standards import Place
from huodang.trust import FieldSealer

Recipient = Literal["person", "employer"]


@cache
def _templates() -> dict[str, dict[str, str]]:
    read: dict[str, dict[str, str]] = yaml.safe_load(
        resources.files("huodang.retirement").joinpath("data/notices.yaml").read_text("utf-8")
    )
    return read


def fill(kind: str, chinese: Mapping[str, str], english: Mapping[str, str]) -> tuple[str, str]:
    """Fill in a text in both languages.

    Raises:
        RegisterError: the text asks for a value that isn't given.
    """
    texts = _templates()[kind]
    try:
        return texts["chinese"].format_map(dict(chinese)).strip(), texts["english"].format_map(dict(english)).strip()
    except KeyError as missing:
        raise RegisterError(
            f"告知书缺少 {missing}",
            f"a notice lacks {missing}",
            place=Place(file="retirement/data/notices.yaml", element=kind),
        ) from None


def tell(
    connection: Connection,
    sealer: FieldSealer,
    case_id: str,
    *,
    recipient: Recipient,
    kind: str,
    occasion: int,
    texts: tuple[str, str],
    now: datetime,
) -> None:
    """Lay down a notice once for each occasion (the number of the history row that calls for it)."""
    row = f"{case_id}:{recipient}:{kind}:{occasion}"
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(records.message).values(
        case_id=case_id,
        recipient=recipient,
        kind=kind,
        occasion=occasion,
        chinese_sealed=sealer.seal(MESSAGE_ELEMENT, texts[0], row),
        english_sealed=sealer.seal(MESSAGE_ELEMENT, texts[1], row),
        at=now,
    )
    connection.execute(statement.on_conflict_do_nothing())


def notices_of(connection: Connection, sealer: FieldSealer, case_id: str) -> list[dict[str, Any]]:
    """Open the notices of a case, first to last."""
    table = records.message
    opened = []
    for row in connection.execute(select(table).where(table.c.case_id == case_id).order_by(table.c.id)):
        name = f"{case_id}:{row.recipient}:{row.kind}:{row.occasion}"
        opened.append(
            {
                "recipient": row.recipient,
                "kind": row.kind,
                "at": row.at,
                "chinese": sealer.open(MESSAGE_ELEMENT, row.chinese_sealed, name),
                "english": sealer.open(MESSAGE_ELEMENT, row.english_sealed, name),
            }
        )
    return opened
