"""What a hub's and a portal's YAML file may say, read once and refused whole when something is wrong.

Relative paths (also a relative SQLite path) are meant from the folder of the file itself. An unknown key is an
error, as it is most often a misspelt one.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import yaml

from huodang.exchange import DropSettings, LotRules
from huodang.exchange.cascade import CascadeSettings, Neighbour
from huodang.standards import HuodangError, Place

T = TypeVar("T")


class SettingsError(HuodangError):
    """A settings file can't be used; the place names the file and the key."""

    code: ClassVar[str] = "web.settings"


@dataclass(frozen=True)
class Listen:
    """Where a process listens; `certificate` and `key` turn HTTPS on."""

    host: str = "127.0.0.1"
    port: int = 8800
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True)
class FerryFolders:
    """The folders of the ferry (网闸), and whose key stands on the other side."""

    inward: Path
    outward: Path
    refused: Path
    portal: str = "portal"
    hub: str = "hub"


@dataclass(frozen=True)
class SessionRules:
    """How long a session lives, whether its cookie asks for HTTPS, and how much one may ask (0: no limit)."""

    idle_minutes: int = 30
    absolute_hours: int = 8
    secure_cookies: bool = False
    sign_in_per_minute: int = 60
    requests_per_minute: int = 600


@dataclass(frozen=True)
class EventRules:
    """Whether this hub takes the departments' events, and after how many failures a handler's event is given up."""

    subscribe: bool = True
    max_attempts: int = 8


@dataclass(frozen=True)
class HubSettings:
    """One hub.yaml."""

    file: Path
    holder: str
    province: str
    region: str
    database: str
    keys: Path
    trust: Path
    tls_authority: Path
    tls_certificate: Path
    tls_key: Path
    volumes: Path
    agreements: Path
    secrets: Path
    ferry: FerryFolders
    gateways: Mapping[str, Sequence[str]]
    listen: Listen = field(default_factory=Listen)
    sessions: SessionRules = field(default_factory=SessionRules)
    events: EventRules = field(default_factory=EventRules)
    files: DropSettings | None = None
    lots: LotRules = field(default_factory=LotRules)
    cascade: CascadeSettings | None = None
    worker_threads: int = 2
    seal_every_milliseconds: int = 200
    mandatory_sharing: Path | None = None
    sharing_terms: Path | None = None
    monitoring_networks: tuple[str, ...] = ()
    clock_offset_file: Path | None = None

    @classmethod
    def load(cls, file: Path) -> "HubSettings":
        """Read a hub.yaml.

        Raises:
            SettingsError: the file is absent, isn't YAML, misses a key or has one too many.
        """
        reader = _Reader.of_file(file)
        tls = reader.section("tls")
        ferry = reader.section("ferry")
        settings = cls(
            file=file,
            holder=reader.text("holder", "hub"),
            province=reader.text("province"),
            region=reader.text("region", "130000"),
            database=_database_url(reader.text("database"), file.parent),
            keys=reader.path("keys"),
            trust=reader.path("trust"),
            tls_authority=tls.path("authority"),
            tls_certificate=tls.path("certificate"),
            tls_key=tls.path("key"),
            volumes=reader.path("volumes"),
            agreements=reader.path("agreements", "agreements"),
            secrets=reader.path("secrets"),
            ferry=_ferry(ferry),
            gateways=reader.addresses("gateways"),
            listen=_listen(reader.section("listen", optional=True), 8800),
            sessions=_sessions(reader.section("sessions", optional=True), api=True),
            events=_events(reader.section("events", optional=True)),
            files=_files(reader.section("files", optional=True)),
            lots=_lots(reader.section("lots", optional=True)),
            cascade=_cascade(reader.section("cascade", optional=True)),
            worker_threads=reader.number("worker_threads", 2),
            seal_every_milliseconds=reader.number("seal_every_milliseconds", 200),
            mandatory_sharing=reader.optional_path("mandatory_sharing"),
            sharing_terms=reader.optional_path("sharing_terms"),
            monitoring_networks=reader.networks("monitoring_networks"),
            clock_offset_file=reader.optional_path("clock_offset_file"),
        )
        tls.finish()
        reader.finish()
        return settings


