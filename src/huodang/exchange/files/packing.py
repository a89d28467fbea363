"""Packing a delivery at its provider: files are read through once, hashed, listed, signed, and appear as one folder."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final, Literal

import msgspec

from huodang.exchange.files.archives import cannot_write, check_name
from huodang.exchange.files.detection import detect
from huodang.exchange.files.errors import ManifestError
from huodang.exchange.files.formats import FileFormat, Remark
from huodang.exchange.files.manifest import MANIFEST_NAME, Manifest, ManifestFile, describe_file, sign_manifest
from huodang.exchange.files.reading import read_rows
from huodang.exchange.values import new_identifier, to_the_second
from huodang.standards import Place
from huodang.store import write_whole
from huodang.trust import Signer

SEQUENCES_NAME: Final = "file_sequences.json"
_MEMO_SUFFIXES: Final = (".fpt", ".dbt")
_TOLD_EVERY: Final = 10_000


@dataclass(frozen=True)
class PackOrder:
    """What is said about a delivery beside its files; see `Manifest`. Without a number the next one is taken."""

    resource: str
    agreement_id: str
    agreement_version: int
    sequence: int | None
    as_of: datetime
    content: Literal["full", "changes"] = "full"
    period_from: date | None = None
    period_to: date | None = None


@dataclass(frozen=True)
class Packed:
    """A delivery ready to be carried."""

    folder: Path
    manifest: Manifest
    digest: str
    remarks: dict[str, tuple[Remark, ...]]


def pack(
    files: Sequence[Path],
    order: PackOrder,
    signer: Signer,
    out: Path,
    now: datetime,
    *,
    sequences: Path | None = None,
    file_format: FileFormat | None = None,
    progress: Callable[[str, int], None] = lambda _name, _rows: None,
) -> Packed:
    """Pack files into a folder with a signed manifest.

    The folder appears when it is complete. Memo files of DBF tables come along by themselves.

    Args:
        files: the files with data, of one resource.
        order: what is said about them.
        signer: the provider's key.
        out: the folder to be made.
        now: the present instant.
        sequences: the department's folder of keys, where the numbers of deliveries are kept.
        file_format: how all files are read, where that can't be found from them.
        progress: told the file's name and the rows read so far.

    Raises:
        FileFormatError: a file can't be read.
        ManifestError: the folder is there already, or two files have one name.
        FileWriteError: the disk is full.
    """
    if out.exists():
        raise ManifestError(
            "folder_exists",
            "输出文件夹已存在",
            "the folder is there already",
            advice_chinese="请指定一个新的文件夹。",
            advice_english="Name a new folder.",
            place=Place(file=out.name),
        )
    _check_distinct(files)
    part = out.with_name(f".{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True)
        lines: list[ManifestFile] = []
        remarks: dict[str, tuple[Remark, ...]] = {}
        for path in files:
            copy = _copy(path, part)
            companions = [_copy(one, part) for one in companions_of(path)]
            found = detect(copy, file_format)
            remarks[path.name] = found.remarks
            lines.append(describe_file(copy, rows=_count(copy, found.format, progress), file_format=found.format))
            lines.extend(describe_file(one, rows=None, file_format=None) for one in companions)
        manifest = Manifest(
            manifest_id=new_identifier("m", now),
            resource=order.resource,
            agreement_id=order.agreement_id,
            agreement_version=order.agreement_version,
            provider=signer.holder,
            sequence=_number(order, sequences),
            content=order.content,
            as_of=to_the_second(order.as_of),
            made_at=to_the_second(now),
            files=tuple(lines),
            period_from=order.period_from,
            period_to=order.period_to,
        )
        # Read as anybody reads it, so that what can't be read is never signed.
        envelope = sign_manifest(Manifest.from_payload(manifest.to_payload()), signer)
        write_whole(part / MANIFEST_NAME, envelope.to_json().encode())
        part.rename(out)
    except OSError as problem:
        raise cannot_write(out) from problem
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Packed(out, manifest, envelope.digest, remarks)


def next_sequence(folder: Path, resource: str, agreement_id: str, *, at_least: int = 1) -> int:
    """Take the next number of deliveries of a resource under an agreement.

    It is remembered before it is used: a number may be left out after a crash, which is told, but none comes twice.

    Args:
        folder: the department's folder of keys, where the numbers are kept.
        resource: what is delivered.
        agreement_id: under which agreement.
        at_least: the lowest number that will do.

    Raises:
        ManifestError: the file of numbers is damaged.
    """
    number = max(at_least, _last_number(folder, resource, agreement_id) + 1)
    known = _numbers(folder) | {f"{resource} {agreement_id}": number}
    write_whole(folder / SEQUENCES_NAME, json.dumps(known, ensure_ascii=False, indent=1).encode())
    return number


def _last_number(folder: Path, resource: str, agreement_id: str) -> int:
    return _numbers(folder).get(f"{resource} {agreement_id}", 0)


def _numbers(folder: Path) -> dict[str, int]:
    path = folder / SEQUENCES_NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, int])
    except FileNotFoundError:
        return {}
    except msgspec.MsgspecError as problem:
        raise ManifestError(
            "sequences",
            "交付序号文件已损坏",
            "the file of delivery numbers is damaged",
            advice_chinese="请用备份恢复该文件。",
            advice_english="Restore it from a backup.",
            place=Place(file=path.name),
        ) from problem


def _number(order: PackOrder, sequences: Path | None) -> int:
    if order.sequence is None:
        if sequences is None:
            raise ManifestError("no_number", "没有交付序号", "the delivery has no number")
        return next_sequence(sequences, order.resource, order.agreement_id)
    if sequences is not None and order.sequence > _last_number(sequences, order.resource, order.agreement_id):
        next_sequence(sequences, order.resource, order.agreement_id, at_least=order.sequence)
    return order.sequence


def _check_distinct(files: Sequence[Path]) -> None:
    names = [
        check_name(one.name, Place(file=one.name)).casefold() for path in files for one in (path, *companions_of(path))
    ]
    if not files or len(set(names)) != len(names) or MANIFEST_NAME in names:
        raise ManifestError(
            "colliding_names",
            "没有文件，或有重名文件（不分大小写）",
            "there are no files, or two have one name (whatever its case)",
        )


def companions_of(path: Path) -> list[Path]:
    """Give the memo files that stand beside a DBF table."""
    if path.suffix.lower() != ".dbf":
        return []
    return sorted(one for one in path.parent.glob(f"{path.stem}.*") if one.suffix.lower() in _MEMO_SUFFIXES)


def _copy(path: Path, folder: Path) -> Path:
    target = folder / path.name
    shutil.copyfile(path, target)
    return target


def _count(path: Path, file_format: FileFormat, progress: Callable[[str, int], None]) -> int:
    count = 0
    with read_rows(path, file_format) as reader:
        for count, _row in enumerate(reader, start=1):
            if count % _TOLD_EVERY == 0:
                progress(path.name, count)
    progress(path.name, count)
    return count
