"""Certification (资格认证): proof that a person is still entitled, silent by data first.

Front door: `Certifications` enrols, proves, walks the ladder and shows; `ProofImports` takes files of millions of rows;
`finding_of` hands what can't be settled to the clues. No event stops a pension.
"""

from huodang.supervision.certification.errors import (
    CertificationError,
    CertificationNotPermittedError,
    IllegalCertificationEventError,
    LadderError,
    ProofError,
    UnknownPersonError,
)
from huodang.supervision.certification.importing import ImportRequest, ProofImports, read_payees
from huodang.supervision.certification.ladder import Ladder, MeansOfProof, product_ladder, read_ladder
from huodang.supervision.certification.proof_files import BadLine, QuarantineFile
from huodang.supervision.certification.service import Certifications
from huodang.supervision.certification.states import CERTIFICATION, CertificationEvent, CertificationState
from huodang.supervision.certification.suspicions import finding_of
from huodang.supervision.certification.values import (
    CertificationChoice,
    CertificationLine,
    CertificationView,
    DueRow,
    Payee,
    Proof,
    ProofLine,
    Suspicion,
    Taken,
    Walked,
)

__all__ = [
    "CERTIFICATION",
    "BadLine",
    "CertificationChoice",
    "CertificationError",
    "CertificationEvent",
    "CertificationLine",
    "CertificationNotPermittedError",
    "CertificationState",
    "CertificationView",
    "Certifications",
    "DueRow",
    "IllegalCertificationEventError",
    "ImportRequest",
    "Ladder",
    "LadderError",
    "MeansOfProof",
    "Payee",
    "Proof",
    "ProofError",
    "ProofImports",
    "ProofLine",
    "QuarantineFile",
    "Suspicion",
    "Taken",
    "UnknownPersonError",
    "Walked",
    "finding_of",
    "product_ladder",
    "read_ladder",
    "read_payees",
]
