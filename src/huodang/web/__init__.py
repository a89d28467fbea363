"""The web: the hub's API and workbench, and the citizen's portal. Thin: no rule lives here.

Front door: `HubSettings` and `PortalSettings` read the YAML files, `serve_hub` and `serve_portal` run the processes;
`assemble`, `build_hub` and `build_portal` are their parts; `install_accounts` and `issue_access_code` prepare a new
hub.
"""

from huodang.web.accounts import Accounts, NewAccount, User
from huodang.web.api_docs import write_api_docs
from huodang.web.assembly import assemble
from huodang.web.citizens import CitizenDoor
from huodang.web.hub import build_hub
from huodang.web.installation import install_accounts, issue_access_code, issue_access_codes
from huodang.web.portal import build_portal
from huodang.web.roles import Role
from huodang.web.servers import hub_desk, portal_line, serve_hub, serve_portal, serve_worker
from huodang.web.services import Services
from huodang.web.settings import HubSettings, PortalSettings, SettingsError

__all__ = [
    "Accounts",
    "CitizenDoor",
    "HubSettings",
    "NewAccount",
    "PortalSettings",
    "Role",
    "Services",
    "SettingsError",
    "User",
    "assemble",
    "build_hub",
    "build_portal",
    "hub_desk",
    "install_accounts",
    "issue_access_code",
    "issue_access_codes",
    "portal_line",
    "serve_hub",
    "serve_portal",
    "serve_worker",
    "write_api_docs",
]
