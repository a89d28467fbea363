"""What the handlers of the hub work with: every service of one deployment, wired once by `assembly.py`."""

from dataclasses import dataclass

from huodang.store import Clock, Database
from huodang.web.accounts import Accounts
from huodang.web.citizens import CitizenDoor
from huodang.web.settings import HubSettings


@dataclass(frozen=True)
class Services:
    """The services of one hub."""

    settings: HubSettings
    database: Database
    clock: Clock
    accounts: Accounts
    citizen_door: CitizenDoor
