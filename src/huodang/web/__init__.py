"""The web: the hub's API and workbench, and the citizen's portal. Thin: no rule lives here.

Front door: `HubSettings` and `PortalSettings` (YAML files), `Accounts` and `CitizenDoor`, `build_hub` and
`build_portal`.
"""
