"""What can go wrong in certification, each with a stable code."""

from typing import ClassVar

from huodang.standards import HuodangError


class CertificationError(HuodangError):
    """Base of every error of certification."""

    code: ClassVar[str] = "certification"


class LadderError(CertificationError):
    """The file of the ladder doesn't hold together; the place names file and element."""

    code: ClassVar[str] = "certification.ladder"


class ProofError(CertificationError):
    """A proof or a file of proofs can't be taken; the place names file, row and column."""

    code: ClassVar[str] = "certification.proof"


class UnknownPersonError(CertificationError):
    """The person isn't among those certified, or who asks may not see it."""

    code: ClassVar[str] = "certification.unknown"


class CertificationNotPermittedError(CertificationError):
    """No policy permits the act to this person."""

    code: ClassVar[str] = "certification.not_permitted"


class IllegalCertificationEventError(CertificationError):
    """The transition table has no such event in this state, or what it needs is missing."""

    code: ClassVar[str] = "certification.illegal_event"
