"""What walks in a batched call (批量核验): a signed head each way, and pages of lines that the heads answer for.

A page holds the lines of up to a thousand subjects in columns. Its root is that of a hash tree over its lines, each
line salted; the head lists the roots. So one signature covers all, a page is checked by itself as it comes, and the
part of one person can be proved from the signed head without showing anybody else's.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Final, TypeVar

import msgspec

from huodang.exchange.errors import MessageError
from huodang.exchange.values import (
    Identifier,
    Instant,
    Kind,
    Message,
    Names,
    Reference,
    ResourceName,
    Text,
    Token,
    Values,
)

BATCH_GRANT: Final = "batch_grant"
BATCH_VERDICT: Final = "batch_verdict"

LARGEST_BATCH: Final = 10_000
"""Subjects of one grant at most."""
PAGE_LINES: Final = 1_000
"""Lines of every page but the last."""
SALT_BYTES: Final = 16
_CHILDREN: Final = 32  # of a node: a thirtieth of the digests of a tree of pairs, for a proof of two kilobytes

Digest = Callable[[bytes], bytes]
Root = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
Roots = Annotated[tuple[Root, ...], msgspec.Meta(min_length=1, max_length=LARGEST_BATCH // PAGE_LINES)]
Count = Annotated[int, msgspec.Meta(ge=1, le=LARGEST_BATCH)]
# Longer than any number: what is no number is refused by itself, not with the page around it.
Subject = Annotated[str, msgspec.Meta(max_length=64)]
Cell = Annotated[str, msgspec.Meta(max_length=500)] | None
Short = Annotated[str, msgspec.Meta(max_length=64)]


class BatchGrant(Message, frozen=True, kw_only=True):
    """The signed head of a batch of questions: what a grant says once for all of its subjects.

    Attributes:
        claims: the columns of claims that every page has; a cell may be empty.
        subjects: how many lines the pages hold together.
        pages: root of each page's lines.
    """

    batch_id: Token
    resource: ResourceName
    agreement_id: Token
    agreement_version: int
    provider: Identifier
    consumer: Identifier
    purpose: Identifier
    legal_basis: Text
    case_id: Reference
    issued_at: Instant
    expires_at: Instant
    nonce: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]
    subjects: Count
    pages: Roots
    claims: Names = ()
    parameters: Values = {}
    elements: Names = ()
    fields: Names = ()

    @property
    def kind(self) -> Kind:
        """Only checks are asked in batches."""
        return Kind.CHECK


class BatchVerdict(Message, frozen=True, kw_only=True):
    """The signed head of a batch of answers.

    Attributes:
        grant_digest: digest of the head of the questions.
        pages: root of each page's lines; a line holds its subject and salt, so answers can't change places.
        evidence: of each page, the salted digest of the rows read; salt and rows stay at the department.
    """

    batch_id: Token
    grant_digest: Root
    resource: ResourceName
    provider: Identifier
    subjects: Count
    pages: Roots
    evidence: Roots
    answered_at: Instant


class AskedPage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The lines of some subjects as they are asked, in columns.

    Attributes:
        salts: 32 hexadecimal digits a line, one after the other.
        claims: a column for each claim that the head names, in the order of the subjects.
    """

    salts: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]*\Z", max_length=2 * SALT_BYTES * PAGE_LINES)]
    subjects: Annotated[tuple[Subject, ...], msgspec.Meta(min_length=1, max_length=PAGE_LINES)]
    claims: dict[Identifier, tuple[Cell, ...]] = {}

    def root(self, digest: Digest, claims: Sequence[str]) -> bytes:
        """Give the root of the page.

        Raises:
            MessageError: columns are missing, too many, or not as long as the page.
        """
        columns = _columns(self.claims, claims, len(self.subjects))
        return tree_root(digest, asked_lines(digest, self.salt_bytes(), self.subjects, columns))

    def salt_bytes(self) -> bytes:
        """Give the salts.

        Raises:
            MessageError: there isn't one a line.
        """
        if len(self.salts) != 2 * SALT_BYTES * len(self.subjects):
            raise _misshapen()
        return bytes.fromhex(self.salts)


