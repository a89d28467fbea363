"""Parts of the tests of lots: agreements on tables, rows made under a salt, a hub's lots."""

from datetime import UTC, date, datetime
from typing import Any

from exchange_province import Province, identity

from huodang.exchange import Agreement, Kind, Looks, Lots
from huodang.exchange.lots.values import LOT_STATEMENT, LotStatement
from huodang.exchange.quality import RowMarks, bucket_hashes, root_of
from huodang.ledger import Ledger
from huodang.store import Database
from huodang.trust import FieldSealer, SignedEnvelope, sign_envelope

TABLE = "police.household_table"
FIELDS = ("identity_number", "name", "sex", "birth_date", "death_date", "household_region")
AS_OF = datetime(2025, 3, 3, 0, 30, tzinfo=UTC)


def number(serial: int) -> str:
    """A made-up identity number; each serial has its own."""
    return identity(f"130102{1940 + serial // 900}0101{serial % 900 + 100:03d}")


def table_agreement(province: Province, **changes: Any) -> Agreement:
    terms = {
        "agreement_id": "XY-table",
        "kind": Kind.TABLE,
        "fields": FIELDS,
        "elements": FIELDS,
        "purposes": ("supervision",),
        "valid_from": date(2025, 1, 1),
    }
    return province.agreement(TABLE, **{**terms, **changes})


def make_lots(province: Province, database: Database, ledger: Ledger) -> Lots:
    return Lots(
        database,
        ledger,
        province.signer("hub"),
        province.trusted,
        FieldSealer.create(province.keys.keys_folder("hub")),
        Looks(database, ledger, province.clock),
        province.clock,
    )


def statement(
    province: Province, agreement: Agreement, held: dict[str, bytes], salt: bytes, **changes: Any
) -> SignedEnvelope:
    """What a provider that holds these rows (content by key) says after a lot."""
    marks = RowMarks(salt)
    hashed = bucket_hashes(sorted((marks.mark(key), marks.digest(content)) for key, content in held.items()))
    told: dict[str, Any] = {
        "lot": "remote-1",
        "resource": agreement.resource,
        "agreement_id": agreement.agreement_id,
        "agreement_version": agreement.version,
        "provider": agreement.provider,
        "sent": len(held),
        "pages": 1,
        "as_of": AS_OF,
        "rows": len(held),
        "buckets": {f"{bucket:02x}": value for bucket, value in hashed.items()},
        "root": root_of(hashed),
    }
    return sign_envelope(
        LOT_STATEMENT, LotStatement(**{**told, **changes}).to_payload(), province.signer(agreement.provider)
    )
