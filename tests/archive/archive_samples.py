"""A made-up person, what is paid to that person, and a volume about the person."""

from huodang.archive import ItemDraft, PaymentDraft, VolumeDraft
from huodang.standards import IdentityNumber, Money, Month, PersonName

# Synthetic: the region is real, the people are not.
IDENTITY = IdentityNumber.parse("130102196503011217")
OTHER_IDENTITY = IdentityNumber.parse("13010219700101042X")
NAME = PersonName.parse("张试样")


APRIL = Month(2025, 4)


def payment(case_id: str = "R2025-1", *, month: Month = APRIL, basic: int = 123456) -> PaymentDraft:
    parts = {"basic": Money(basic), "account": Money(65432)}
    return PaymentDraft(IDENTITY, "110", month, Money(basic + 65432), case_id, parts)


def draft(case_id: str = "R2025-1", identity: IdentityNumber = IDENTITY) -> VolumeDraft:
    application = f'{{"identity_number":"{identity.text}","name":"{NAME.text}"}}'.encode()
    items = (
        ItemDraft("application", application),
        ItemDraft("verdict", b'{"outcome":"clear"}', "police.alive"),
        ItemDraft("verdict", b'{"outcome":"clear"}', "justice.custody"),
        ItemDraft("attachment", bytes(range(256)) * 20, "paper.1", "image/png"),
    )
    return VolumeDraft(case_id, identity, NAME, "110", items)
