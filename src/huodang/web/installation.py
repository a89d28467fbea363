"""Before a hub serves anybody: the first accounts, and citizens' access codes made in bulk by whoever installs it."""

from collections.abc import Iterable

from huodang.standards import IdentityNumber
from huodang.store import Database, SystemClock
from huodang.trust import FieldSealer
from huodang.web.accounts import INSTALLATION, Accounts, NewAccount
from huodang.web.citizens import CitizenDoor
from huodang.web.settings import HubSettings


def install_accounts(settings: HubSettings, accounts: Iterable[NewAccount]) -> None:
    """Make accounts that may sign in at once: the three administrators of a new hub, or a demonstration's users.

    Raises:
        BadValue: a field is empty, too long or of no known kind, or an account exists. Those before it are made.
        WeakPasswordError: a password is too simple.
    """
    database = _open(settings)
    try:
        made = Accounts(database, SystemClock(), settings.sessions)
        for account in accounts:
            made.install(account)
    finally:
        database.close()


def issue_access_code(settings: HubSettings, identity_number: str, by: str = INSTALLATION) -> str:
    """Make a citizen's access code for the portal; an older one stops working.

    Raises:
        BadValue: the identity number can't be.
    """
    return issue_access_codes(settings, [identity_number], by)[0]


def issue_access_codes(settings: HubSettings, identity_numbers: Iterable[str], by: str = INSTALLATION) -> list[str]:
    """Make access codes for several people, in their order.

    Raises:
        BadValue: an identity number can't be. Codes before it are made.
    """
    database = _open(settings)
    sealer = FieldSealer(settings.secrets)
    try:
        door = CitizenDoor(database, SystemClock(), settings.sessions)
        return [
            door.issue_code(sealer.blind_index("identity_number", IdentityNumber.parse(number).text), by=by)
            for number in identity_numbers
        ]
    finally:
        database.close()


def _open(settings: HubSettings) -> Database:
    database = Database.open(settings.database)
    database.migrate()
    return database
