"""The one place where the rooms of a hub are put together: settings in, services out."""

from datetime import timedelta

from huodang.archive import PaymentRecords, Volumes
from huodang.exchange import (
    Catalogue,
    DropDesk,
    EventOffice,
    Exchange,
    GatewayDirectory,
    Looks,
    LotHub,
    LotOffice,
    Lots,
)
from huodang.exchange.cascade import Cascade, neighbour_keys
from huodang.exchange.catalogue import read_mandatory_list
from huodang.exchange.matching import Matches
from huodang.exchange.sharing import build_sharing
from huodang.ledger import Ledger
from huodang.retirement import RetirementOffice, RetirementSettings
from huodang.store import Clock, Database, OffsetClock, SystemClock, Worker, serialise
from huodang.supervision.services import build_supervision
from huodang.trust import FieldSealer, Signer, TlsPair, TrustedKeys
from huodang.web.accounts import Accounts
from huodang.web.citizens import CitizenDoor
from huodang.web.idempotency import KeptAnswers
from huodang.web.services import Services
from huodang.web.settings import HubSettings

# A batch may take twice as long as the slowest department may answer; then what a killed hub held is taken up again.
_LEASE = timedelta(seconds=45)
# The suites of the ledger's twin trees.
_SUITES = ("national", "international")


def assemble(settings: HubSettings) -> Services:
    """Open database and keys, migrate, take in the agreements, and wire every service.

    Raises:
        HuodangError: a key, certificate or agreement is missing or wrong, or the database is of a newer release.
    """
    clock: Clock = OffsetClock(settings.clock_offset_file) if settings.clock_offset_file else SystemClock()
    database = Database.open(settings.database)
    database.migrate()
    signers = tuple(Signer.load(settings.keys, settings.holder, suite) for suite in _SUITES)
    trusted = TrustedKeys.load(settings.trust)
    neighbours = TrustedKeys()
    if settings.cascade is not None:
        neighbours = neighbour_keys(settings.cascade.neighbours, trusted, settings.holder)
        for key in neighbours:
            trusted.add(key)  # agreements with neighbours carry their signature
    sealer = FieldSealer(settings.secrets)
    ledger = Ledger(database, signers, f"{settings.province}.huodang/{settings.holder}", clock)
    pair = TlsPair(certificate=settings.tls_certificate, key=settings.tls_key, authority=settings.tls_authority)
    tls = pair.client_context()
    directory = GatewayDirectory.of_urls(settings.gateways, tls)
    exchange = Exchange(database, ledger, signers[0], trusted, directory, sealer, clock)
    if settings.agreements.is_dir():
        with database.begin() as connection:
            serialise(connection, "huodang.agreements")  # several nodes may start on one folder at once
            exchange.agreements.take_folder(connection, settings.agreements)
    mandatory = read_mandatory_list(settings.mandatory_sharing) if settings.mandatory_sharing else None
    looks = Looks(database, ledger, clock)
    lots = Lots(database, ledger, signers[0], trusted, sealer, looks, clock)
    hub = LotHub(database, ledger, signers[0], trusted, sealer, looks, directory, exchange.agreements, clock)
    lot_office = LotOffice(hub, lots, settings.lots)
    events = EventOffice(
        database,
        exchange.agreements,
        ledger,
        signers,
        trusted,
        directory=directory,
        sealer=sealer,
        clock=clock,
        max_attempts=settings.events.max_attempts,
    )
    files = None
    if settings.files is not None:
        files = DropDesk(
            settings.files,
            database=database,
            lots=lots,
            agreements=exchange.agreements,
            ledger=ledger,
            trusted=trusted,
            clock=clock,
        )
    volumes = Volumes(database, sealer, ledger, clock, settings.volumes)
    payments = PaymentRecords(database, ledger, sealer, clock)
    office = RetirementOffice(
        database,
        exchange,
        ledger,
        volumes,
        payments,
        sealer,
        looks,
        clock,
        RetirementSettings(province=settings.province, region=settings.region),
    )
    supervision = build_supervision(
        database,
        ledger=ledger,
        sealer=sealer,
        looks=looks,
        clock=clock,
        signer=signers[0],
        payments=payments,
        events=events,
        region=settings.region,
    )
    catalogue = Catalogue(clock, ledger, mandatory=mandatory)
    shared = build_sharing(
        database,
        agreements=exchange.agreements,
        catalogue=catalogue,
        ledger=ledger,
        signer=signers[0],
        trusted=trusted,
        directory=directory,
        sealer=sealer,
        looks=looks,
        clock=clock,
        forget_answers=exchange.forget_answers,
        terms=settings.sharing_terms,
    )
    cascade = None
    if settings.cascade is not None:
        cascade = Cascade(
            settings.cascade,
            database,
            ledger,
            signers,
            trusted=trusted,
            neighbours=neighbours,
            gateways=settings.gateways,
            tls=pair,
            sealer=sealer,
            catalogue=catalogue,
            events=events,
            sharing=shared.sharing,
            clock=clock,
        )
    # Sessions and lock-outs run by the machine's own clock: a demonstration that walks through days must not end them.
    own_clock = SystemClock()
    return Services(
        settings=settings,
        database=database,
        clock=clock,
        signer=signers[0],
        trusted=trusted,
        sealer=sealer,
        ledger=ledger,
        directory=directory,
        exchange=exchange,
        catalogue=catalogue,
        sharing=shared.sharing,
        corrections=shared.corrections,
        sharing_acts=shared.acts,
        looks=looks,
        events=events,
        matches=Matches(database, ledger, looks, sealer, signers[0], trusted, directory, clock),
        lots=lots,
        lot_office=lot_office,
        cascade=cascade,
        files=files,
        volumes=volumes,
        payments=payments,
        office=office,
        supervision=supervision,
        worker=Worker(
            database,
            {**office.handlers(), **shared.handlers(), **lot_office.handlers(), **supervision.handlers()},
            clock,
            name=settings.holder,
            lease=_LEASE,
        ),
        accounts=Accounts(database, own_clock, settings.sessions),
        citizen_door=CitizenDoor(database, own_clock, settings.sessions),
        kept_answers=KeptAnswers(database, sealer, ledger, own_clock),
    )
