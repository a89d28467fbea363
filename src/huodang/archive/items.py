"""What is handed in to be filed, what stands in a volume, and the metadata that describe it. Pure."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from huodang.archive.archival_code import ArchivalCode
from huodang.archive.data_files import ArchiveProfile, item_kinds, metadata_elements
from huodang.archive.errors import VolumeDraftError
from huodang.standards import IdentityNumber, PersonName, Place, code_table
from huodang.store import shanghai_date
from huodang.trust import sha256, sm3

VOLUME_FORMAT = "huodang-volume-1"
SALT_BYTES = 32
_LABEL = re.compile(r"[A-Za-z0-9_.:-]{0,80}")
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]{1,80}")
_CASE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


@dataclass(frozen=True)
class ItemDraft:
    """One item (件) to be filed.

    Attributes:
        kind: One of the item kinds, such as `application` or `verdict`; it gives the title.
        content: The bytes; sealed before they reach the disk.
        label: A code that tells items of one kind apart, such as `police.alive`. It stands in the clear, so it can hold
            no free text.
        media_type: What the bytes are.
        made_on: The day the item was made, if known.
    """

    kind: str
    content: bytes = field(repr=False)
    label: str = ""
    media_type: str = "application/json"
    made_on: date | None = None


@dataclass(frozen=True)
class VolumeDraft:
    """The volume (卷) of one case, to be filed.

    Attributes:
        case_id: The case; each part of it is filed once.
        identity_number: The person's; stands in the volume sealed, and as blind index.
        name: The person's; stands in the volume sealed.
        scheme: Code of the scheme (险种 AAE140).
        items: In the order of the volume.
        part: 1 for the volume of the case; 2 and on for what the case adds when it was reopened after that was filed.
    """

    case_id: str
    identity_number: IdentityNumber
    name: PersonName
    scheme: str
    items: tuple[ItemDraft, ...]
    part: int = 1

    def check(self) -> None:
        """Refuse a draft that can't be a volume.

        Raises:
            VolumeDraftError: no items, an unknown kind, or a label, media type or case number that is no code.
            UnknownCode: the scheme isn't in the code table.
        """
        code_table("scheme").require(self.scheme)
        if not _CASE.fullmatch(self.case_id):
            raise _bad_draft("业务编号不是代码", "The case number is no code", Place(element="case_id"))
        if not 1 <= self.part <= 99:
            raise _bad_draft("分卷号应为 1 至 99", "The part of a volume is 1 to 99", Place(element="part"))
        if not self.items:
            raise _bad_draft("案卷中没有任何材料", "The volume holds no item", Place())
        for row, item in enumerate(self.items, start=1):
            if item.kind not in item_kinds():
                raise _bad_draft("材料种类不在目录中", "The kind of item is unknown", Place(row=row, element="kind"))
            if not _LABEL.fullmatch(item.label):
                raise _bad_draft("材料标记不是代码", "The label of an item is no code", Place(row=row, element="label"))
            if not _MEDIA_TYPE.fullmatch(item.media_type):
                raise _bad_draft(
                    "材料格式写法有误", "The media type is malformed", Place(row=row, element="media_type")
                )


@dataclass(frozen=True)
class VolumeItem:
    """One item of a filed volume, as its metadata describe it.

    Attributes:
        number: Within the volume, from `001`.
        archival_code: Of the item.
        kind: Its kind.
        label: Its code within the kind.
        title: In Chinese.
        media_type: What its bytes are.
        length: How many bytes it has, unsealed.
        made_on: The day it was made, if known.
        file: Where it lies sealed, within the volume's folder.
        commitment: Salted digests of its content under both hash functions: with the salt, which lies sealed beside the
            content, anybody can check a disclosed item against the volume's manifest.
    """

    number: str
    archival_code: str
    kind: str
    label: str
    title: str
    media_type: str
    length: int
    made_on: date | None
    file: str
    commitment: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """Give it as it stands in the metadata."""
        return {
            "number": self.number,
            "archival_code": self.archival_code,
            "kind": self.kind,
            "label": self.label,
            "title": self.title,
            "media_type": self.media_type,
            "length": self.length,
            "made_on": None if self.made_on is None else self.made_on.isoformat(),
            "file": self.file,
            "commitment": dict(self.commitment),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "VolumeItem":
        """Read it from the metadata of a volume whose digests have been checked."""
        made_on = data["made_on"]
        return cls(**{**data, "made_on": None if made_on is None else date.fromisoformat(made_on)})


def item_title(kind: str, label: str) -> str:
    """Give the title of an item: fixed for its kind, with the code that tells it apart."""
    chinese = item_kinds()[kind].chinese
    return f"{chinese}（{label}）" if label else chinese


def commit(salt: bytes, content: bytes) -> dict[str, str]:
    """Commit to content under both hash functions: without the salt nobody can guess the content from it."""
    return {"sha256": sha256(salt + content).hex(), "sm3": sm3(salt + content).hex()}


def wrap(salt: bytes, content: bytes) -> str:
    """Put salt and content together as the text that is sealed."""
    return base64.b64encode(salt + content).decode()


def unwrap(text: str) -> tuple[bytes, bytes]:
    """Part salt and content again."""
    raw = base64.b64decode(text, validate=True)
    return raw[:SALT_BYTES], raw[SALT_BYTES:]


def item_row(case_id: str, part: int, number: str) -> str:
    """Name what an item's seal is bound to."""
    return f"volume:{case_id}:{part}:{number}"


