"""The manifest (清单) of a delivery: which files, whole and unaltered, by which agreement, signed by the provider."""

import hashlib
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from cryptography.hazmat.primitives.hashes import SM3, Hash

from huodang.exchange.errors import MessageError
from huodang.exchange.files.archives import check_name
from huodang.exchange.files.errors import ArchiveError, ManifestError
from huodang.exchange.files.formats import FileFormat
from huodang.exchange.files.text_lines import open_binary
from huodang.exchange.values import Identifier, Instant, Message, ResourceName, Token
from huodang.standards import Place
from huodang.trust import (
    MAX_ENVELOPE_BYTES,
    EnvelopeError,
    SignedEnvelope,
    Signer,
    TrustedKeys,
    open_envelope,
    sign_envelope,
)

FILE_MANIFEST: Final = "file_manifest"
MANIFEST_NAME: Final = "manifest.json"
_BLOCK: Final = 1024 * 1024

_Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]


class ManifestFile(Message, frozen=True, kw_only=True):
    """One file of a delivery.

    Attributes:
        name: without any folder.
        bytes: its size.
        rows: rows of data, without heading and deleted records; None for a companion such as a memo file.
        format: how it is read; None for a companion, which isn't read by itself.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    bytes: Annotated[int, msgspec.Meta(ge=0)]
    sha256: _Digest
    sm3: _Digest
    rows: Annotated[int, msgspec.Meta(ge=0)] | None = None
    format: FileFormat | None = None


class Manifest(Message, frozen=True, kw_only=True):
    """What a provider says, and signs, about a delivery.

    Attributes:
        sequence: counts up from 1 by resource and agreement; a gap is told, a number comes once.
        content: all rows of the resource, or the changes since the delivery before.
        as_of: the instant for which the rows are true.
        period_from: first day of what the rows are about, where they are about a span of days.
        period_to: last day of it.
    """

    manifest_id: Token
    resource: ResourceName
    agreement_id: Token
    agreement_version: Annotated[int, msgspec.Meta(ge=1, le=10_000)]
    provider: Identifier
    sequence: Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
    content: Literal["full", "changes"]
    as_of: Instant
    made_at: Instant
    files: Annotated[tuple[ManifestFile, ...], msgspec.Meta(min_length=1, max_length=500)]
    period_from: date | None = None
    period_to: date | None = None


@dataclass(frozen=True)
class OpenedManifest:
    """A manifest as it was read.

    Attributes:
        digest: of the signed content; what makes a delivery count once.
        verified: the provider's signature was checked; without trusted keys it can't be.
    """

    manifest: Manifest
    digest: str
    verified: bool


class FileState(StrEnum):
    """How a file stands to its line in the manifest."""

    RIGHT = "right"
    MISSING = "missing"
    SHORT = "short"  # fewer bytes than stated: still growing, or cut
    LONG = "long"
    ALTERED = "altered"
    UNREADABLE = "unreadable"


def sign_manifest(manifest: Manifest, signer: Signer) -> SignedEnvelope:
    """Sign a manifest as its provider."""
    return sign_envelope(FILE_MANIFEST, manifest.to_payload(), signer)


def manifest_bytes(folder: Path) -> bytes:
    """Read the manifest of a folder, which must be a plain file of bounded size.

    Raises:
        ManifestError: there is none, or it is something else.
    """
    path = folder / MANIFEST_NAME
    try:
        status = path.lstat()
        if stat.S_ISREG(status.st_mode) and status.st_size <= MAX_ENVELOPE_BYTES:
            return path.read_bytes()
    except OSError:
        pass
    raise ManifestError(
        "no_manifest",
        "文件夹中没有清单 manifest.json，或它不是普通文件、过大",
        "the folder has no manifest.json, or it is no plain file or too large",
        advice_chinese="请先用 huodang files pack 打包。",
        advice_english="Pack it first with `huodang files pack`.",
        place=Place(file=MANIFEST_NAME),
    )


def read_manifest(data: bytes, trusted: TrustedKeys | None, *, at: datetime | None = None) -> OpenedManifest:
    """Read a manifest.

    Args:
        data: the signed envelope as JSON.
        trusted: the keys that are believed; None reads it unchecked, and says so.
        at: the instant for which keys must be valid; None for now.

    Raises:
        ManifestError: it is no manifest, its signature doesn't hold, or the names of its files aren't safe.
    """
    place = Place(file=MANIFEST_NAME)
    try:
        envelope = SignedEnvelope.from_json(data)
        if trusted is None:
            if envelope.kind != FILE_MANIFEST:
                raise ManifestError("wrong_kind", "这不是文件清单", "this is no file manifest", place=place)
            payload: dict[str, Any] = envelope.payload
        else:
            payload = open_envelope(envelope, FILE_MANIFEST, trusted, at=at)
        manifest = Manifest.from_payload(payload)
    except (EnvelopeError, MessageError) as problem:
        raise ManifestError(
            problem.code.rpartition(".")[2],
            f"清单不可信或不符合格式：{problem.chinese}",
            f"the manifest can't be believed or isn't shaped as it must be: {problem.english}",
            advice_chinese="请用 huodang files pack 重新打包签署；清单签署后不能改动。",
            advice_english="Pack and sign again with `huodang files pack`; a signed manifest can't be edited.",
            place=place,
        ) from problem
    if envelope.signer != manifest.provider:
        raise ManifestError(
            "other_signer", "清单的签名者不是提供方", "the manifest's signer isn't the provider", place=place
        )
    _check_names(manifest.files, place)
    return OpenedManifest(manifest, envelope.digest, verified=trusted is not None)


def describe_file(path: Path, *, rows: int | None, file_format: FileFormat | None) -> ManifestFile:
    """Make the line of a file, hashing it.

    Raises:
        FileFormatError: it can't be read.
    """
    size, sha256, sm3 = _digests(path)
    return ManifestFile(name=path.name, bytes=size, sha256=sha256, sm3=sm3, rows=rows, format=file_format)


def quick_state(folder: Path, line: ManifestFile) -> FileState:
    """Hold a file against its line by size alone."""
    path = folder / line.name
    try:
        # No link is followed: what it points at was never delivered.
        status = path.lstat()
    except FileNotFoundError:
        return FileState.MISSING
    except OSError:
        return FileState.UNREADABLE
    if path.is_symlink() or not path.is_file():
        return FileState.UNREADABLE
    if status.st_size != line.bytes:
        return FileState.SHORT if status.st_size < line.bytes else FileState.LONG
    return FileState.RIGHT


def state_of(folder: Path, line: ManifestFile) -> FileState:
    """Hold a file against its line by size and both digests."""
    state = quick_state(folder, line)
    if state is not FileState.RIGHT:
        return state
    size, sha256, sm3 = _digests(folder / line.name)
    right = (size, sha256, sm3) == (line.bytes, line.sha256, line.sm3)
    return FileState.RIGHT if right else FileState.ALTERED


def _digests(path: Path) -> tuple[int, str, str]:
    size, sha256, sm3 = 0, hashlib.sha256(), Hash(SM3())
    with open_binary(path) as file:
        while block := file.read(_BLOCK):
            size += len(block)
            sha256.update(block)
            sm3.update(block)
    return size, sha256.hexdigest(), sm3.finalize().hex()


def _check_names(files: Iterable[ManifestFile], place: Place) -> None:
    seen: set[str] = {MANIFEST_NAME}
    for line in files:
        try:
            name = check_name(line.name, place)
        except ArchiveError as problem:
            raise ManifestError(problem.reason, problem.chinese, problem.english, place=place) from problem
        if name != line.name or name.casefold() in seen:
            raise ManifestError(
                "colliding_names",
                "清单中有重名文件（或只有大小写不同）",
                "two files of the manifest have one name (or differ in case only)",
                place=place,
            )
        seen.add(name.casefold())
    if not any(line.format is not None for line in files):
        raise ManifestError("no_data", "清单中没有数据文件", "the manifest names no file with data", place=place)
