"""From a row in the health department's own database to a held payment, over a real gateway."""

from pathlib import Path

from supervision_gateway import drain, health_events, wait_until
from supervision_watch import identity_of, make_hub

from huodang.exchange import Actor
from huodang.standards import Month
from huodang.store import Database, FixedClock
from huodang.supervision.clues import ClueState

REVIEWER = Actor("fuhe1", "复核", "reviewer", "social_insurance", "130000")


def test_a_certificate_written_at_the_hospital_holds_the_payment_and_its_annulment_lets_it_go(
    database: Database, tmp_path: Path, clock: FixedClock
) -> None:
    with health_events(tmp_path / "root", database, clock) as (register, office, sealer):
        hub = make_hub(database, tmp_path, clock, office, sealer)
        hub.load({1: 312_345, 2: 250_000}, Month(2025, 2))
        register.certify("C1", identity_of(1), "20250120")

        def state_is(wanted: str) -> bool:
            drain(office)
            return hub.state(1) == wanted

        wait_until(lambda: state_is("held"))
        assert hub.state(2) == "paying"
        [row] = hub.clues.queue(REVIEWER)
        view = hub.clues.view(REVIEWER, row.clue_id)
        assert view.stakes[0].fen == 312_345
        [evidence] = hub.clues.evidence(REVIEWER, row.clue_id)
        assert evidence.digest
        assert office.dead_letters() == []
        register.annul("C1")
        wait_until(lambda: state_is("paying"))
        with database.read() as connection:
            assert hub.clues.load(connection, row.clue_id).state == ClueState.REFUTED