@dataclass(frozen=True)
class PortalSettings:
    """One portal.yaml: no database and no data, only keys, the ferry and where to listen."""

    file: Path
    holder: str
    keys: Path
    trust: Path
    ferry: FerryFolders
    listen: Listen = field(default_factory=lambda: Listen(port=8900))
    sessions: SessionRules = field(default_factory=SessionRules)
    answer_within_seconds: int = 60
    clock_offset_file: Path | None = None

    @classmethod
    def load(cls, file: Path) -> "PortalSettings":
        """Read a portal.yaml.

        Raises:
            SettingsError: the file is absent, isn't YAML, misses a key or has one too many.
        """
        reader = _Reader.of_file(file)
        settings = cls(
            file=file,
            holder=reader.text("holder", "portal"),
            keys=reader.path("keys"),
            trust=reader.path("trust"),
            ferry=_ferry(reader.section("ferry")),
            listen=_listen(reader.section("listen", optional=True), 8900),
            sessions=_sessions(reader.section("sessions", optional=True)),
            answer_within_seconds=reader.number("answer_within_seconds", 60),
            clock_offset_file=reader.optional_path("clock_offset_file"),
        )
        reader.finish()
        return settings


def _ferry(reader: "_Reader") -> FerryFolders:
    folders = FerryFolders(
        inward=reader.path("inward"),
        outward=reader.path("outward"),
        refused=reader.path("refused"),
        portal=reader.text("portal", "portal"),
        hub=reader.text("hub", "hub"),
    )
    reader.finish()
    return folders


def _listen(reader: "_Reader", port: int) -> Listen:
    listen = Listen(
        host=reader.text("host", "127.0.0.1"),
        port=reader.number("port", port),
        certificate=reader.optional_path("certificate"),
        key=reader.optional_path("key"),
    )
    reader.finish()
    return listen


def _sessions(reader: "_Reader", *, api: bool = False) -> SessionRules:
    rules = SessionRules(
        idle_minutes=reader.number("idle_minutes", 30),
        absolute_hours=reader.number("absolute_hours", 8),
        secure_cookies=reader.flag("secure_cookies", default=False),
        sign_in_per_minute=reader.number("sign_in_per_minute", 60),
        requests_per_minute=reader.number("requests_per_minute", 600, least=0) if api else 0,
    )
    reader.finish()
    return rules


def _files(reader: "_Reader") -> DropSettings | None:
    """Where deliveries of files come in; None where a hub takes none."""
    root = reader.optional_path("folder")
    settings = None
    if root is not None:
        settings = replace(
            DropSettings.under(root, reader.path("mappings", "mappings")),
            settle=timedelta(seconds=reader.number("settle_seconds", 5)),
            patience=timedelta(hours=reader.number("patience_hours", 24)),
            keep_taken=timedelta(days=reader.number("keep_taken_days", 30)),
        )
    reader.finish()
    return settings


def _lots(reader: "_Reader") -> LotRules:
    """When this hub pulls the tables that agreements let it have."""
    rules = LotRules(
        pull=reader.flag("pull", default=True),
        from_hour=reader.number("from_hour", 1),
        realtime_minutes=reader.number("realtime_minutes", 15),
    )
    reader.finish()
    return rules


def _cascade(reader: "_Reader") -> CascadeSettings | None:
    """The hubs above and below; None where a hub knows none."""
    upper = reader.section("upper", optional=True)
    settings = CascadeSettings(
        upper=_neighbour(upper, upper=True) if upper.given else None,
        lower=tuple(_neighbour(one, upper=False) for one in reader.sections("lower")),
        host=reader.text("host", CascadeSettings.host),
        port=reader.number("port", CascadeSettings.port),
        longest_path=reader.number("longest_path", CascadeSettings.longest_path),
        refresh_seconds=reader.number("refresh_seconds", CascadeSettings.refresh_seconds),
    )
    reader.finish()
    return settings if settings.neighbours else None


def _neighbour(reader: "_Reader", *, upper: bool) -> Neighbour:
    neighbour = Neighbour(
        holder=reader.text("holder"),
        url=reader.text("url"),
        trust=reader.path("trust"),
        authority=reader.path("authority"),
        upper=upper,
    )
    reader.finish()
    return neighbour


def _events(reader: "_Reader") -> EventRules:
    rules = EventRules(
        subscribe=reader.flag("subscribe", default=True),
        max_attempts=reader.number("max_attempts", 8),
    )
    reader.finish()
    return rules


