"""Files as a part of the gateway: what the department's own system lays down is packed, signed and laid out.

A file is packed in a folder of the gateway's own, then its source is put away, then the delivery is laid out. Killed in
between, the next look goes on from what is there, and no file is packed twice.
"""

import shutil
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog
from litestar.types import ControllerRouterHandler

from huodang.exchange.files.config import FilesSection, WatchSpec
from huodang.exchange.files.errors import ManifestError
from huodang.exchange.files.manifest import FileState, manifest_bytes, read_manifest, state_of
from huodang.exchange.files.packing import PackOrder, companions_of, pack
from huodang.exchange.gateway.config import config_error
from huodang.exchange.gateway.service import Gateway
from huodang.exchange.values import Agreement, Kind, new_identifier
from huodang.standards import HuodangError, Place

_READY: Final = ".ready"
_DONE: Final = "已打包"
_REFUSED: Final = "打包失败"
_log: Final = structlog.get_logger("huodang.exchange.files")


class FilesPart:
    """The files of one gateway.

    Args:
        gateway: whose keys and agreements count.
        raw: the section `files:` of the gateway's file.

    Raises:
        GatewayConfigError: the section isn't shaped as it must be, a folder isn't there, or a resource isn't this
            department's.
    """

    def __init__(self, gateway: Gateway, raw: dict[str, Any]) -> None:
        section = _understood(raw, gateway)
        self._gateway = gateway
        self._section = section
        self._out = gateway.file.beside(section.out)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        place = Place(file=str(gateway.file.path), element="files")
        names = [one.resource for one in section.deliver]
        if len(set(names)) != len(names):
            raise config_error("资源重名", "two resources have one name", place)
        for one in section.deliver:
            if not one.resource.startswith(f"{gateway.department}."):
                raise config_error("资源名应以部门代码开头", "a resource's name starts with the department", place)
            if not gateway.file.beside(one.folder).is_dir():
                raise config_error("文件夹不存在", "there is no such folder", Place(element=one.resource).within(place))
        if not self._out.is_dir():
            raise config_error("out 文件夹不存在", "the folder `out` isn't there", place)

    def routes(self) -> Sequence[ControllerRouterHandler]:
        """Give none: files are carried, not asked for."""
        return ()

    def offers(self) -> Sequence[dict[str, Any]]:
        """Tell what is delivered, under which agreements."""
        offered: list[dict[str, Any]] = []
        for one in self._section.deliver:
            agreement = self._agreement(one.resource)
            agreements = [agreement.agreement_id] if agreement else []
            offered.append(
                {
                    "resource": one.resource,
                    "kind": Kind.FILE.value,
                    "agreements": agreements,
                    "ready": agreement is not None,
                }
            )
        return offered

    def start(self) -> None:
        """Begin looking into the folders."""
        self._thread = threading.Thread(target=self._watch, name="files", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End looking; a file being packed is packed to its end first."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def work(self) -> list[Path]:
        """Look into every folder once; give the deliveries laid out."""
        laid: list[Path] = []
        for one in self._section.deliver:
            folder = self._gateway.file.beside(one.folder)
            laid += self._go_on(folder)
            agreement = self._agreement(one.resource)
            if agreement is None:
                continue
            for path in sorted(folder.glob(one.files)):
                if self._stopping.is_set() or not _is_settled(path, one):
                    continue
                laid += self._deliver(path, one, agreement, folder)
        return laid

    def _deliver(self, path: Path, spec: WatchSpec, agreement: Agreement, folder: Path) -> list[Path]:
        now = self._gateway.clock.now()
        order = PackOrder(
            resource=spec.resource,
            agreement_id=agreement.agreement_id,
            agreement_version=agreement.version,
            sequence=None,
            as_of=now,
            content=spec.content,
        )
        ready = folder / _READY / f"{spec.resource}-{new_identifier('d', now)}"
        keys = self._gateway.file.beside(self._gateway.file.spec.keys)
        try:
            pack([path], order, self._gateway.signer, ready, now, sequences=keys, file_format=spec.format)
        except HuodangError as problem:
            _log.error("files.pack", resource=spec.resource, code=problem.code)
            _put_aside(path, folder / _REFUSED)
            (folder / _REFUSED / f"{path.name}.原因.txt").write_text(
                f"{problem.sentence('zh')}\n{problem.sentence('en')}\n", encoding="utf-8-sig"
            )
            return []
        return self._go_on(folder)

    def _go_on(self, folder: Path) -> list[Path]:
        """Put the sources of packed deliveries away and lay the deliveries out."""
        laid: list[Path] = []
        for ready in sorted((folder / _READY).glob("[!.]*")):
            try:
                manifest = read_manifest(manifest_bytes(ready), None).manifest
            except ManifestError:
                continue
            for line in manifest.files:
                # A file of the same name that is another one came since: it is a delivery of its own.
                if state_of(folder, line) is FileState.RIGHT:
                    _put_aside(folder / line.name, folder / _DONE)
            target = self._out / ready.name
            _carry(ready, target)
            _log.info("files.laid_out", resource=manifest.resource, sequence=manifest.sequence)
            laid.append(target)
        return laid

    def _agreement(self, resource: str) -> Agreement | None:
        in_force = self._gateway.shelf.contents().in_force(resource, self._gateway.clock.today())
        of_files = [one for one in in_force if one.kind is Kind.FILE]
        return max(of_files, key=lambda one: one.version, default=None)

    def _watch(self) -> None:
        while not self._stopping.wait(self._section.every_seconds):
            try:
                self.work()
            except (HuodangError, OSError) as problem:
                # A share may be away, a disk full: the next look goes on.
                code = problem.code if isinstance(problem, HuodangError) else type(problem).__name__
                _log.error("files.watch", code=code)


def _understood(raw: dict[str, Any], gateway: Gateway) -> FilesSection:
    try:
        return msgspec.convert(raw, FilesSection)
    except msgspec.ValidationError as problem:
        raise config_error(
            f"files 一节不符合格式：{problem}",
            f"the section `files` isn't shaped as it must be: {problem}",
            Place(file=str(gateway.file.path), element="files"),
        ) from None


def _is_settled(path: Path, spec: WatchSpec) -> bool:
    if path.name.startswith(".") or path.is_symlink() or not path.is_file():
        return False
    if path.suffix.lower() in (".fpt", ".dbt", ".part", ".tmp", ".filepart"):
        return False  # a memo file goes with its table
    newest = max(one.stat().st_mtime for one in (path, *companions_of(path)))
    return time.time() - newest >= spec.settle_seconds


def _put_aside(path: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    target = folder / path.name
    if target.exists():
        target = folder / f"{path.stem}-{int(time.time() * 1000)}{path.suffix}"
    path.rename(target)


def _carry(ready: Path, target: Path) -> None:
    """Lay a delivery out; on another file system it appears under its name when it is complete."""
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    if not target.exists():
        shutil.copytree(ready, part)
        part.rename(target)
    shutil.rmtree(ready)
