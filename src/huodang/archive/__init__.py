"""The archive: the volume of every case, filed once and provably unaltered; and the record of what is paid.

Front door: `Volumes` files, reads and verifies the folder of a case under its archival code (档号); `PaymentRecords`
keeps each payment exactly once. Retirement writes payments, supervision watches them, and neither imports the other.
"""

from huodang.archive.archival_code import CLASSES, ArchivalCode
from huodang.archive.data_files import (
    ArchiveProfile,
    ItemKind,
    MetadataElement,
    PersonnelCategory,
    RetentionTerm,
    item_kinds,
    metadata_elements,
    personnel_categories,
    retention_term,
    retention_terms,
)
from huodang.archive.errors import (
    ArchivalCodeError,
    ArchiveError,
    DoublePaymentError,
    PaymentAmountError,
    PaymentChangedError,
    PaymentError,
    ProfileError,
    VolumeAlteredError,
    VolumeDraftError,
    VolumeMissingError,
)
from huodang.archive.folders import VolumeFault
from huodang.archive.items import ItemDraft, VolumeDraft, VolumeItem
from huodang.archive.payments import PaymentDraft, PaymentKind, PaymentRecord, PaymentRecords
from huodang.archive.volumes import StagedVolume, VolumeRecord, VolumeReport, Volumes

__all__ = [
    "CLASSES",
    "ArchivalCode",
    "ArchivalCodeError",
    "ArchiveError",
    "ArchiveProfile",
    "DoublePaymentError",
    "ItemDraft",
    "ItemKind",
    "MetadataElement",
    "PaymentAmountError",
    "PaymentChangedError",
    "PaymentDraft",
    "PaymentError",
    "PaymentKind",
    "PaymentRecord",
    "PaymentRecords",
    "PersonnelCategory",
    "ProfileError",
    "RetentionTerm",
    "StagedVolume",
    "VolumeAlteredError",
    "VolumeDraft",
    "VolumeDraftError",
    "VolumeFault",
    "VolumeItem",
    "VolumeMissingError",
    "VolumeRecord",
    "VolumeReport",
    "Volumes",
    "item_kinds",
    "metadata_elements",
    "personnel_categories",
    "retention_term",
    "retention_terms",
]
