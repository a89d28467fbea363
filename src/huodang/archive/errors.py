"""What goes wrong in the archive."""

from huodang.standards import BadValue, HuodangError, Place


class ArchiveError(HuodangError):
    """Something about volumes, items or payment records; never carries personal data."""

    code = "archive"


class ArchivalCodeError(BadValue):
    """A text is no archival code (档号)."""

    code = "archive.archival_code"


class ProfileError(ArchiveError):
    """A data file of the archive lacks something or says something that can't be."""

    code = "archive.profile"


class VolumeDraftError(BadValue):
    """What was handed in to be filed can't be a volume."""

    code = "archive.volume_draft"


class VolumeMissingError(ArchiveError):
    """No volume has this archival code, or no item this number."""

    code = "archive.volume_missing"


class VolumeAlteredError(ArchiveError):
    """A file of a volume is missing or was altered since it was filed."""

    code = "archive.volume_altered"

    def __init__(self, archival_code: str, path: str) -> None:
        super().__init__(
            f"案卷 {archival_code} 的文件缺失或已被改动",
            f"A file of the volume {archival_code} is missing or was altered",
            advice_chinese="请保留现场，对该案卷做完整校验，并从备份恢复。",
            advice_english="Keep it as it is, verify the whole volume, and restore it from the backup.",
            place=Place(file=path),
        )


class PaymentError(ArchiveError):
    """A payment can't be recorded."""

    code = "payment"


class PaymentAmountError(PaymentError):
    """The amount isn't above nothing, or isn't the sum of its parts."""

    code = "payment.amount"


class DoublePaymentError(PaymentError):
    """Another case has recorded this payment already."""

    code = "payment.double"


class PaymentChangedError(PaymentError):
    """The same case recorded the payment before, with other figures."""

    code = "payment.changed"
