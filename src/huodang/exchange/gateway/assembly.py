"""Assembling a gateway from its file: every resource is understood and held against what is really there."""

import ipaddress
from collections.abc import Mapping

import sqlalchemy as sa

from huodang.exchange.gateway.actions import ActionResource, check_action, compile_action
from huodang.exchange.gateway.admission import Resource
from huodang.exchange.gateway.config import GatewayFile, config_error, fill_variables
from huodang.exchange.gateway.database_source import SUPPORTED, DatabaseSource
from huodang.exchange.gateway.file_source import ENCODINGS, FileSource
from huodang.exchange.gateway.lists import ListResource, check_list, compile_list
from huodang.exchange.gateway.mapping import CheckResource, check_columns, columns_of, compile_check, unmapped_codes
from huodang.exchange.gateway.sources import Source
from huodang.standards import Place


def check_listening(file: GatewayFile) -> None:
    """Refuse to answer in the clear to anyone but this machine.

    Raises:
        GatewayConfigError: `tls` is absent and the address isn't loopback.
    """
    host = file.spec.listen.host
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if file.spec.tls is None and not loopback:
        raise config_error(
            "没有 tls 时只能监听本机地址", "without `tls` only loopback is listened on", Place(file=str(file.path))
        )


def open_source(file: GatewayFile, environment: Mapping[str, str]) -> DatabaseSource | FileSource:
    """Open the source that a gateway's file names.

    Raises:
        GatewayConfigError: the URL can't be read, its kind isn't supported, or the folder isn't there.
    """
    place = Place(file=str(file.path), element="source")
    spec = file.spec.source
    if (spec.url is None) is (spec.files is None):
        raise config_error("source 应为 url 或 files 之一", "`source` is either url or files", place)
    if spec.files is not None:
        folder = file.beside(spec.files.folder)
        if not folder.is_dir():
            raise config_error("文件夹不存在", "there is no such folder", Place(file=str(folder)).within(place))
        if spec.files.encoding not in ENCODINGS:
            raise config_error("encoding 应为 gb18030、utf-8 或 auto", "`encoding` is gb18030, utf-8 or auto", place)
        return FileSource(folder, encoding=spec.files.encoding, delimiter=spec.files.delimiter)
    try:
        url = sa.make_url(fill_variables(spec.url or "", environment, place))
    except (sa.exc.ArgumentError, ValueError):
        raise config_error("数据库地址无法识别", "this is no database URL", place) from None
    if url.get_backend_name() not in SUPPORTED:
        raise config_error(
            f"不支持的数据库类型 {url.get_backend_name()}",
            f"databases of the kind {url.get_backend_name()} aren't supported",
            place,
        )
    if url.get_backend_name() == "sqlite":
        path = file.beside(url.database or "")
        if not path.is_file():
            raise config_error(
                "数据库文件不存在", "there is no such database file", Place(file=str(path)).within(place)
            )
        url = url.set(database=str(path))
    return DatabaseSource(url)


def compile_resources(file: GatewayFile) -> dict[str, Resource]:
    """Understand all resources and actions of a file.

    Raises:
        GatewayConfigError: one is wrong, or two have one name, or an action stands before files.
    """
    place = Place(file=str(file.path))
    if (file.spec.actions or file.spec.lists) and file.spec.source.files is not None:
        raise config_error("文件来源不能办理业务或提供名单", "files can't take actions or give lists", place)
    compiled: list[Resource] = [compile_check(one, file) for one in file.spec.resources]
    compiled += [compile_action(one, file) for one in file.spec.actions]
    compiled += [compile_list(one, file) for one in file.spec.lists]
    resources = {one.name: one for one in compiled}
    if len(resources) != len(compiled) or not (compiled or file.spec.events or file.spec.tables or file.spec.matches):
        raise config_error("资源为空或重名", "there is no resource, or two have one name", place)
    for name in resources:
        if not name.startswith(f"{file.spec.department}."):
            raise config_error(
                "资源名应以部门代码开头",
                "a resource's name starts with the department",
                Place(element=name).within(place),
            )
    return resources


def check_resources(resources: Mapping[str, Resource], source: Source, file: GatewayFile) -> tuple[str, ...]:
    """Hold every resource against the source; give warnings about codes without crosswalk.

    Raises:
        GatewayConfigError: a table or column isn't there.
        SourceError: the source can't be read.
    """
    warnings: list[str] = []
    for one in resources.values():
        if isinstance(one, CheckResource):
            place = Place(file=str(file.path), element=one.name)
            check_columns(one.selection.table, columns_of(one), source, place)
            warnings += unmapped_codes(one, source)
        elif isinstance(one, ListResource) and isinstance(source, DatabaseSource):
            check_list(one, source, Place(file=str(file.path), element=one.name))
        elif isinstance(one, ActionResource) and isinstance(source, DatabaseSource):
            check_action(one, source, file)
    return tuple(warnings)