class AnsweredPage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The answers to the lines of a page, in columns and in the same order.

    Attributes:
        outcomes: of each line; `refused` for a line that was not read, with the refusal's code as reason.
        as_of: how fresh what each answer rests on is; empty if nothing was read.
        fields: raw values, a column for each field that the grant names.
    """

    outcomes: Annotated[tuple[Short, ...], msgspec.Meta(min_length=1, max_length=PAGE_LINES)]
    reasons: tuple[Short, ...]
    as_of: tuple[Short, ...]
    fields: dict[Identifier, tuple[Cell, ...]] = {}

    def root(self, digest: Digest, asked: AskedPage, fields: Sequence[str]) -> bytes:
        """Give the root of the page as the answer to these lines.

        Raises:
            MessageError: a column is missing, too much, or not as long as the page.
        """
        lines = len(asked.subjects)
        if not lines == len(self.outcomes) == len(self.reasons) == len(self.as_of):
            raise _misshapen()
        columns = (self.outcomes, self.reasons, self.as_of, *_columns(self.fields, fields, lines))
        return tree_root(digest, answered_lines(digest, asked.salt_bytes(), asked.subjects, columns))


def asked_lines(
    digest: Digest, salts: bytes, subjects: Sequence[str], claims: Sequence[Sequence[str | None]]
) -> list[bytes]:
    """Digest each line as asked: its salt, then subject and claims in the order that the head names."""
    return _lines(digest, b"asked\0", salts, (subjects, *claims))


def answered_lines(
    digest: Digest, salts: bytes, subjects: Sequence[str], columns: Sequence[Sequence[str | None]]
) -> list[bytes]:
    """Digest each line as answered: its salt, then subject, outcome, reason, as-of, and fields in the head's order."""
    return _lines(digest, b"answered\0", salts, (subjects, *columns))


def _lines(digest: Digest, kind: bytes, salts: bytes, columns: Sequence[Sequence[str | None]]) -> list[bytes]:
    write = _WRITER.encode
    starts = range(0, len(salts), SALT_BYTES)
    return [
        digest(kind + salts[start : start + SALT_BYTES] + write(line))
        for start, line in zip(starts, zip(*columns, strict=True), strict=True)
    ]


def tree_root(digest: Digest, leaves: Sequence[bytes]) -> bytes:
    """Give the root of a hash tree whose nodes have up to 32 children; a node that nobody stands beside goes up."""
    level = list(leaves)
    while len(level) > 1:
        level = _level_above(digest, level)
    return level[0]


def tree_path(digest: Digest, leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Give the digests beside the way from one leaf to the root."""
    level, path = list(leaves), list[bytes]()
    while len(level) > 1:
        first = index - index % _CHILDREN
        path += level[first:index] + level[index + 1 : first + _CHILDREN]
        level = _level_above(digest, level)
        index //= _CHILDREN
    return path


def climb(digest: Digest, leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """Compute the root from one leaf and its path; None if the path doesn't fit place and size."""
    if not 0 <= index < size:
        return None
    beside, node = list(path), leaf
    while size > 1:
        place = index % _CHILDREN
        others = min(_CHILDREN, size - (index - place)) - 1
        siblings, beside = beside[:others], beside[others:]
        if len(siblings) != others:
            return None
        node = _node(digest, [*siblings[:place], node, *siblings[place:]])
        index, size = index // _CHILDREN, -(-size // _CHILDREN)
    return None if beside else node


def _level_above(digest: Digest, level: Sequence[bytes]) -> list[bytes]:
    return [_node(digest, level[first : first + _CHILDREN]) for first in range(0, len(level), _CHILDREN)]


def _node(digest: Digest, children: Sequence[bytes]) -> bytes:
    return digest(b"node\0" + b"".join(children)) if len(children) > 1 else children[0]


def pages_of(subjects: int) -> int:
    """Say how many pages so many subjects take."""
    return -(-subjects // PAGE_LINES)


def page_length(subjects: int, page: int) -> int:
    """Say how many lines a page has, of the first 0."""
    return min(PAGE_LINES, subjects - page * PAGE_LINES)


def read_asked(raw: bytes) -> AskedPage:
    """Read a page of questions.

    Raises:
        MessageError: it isn't shaped as one.
    """
    return _read(_ASKED, raw)


def read_answered(raw: bytes) -> AnsweredPage:
    """Read a page of answers.

    Raises:
        MessageError: it isn't shaped as one.
    """
    return _read(_ANSWERED, raw)


def write_page(page: AskedPage | AnsweredPage) -> bytes:
    """Write a page as it travels: JSON on one line."""
    return _WRITER.encode(page)


Page = TypeVar("Page", AskedPage, AnsweredPage)
_WRITER: Final = msgspec.json.Encoder()
_ASKED: Final = msgspec.json.Decoder(AskedPage)
_ANSWERED: Final = msgspec.json.Decoder(AnsweredPage)


def _read(decoder: "msgspec.json.Decoder[Page]", raw: bytes) -> Page:
    try:
        return decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _misshapen() from None


def _columns(
    columns: Mapping[str, Sequence[str | None]], names: Sequence[str], lines: int
) -> list[Sequence[str | None]]:
    """Give the columns in the order of the names; none may be missing, too much or of another length."""
    if columns.keys() != set(names) or any(len(column) != lines for column in columns.values()):
        raise _misshapen()
    return [columns[name] for name in names]


def _misshapen() -> MessageError:
    return MessageError(
        "批量核验的分页不符合格式",
        "a page of a batch isn't shaped as it must be",
        advice_chinese="请核对双方的版本；整批须重新发送。",
        advice_english="Compare the versions of both sides; the batch must be sent anew.",
    )
