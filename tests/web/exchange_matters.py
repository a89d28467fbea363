"""What fills the pages of the exchange in tests: a table agreement with a proven lot, demands, a case to doubt."""

import json
from collections.abc import Sequence
from datetime import date, timedelta

import msgspec
from web_deployment import Deployment, Program, application_of

from huodang.exchange import AGREEMENT, Agreement, Kind, Lot, LotStatement, Put, evidence_of_case, product_catalogue
from huodang.exchange.lots.values import LOT_STATEMENT
from huodang.exchange.quality import QualityReport, RowMarks, bucket_hashes, root_of
from huodang.store import jobs
from huodang.trust import Provisioner, SignedEnvelope, Signer, cosign_envelope, sign_envelope

TABLE = "police.household_table"
FIELDS = ("identity_number", "name", "sex", "birth_date", "household_region")


def signer(deployment: Deployment, department: str) -> Signer:
    """The department's own key."""
    return Signer.load(Provisioner(deployment.world.root).keys_folder(department), department)


def signed(deployment: Deployment, agreement: Agreement) -> SignedEnvelope:
    """The agreement, signed by both sides."""
    envelope = sign_envelope(AGREEMENT, agreement.to_payload(), signer(deployment, agreement.provider))
    return cosign_envelope(envelope, signer(deployment, agreement.consumer))


def table_agreement(agreement_id: str = "XY-household-table") -> Agreement:
    """Police deliver their register by table."""
    return Agreement(
        agreement_id=agreement_id,
        provider="police",
        consumer="social_insurance",
        resource=TABLE,
        kind=Kind.TABLE,
        purposes=("supervision",),
        legal_basis="社会保险经办条例第八条",
        elements=FIELDS,
        fields=FIELDS,
        valid_from=date(2025, 1, 1),
    )


def proven_lot(deployment: Deployment, people: int = 12) -> Lot:
    """A lot of a table, taken and confirmed by both sides, with two rows kept back."""
    services = deployment.services
    agreement = table_agreement()
    with services.database.read() as connection:
        known = services.exchange.agreements.versions(connection, agreement.agreement_id)
    if not known:
        services.sharing.take_agreement(signed(deployment, agreement))
    elif found := services.lots.of_resource(TABLE):
        return found[0]
    marks = RowMarks(services.lots.salt(agreement.agreement_id))
    held = {}
    for person in deployment.population.people[:people]:
        row = {"household_region": "130102", "identity_number": person.number, "name": person.name}
        held[person.number] = json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    puts = [Put(marks.mark(key), text, marks.digest(text), key) for key, text in held.items()]
    hashed = bucket_hashes(sorted((one.mark, one.digest) for one in puts))
    with services.database.begin() as connection:
        lot = services.lots.open(connection, agreement)
    services.lots.stage(lot, 0, puts, digest="d0")
    faults = {"identity_check_digit|identity_number|GMSFHM": 1, "date_impossible|birth_date|CSRQ": 1}
    services.lots.quarantine(lot, faults)
    quality = QualityReport(
        rows=people + 2,
        taken=people,
        quarantined=2,
        by_reason=faults,
        filled=dict.fromkeys(("household_region", "identity_number", "name"), people),
        invalid=2,
        changed=people,
    )
    statement = LotStatement(
        lot="remote-1",
        resource=TABLE,
        agreement_id=agreement.agreement_id,
        agreement_version=1,
        provider="police",
        sent=people,
        pages=1,
        as_of=services.clock.now().replace(microsecond=0),
        rows=people,
        inserted=people,
        quarantined=2,
        buckets={f"{bucket:02x}": value for bucket, value in hashed.items()},
        root=root_of(hashed),
        quality=quality.to_payload(),
    )
    services.lots.close(lot, sign_envelope(LOT_STATEMENT, statement.to_payload(), signer(deployment, "police")))
    taken = services.lots.lot(lot.lot_id)
    envelope = SignedEnvelope.from_json(taken.reconciliation)
    services.lots.confirm(taken, cosign_envelope(envelope, signer(deployment, "police")))
    return services.lots.lot(lot.lot_id)


def asked_person(deployment: Deployment, window: Program) -> tuple[str, str]:
    """Somebody about whom police were asked: the identity number, and the grant by which."""
    person = deployment.person()
    case_id = window.post("/api/v1/cases", application_of(person), 201)["case_id"]
    deployment.settle()
    found = [one for one in evidence_of_case(deployment.services.database, case_id) if one.kind == "verdict"]
    return person.number, next(one.grant_id for one in found if one.resource == "police.household")


def finish_pulls(deployment: Deployment) -> int:
    """Take the pulls that were asked for off the queue; give how many."""
    services = deployment.services
    claimed = jobs.claim(
        services.database,
        ["lots.pull"],
        worker="test",
        limit=10,
        lease=timedelta(seconds=30),
        now=services.clock.now(),
    )
    for job in claimed:
        with services.database.begin() as connection:
            jobs.complete(connection, job)
    return len(claimed)


def match_agreement(department: str) -> Agreement:
    """A department lets a set of its own be matched; police name who is in both."""
    return Agreement(
        agreement_id=f"XY-{department}-match",
        provider=department,
        consumer="social_insurance",
        resource=f"{department}.people_match",
        kind=Kind.MATCH,
        purposes=("supervision",),
        legal_basis="社会保险经办条例第八条",
        elements=("identity_number",),
        fields=("identity_number",) if department == "police" else (),
        valid_from=date(2025, 1, 1),
    )


def agree_on_matches(deployment: Deployment, agreements: Sequence[Agreement]) -> None:
    """Publish what is to be matched, and sign for both sides."""
    services = deployment.services
    for agreement in agreements:
        entry = msgspec.structs.replace(
            product_catalogue()["housing_fund.accounts_match"], resource=agreement.resource, code=""
        )
        with services.database.begin() as connection:
            services.catalogue.publish(connection, entry)
        services.sharing.take_agreement(signed(deployment, agreement))
