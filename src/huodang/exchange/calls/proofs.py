"""One person's part of a batch, proved alone: two signed heads, one line each way, and their ways to the heads.

Whoever holds the proof and the public keys can check it without the platform, and learns of nobody else: what stands
beside the way are digests of salted lines.
"""

from collections.abc import Sequence
from typing import Annotated, Self

import msgspec

from huodang.exchange.calls.messages import (
    BATCH_GRANT,
    BATCH_VERDICT,
    PAGE_LINES,
    SALT_BYTES,
    AnsweredPage,
    AskedPage,
    BatchGrant,
    BatchVerdict,
    Digest,
    answered_lines,
    asked_lines,
    climb,
    page_length,
    tree_path,
)
from huodang.exchange.errors import MessageError
from huodang.trust import EnvelopeError, SignedEnvelope, TrustedKeys, open_envelope, suite

_Text = Annotated[str, msgspec.Meta(max_length=500)]
_Hex = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{2})*\Z", max_length=64)]


class LineProof(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What proves that one person was asked about in a batch, and what was answered.

    Attributes:
        grant: the signed head of the questions.
        verdict: the signed head of the answers.
        line: place in the batch, from 0.
        salt: of the line.
        asked: number and claims, in the order of the head.
        answered: outcome, reason, as-of, and fields in the order of the head.
        grant_path, verdict_path: the digests beside the way to the root of the page.
    """

    grant: str
    verdict: str
    line: int
    salt: _Hex
    asked: tuple[_Text | None, ...]
    answered: tuple[_Text | None, ...]
    grant_path: tuple[_Hex, ...]
    verdict_path: tuple[_Hex, ...]

    def to_json(self) -> str:
        """Write the proof, to be handed to the person."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read a proof; it isn't checked yet.

        Raises:
            MessageError: it isn't shaped as one.
        """
        try:
            return msgspec.json.decode(text, type=cls)
        except msgspec.MsgspecError:
            raise MessageError("证明不符合格式", "the proof isn't shaped as it must be") from None

    def holds(self, trusted: TrustedKeys) -> bool:
        """Say whether both heads are signed by who may, belong together, and answer for these lines."""
        try:
            asked, answered = SignedEnvelope.from_json(self.grant), SignedEnvelope.from_json(self.verdict)
            head = BatchGrant.from_payload(asked.payload)
            signed_at = head.issued_at
            open_envelope(asked, BATCH_GRANT, trusted, at=signed_at)
            verdict = BatchVerdict.from_payload(
                open_envelope(answered, BATCH_VERDICT, trusted, signer=head.provider, at=signed_at)
            )
        except (EnvelopeError, MessageError):
            return False
        if verdict.grant_digest != asked.digest or len(verdict.pages) != len(head.pages):
            return False
        if not 0 <= self.line < head.subjects or len(self.salt) != 2 * SALT_BYTES or not self.asked:
            return False
        page, place = divmod(self.line, PAGE_LINES)
        size, salt = page_length(head.subjects, page), bytes.fromhex(self.salt)
        subject, *claims = self.asked
        columns = ([[text] for text in claims], [[text] for text in self.answered])
        question = asked_lines(suite(asked.suite).digest, salt, [subject or ""], columns[0])[0]
        answer = answered_lines(suite(answered.suite).digest, salt, [subject or ""], columns[1])[0]
        return (
            _root(suite(asked.suite).digest, question, place, size, self.grant_path) == head.pages[page]
            and _root(suite(answered.suite).digest, answer, place, size, self.verdict_path) == verdict.pages[page]
        )


def prove_line(
    grant: SignedEnvelope, verdict: SignedEnvelope, line: int, pages: tuple[AskedPage, AnsweredPage]
) -> LineProof:
    """Make the proof of one line from the two heads and the line's pages."""
    head = BatchGrant.from_payload(grant.payload)
    asked, answered = pages
    place, salts = line % PAGE_LINES, asked.salt_bytes()
    claims = [asked.claims[name] for name in head.claims]
    said = [answered.outcomes, answered.reasons, answered.as_of, *(answered.fields[name] for name in head.fields)]
    questions = asked_lines(suite(grant.suite).digest, salts, asked.subjects, claims)
    answers = answered_lines(suite(verdict.suite).digest, salts, asked.subjects, said)
    return LineProof(
        grant=grant.to_json(),
        verdict=verdict.to_json(),
        line=line,
        salt=salts[place * SALT_BYTES : (place + 1) * SALT_BYTES].hex(),
        asked=(asked.subjects[place], *(column[place] for column in claims)),
        answered=tuple(column[place] for column in said),
        grant_path=tuple(one.hex() for one in tree_path(suite(grant.suite).digest, questions, place)),
        verdict_path=tuple(one.hex() for one in tree_path(suite(verdict.suite).digest, answers, place)),
    )


def _root(digest: Digest, leaf: bytes, place: int, size: int, path: Sequence[str]) -> str:
    root = climb(digest, leaf, place, size, [bytes.fromhex(one) for one in path])
    return "" if root is None else root.hex()