def _database_url(url: str, folder: Path) -> str:
    """Anchor `sqlite:///hub.db` at the settings file's folder; any other URL stays as it is."""
    relative = url.removeprefix("sqlite:///")
    if relative == url or relative.startswith("/"):
        return url
    return f"sqlite:///{(folder / relative).resolve()}"


class _Reader:
    """Takes keys out of one YAML mapping, typed, and complains about what is left over."""

    def __init__(self, values: Mapping[str, Any], file: Path, prefix: str = "") -> None:
        self._values = dict(values)
        self._file = file
        self._prefix = prefix

    @classmethod
    def of_file(cls, file: Path) -> "_Reader":
        try:
            values = yaml.safe_load(file.read_text("utf-8"))
        except FileNotFoundError as error:
            raise SettingsError(
                "找不到设置文件", "The settings file isn't there", place=Place(file=str(file))
            ) from error
        except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
            raise SettingsError(
                "设置文件不是 UTF-8 的 YAML",
                "The settings file isn't YAML in UTF-8",
                place=Place(file=str(file)),
            ) from error
        if not isinstance(values, dict):
            raise SettingsError(
                "设置文件须是键值表", "The settings file must be a mapping", place=Place(file=str(file))
            )
        return cls(values, file)

    def section(self, key: str, *, optional: bool = False) -> "_Reader":
        return _Reader(self._take(key, dict, {} if optional else None), self._file, f"{self._prefix}{key}.")

    @property
    def given(self) -> bool:
        return bool(self._values)

    def sections(self, key: str) -> "list[_Reader]":
        values: list[Any] = self._take(key, list, [])
        if not all(isinstance(one, dict) for one in values):
            raise self._wrong(key, "须是键值表的列表", "must list mappings")
        return [_Reader(one, self._file, f"{self._prefix}{key}.") for one in values]

    def text(self, key: str, default: str | None = None) -> str:
        return self._take(key, str, default)

    def number(self, key: str, default: int, *, least: int = 1) -> int:
        value = self._take(key, int, default)
        if isinstance(value, bool) or value < least:
            raise self._wrong(key, f"须是不小于 {least} 的整数", f"must be a whole number, {least} or more")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        return self._take(key, bool, default)

    def path(self, key: str, default: str | None = None) -> Path:
        return (self._file.parent / self.text(key, default)).resolve()

    def optional_path(self, key: str) -> Path | None:
        return self.path(key) if key in self._values else None

    def addresses(self, key: str) -> dict[str, tuple[str, ...]]:
        """Read names with an address, or a list of addresses, each."""
        values: dict[Any, Any] = self._take(key, dict, None)
        listed = {name: value if isinstance(value, list) else [value] for name, value in values.items()}
        for name, value in listed.items():
            if not isinstance(name, str) or not value or not all(isinstance(one, str) for one in value):
                raise self._wrong(
                    key, "须是名称到地址（或地址列表）的表", "must map names to an address or a list of them"
                )
        return {name: tuple(value) for name, value in listed.items()}

    def networks(self, key: str) -> tuple[str, ...]:
        values: list[Any] = self._take(key, list, [])
        try:
            return tuple(str(ipaddress.ip_network(str(one))) for one in values)
        except ValueError:
            raise self._wrong(
                key, "须是网段列表，例如 10.1.0.0/24", "must list networks, such as 10.1.0.0/24"
            ) from None

    def finish(self) -> None:
        for key in self._values:
            raise self._wrong(key, "没有这个设置项", "is no setting")

    def _take(self, key: str, kind: type[T], default: T | None) -> T:
        value = self._values.pop(key, default)
        if value is None:
            raise self._wrong(key, "缺少这个设置项", "is missing")
        if not isinstance(value, kind):
            raise self._wrong(key, "类型不对", "has the wrong type")
        return value

    def _wrong(self, key: str, chinese: str, english: str) -> SettingsError:
        name = f"{self._prefix}{key}"
        return SettingsError(
            f"设置项 {name} {chinese}",
            f"Setting {name} {english}",
            advice_chinese="各设置项见 docs/administrator.md",
            advice_english="docs/administrator.md lists the settings",
            place=Place(file=str(self._file), element=name),
        )
