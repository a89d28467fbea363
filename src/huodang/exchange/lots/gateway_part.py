"""Tables as a part of the gateway: opening a lot, its pages, and its close, under `/v1/lots`."""

from collections.abc import Sequence
from typing import Any, Final, TypeVar

import msgspec
from litestar import Response, post
from litestar.exceptions import ClientException
from litestar.params import FromPath, RawBody
from litestar.status_codes import HTTP_200_OK, HTTP_400_BAD_REQUEST
from litestar.types import ControllerRouterHandler

from huodang.exchange.gateway.config import config_error
from huodang.exchange.gateway.database_source import DatabaseSource
from huodang.exchange.gateway.mapping import check_columns
from huodang.exchange.gateway.service import Gateway
from huodang.exchange.lots.config import TablesSection
from huodang.exchange.lots.delivery_store import DeliveryStore
from huodang.exchange.lots.lot_desk import LARGEST_REQUEST, LotDesk
from huodang.exchange.lots.table_source import compile_table
from huodang.exchange.values import Kind
from huodang.standards import Place

_JSON: Final = "application/json"
_Shape = TypeVar("_Shape")


class _Opening(msgspec.Struct, forbid_unknown_fields=True):
    grant: msgspec.Raw
    request: msgspec.Raw


class _Step(msgspec.Struct, forbid_unknown_fields=True):
    request: msgspec.Raw
    reconciliation: msgspec.Raw = msgspec.Raw()


class TablesPart:
    """The tables of one gateway.

    Args:
        gateway: whose source, keys and agreements count.
        section: of the gateway's file.

    Raises:
        GatewayConfigError: an entry doesn't fit the source.
        SourceError: the source can't be read at start-up.
    """

    def __init__(self, gateway: Gateway, section: TablesSection) -> None:
        place = Place(file=str(gateway.file.path), element="tables")
        if not isinstance(gateway.source, DatabaseSource):
            raise config_error("tables 需要数据库来源；文件请用 files", "`tables` needs a database", place)
        self._gateway = gateway
        tables = [compile_table(one, gateway.file) for one in section.deliver]
        self._tables = {one.resource: one for one in tables}
        if len(self._tables) != len(tables) or self._tables.keys() & gateway.resources.keys():
            raise config_error("资源重名", "two resources have one name", place)
        for one in tables:
            columns: dict[str, str | None] = {**one.plan.columns, **dict.fromkeys(one.only)}
            if one.cursor is not None:
                columns.setdefault(one.cursor.column, None)
            check_columns(one.spec.table, columns, gateway.source, Place(element=one.resource).within(place))
        self.store = DeliveryStore(gateway.file.beside(section.database))
        self.desk = LotDesk(gateway, gateway.source, self.store, self._tables)

    def routes(self) -> Sequence[ControllerRouterHandler]:
        """Give the routes of a lot's walk."""
        desk = self.desk
        options: dict[str, Any] = {
            "status_code": HTTP_200_OK,
            "sync_to_thread": True,
            "request_max_body_size": 2 * LARGEST_REQUEST,
        }

        @post("/v1/lots", **options)
        def open_lot(body: RawBody) -> Response[bytes]:
            """Open a lot: `{"grant": envelope, "request": envelope}` in; its name and how far it is out."""
            told = _read(body, _Opening)
            return _answer(desk.open(bytes(told.grant), bytes(told.request)))

        @post("/v1/lots/{lot_id:str}", **options)
        def look(lot_id: FromPath[str], body: RawBody) -> Response[bytes]:
            """Tell how far a lot is."""
            return _answer(desk.look(lot_id, bytes(_read(body, _Step).request)))

        @post("/v1/lots/{lot_id:str}/pages/{number:int}", **options)
        def page(lot_id: FromPath[str], number: FromPath[int], body: RawBody) -> Response[bytes]:
            """Hand over one page."""
            found = desk.page(lot_id, number, bytes(_read(body, _Step).request))
            return _answer(found) if isinstance(found, dict) else Response(found, media_type=_JSON)

        @post("/v1/lots/{lot_id:str}/close", **options)
        def close(lot_id: FromPath[str], body: RawBody) -> Response[bytes]:
            """Give the statement; with the hub's reconciliation, cosign it."""
            told = _read(body, _Step)
            return _answer(desk.close(lot_id, bytes(told.request), bytes(told.reconciliation)))

        return [open_lot, look, page, close]

    def offers(self) -> Sequence[dict[str, Any]]:
        """Tell what is delivered, under which agreements."""
        contents, today = self._gateway.shelf.contents(), self._gateway.clock.today()
        offered: list[dict[str, Any]] = []
        for name in self._tables:
            agreements = sorted(one.agreement_id for one in contents.in_force(name, today) if one.kind is Kind.TABLE)
            offered.append(
                {"resource": name, "kind": Kind.TABLE.value, "agreements": agreements, "ready": bool(agreements)}
            )
        return offered

    def start(self) -> None:
        """Go on with what was cut off."""
        self.desk.resume()

    def stop(self) -> None:
        """Let preparations end."""
        self.desk.stop()


def _read(body: bytes, shape: type[_Shape]) -> _Shape:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, RecursionError):
        raise ClientException(
            "请求体不符合 docs/lots.md 的格式 / the body isn't shaped as docs/lots.md says",
            status_code=HTTP_400_BAD_REQUEST,
        ) from None


def _answer(told: dict[str, Any]) -> Response[bytes]:
    return Response(msgspec.json.encode(told), media_type=_JSON)