def metadata(
    code: ArchivalCode,
    profile: ArchiveProfile,
    draft: VolumeDraft,
    items: Sequence[VolumeItem],
    *,
    filed_at: datetime,
    person_index: str,
    name_sealed: str,
    identity_sealed: str,
) -> dict[str, Any]:
    """Describe a volume by the metadata elements of DA/T 46, as far as they have a value.

    Nothing personal stands in the clear: the person's name and identity number are sealed, titles are fixed.

    Source: DA/T 46 (names of the elements; obligation and range are unverified).
    """
    scheme = code_table("scheme").meaning(draft.scheme)
    values = {
        "aggregation_level": "案卷",
        "archive_name": profile.archive_name,
        "archive_code": profile.archive_code,
        "fonds_name": profile.fonds_name,
        "founding_unit": profile.founding_unit,
        "electronic_file_number": draft.case_id,
        "archival_code": str(code),
        "fonds_code": code.fonds,
        "year": code.year or "",
        "retention_term": code.term or "",
        "category_code": "·".join((code.category, *code.subclasses)),
        "volume_number": code.numbers[0],
        "title": f"{scheme}退休联办案卷" + (f"（续 {draft.part}）" if draft.part > 1 else ""),
        "title_note": f"共 {len(items)} 件",
        "person_name": name_sealed,
        "file_number": draft.case_id,
        "author": profile.founding_unit,
        "date": shanghai_date(filed_at).isoformat(),
        "genre": "业务案卷",
    }
    known = metadata_elements()
    elements = []
    for name, value in values.items():
        if value:
            row = {"name": name, "chinese": known[name].chinese, "value": value}
            if known[name].number is not None:
                row["number"] = str(known[name].number)
            elements.append(row)
    return {
        "format": VOLUME_FORMAT,
        "profile": profile.name,
        "case_id": draft.case_id,
        "part": draft.part,
        "scheme": draft.scheme,
        "person_index": person_index,
        "identity_sealed": identity_sealed,
        "elements": elements,
        "items": [item.to_json() for item in items],
    }


def _bad_draft(chinese: str, english: str, place: Place) -> VolumeDraftError:
    return VolumeDraftError(
        chinese,
        english,
        advice_chinese="本案卷未归档，请补正后重新归档。",
        advice_english="The volume was not filed; mend it and file again.",
        place=place,
    )
