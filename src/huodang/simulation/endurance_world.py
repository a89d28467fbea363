"""What a deployment under fire has beside the joint case: a table that is delivered in lots (批次)."""

from datetime import date
from typing import Any, Final

import yaml

from huodang.exchange import AGREEMENT, Agreement, Kind
from huodang.simulation.world import CONSUMER, World
from huodang.trust import Provisioner, Signer, cosign_envelope, sign_envelope

PROVIDER: Final = "police"
TABLE: Final = "police.household_table"
FIELDS: Final = ("person_id", "identity_number", "name", "household_region")
_DELIVERED: Final[dict[str, Any]] = {
    "resource": TABLE,
    "table": "T_CZRK_JBXX",
    "key": "person_id",
    "elements": {"person_id": "RYBH", "identity_number": "GMSFHM", "name": "XM", "household_region": "HKSZD"},
    "cursor": {"column": "GXSJ", "format": "yyyymmddhhmmss"},
    "page_rows": 500,
}


def deliver_table(world: World, today: date) -> Agreement:
    """Have the police's gateway deliver its register, under an agreement of its own; before the processes start."""
    agreement = Agreement(
        agreement_id="XY-police-household_table",
        provider=PROVIDER,
        consumer=CONSUMER,
        resource=TABLE,
        kind=Kind.TABLE,
        purposes=("supervision",),
        legal_basis="社会保险经办条例第八条",
        elements=FIELDS,
        fields=FIELDS,
        valid_from=date(today.year, 1, 1),
    )
    keys = Provisioner(world.root)
    envelope = sign_envelope(AGREEMENT, agreement.to_payload(), Signer.load(keys.keys_folder(PROVIDER), PROVIDER))
    envelope = cosign_envelope(envelope, Signer.load(keys.keys_folder(CONSUMER), CONSUMER))
    for folder in (world.folder(PROVIDER) / "agreements", world.agreements):
        (folder / f"{TABLE}.json").write_text(envelope.to_json(), encoding="utf-8")
    file = world.settings_file(PROVIDER)
    section = yaml.safe_dump({"tables": {"deliver": [_DELIVERED]}}, allow_unicode=True, sort_keys=False)
    file.write_text(f"{file.read_text('utf-8')}\n{section}", encoding="utf-8")
    return agreement
