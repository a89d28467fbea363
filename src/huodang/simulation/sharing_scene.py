"""What stewards find on a new morning: a demand under review, another to be answered, a correction to acknowledge."""

from collections.abc import Sequence
from datetime import date, timedelta

from huodang.simulation.client import Account, Desk, connections
from huodang.simulation.people import Person

_LAW = "社会保险经办条例第八条"


def open_sharing_matters(address: str, accounts: Sequence[Account], person: Person, today: date) -> int:
    """Raise matters of sharing and leave them to whoever looks at the pages; not part of the figures.

    Args:
        address: of the hub.
        accounts: with a steward for each department, and correctors.
        person: somebody whom police were asked about.
        today: the business date.

    Returns:
        How many matters now wait for a person.
    """
    http = connections()
    desks = {(one.department, one.role): Desk(http, address, one) for one in accounts}
    police, health = desks["police", "steward"], desks["health", "steward"]
    deaths = _terms("police", "health.death_table", "table", ("identity_number", "death_date"), today)
    police.post("/api/v1/demands", {"terms": deaths, "note": "核对死亡注销"})
    moves = _terms("medical_insurance", "health.death_registered", "event", ("identity_number", "death_date"), today)
    raised = desks["medical_insurance", "steward"].post("/api/v1/demands", {"terms": moves, "note": "及时停保"})
    health.post(f"/api/v1/demands/{raised['demand_id']}/events", {"event": "accept"})
    announcement = {
        "resource": "police.household",
        "identity_number": person.number,
        "element": "household_region",
        "received": person.household_region,
        "corrected": "130104",
        "in_force_from": today.isoformat(),
        "note": "户籍民警核对后更正",
    }
    desks["police", "corrector"].post("/api/v1/corrections/announcements", announcement)
    return 3


def _terms(consumer: str, resource: str, kind: str, fields: tuple[str, ...], today: date) -> dict[str, object]:
    return {
        "consumer": consumer,
        "provider": resource.partition(".")[0],
        "resource": resource,
        "kind": kind,
        "purposes": ["supervision"],
        "legal_basis": _LAW,
        "frequency": "daily",
        "valid_from": today.isoformat(),
        "valid_to": (today + timedelta(days=365)).isoformat(),
        "elements": list(fields),
        "fields": list(fields),
    }
