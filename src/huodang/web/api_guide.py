"""What a description of operations can't say: how requests are repeated and read on, and how much one may ask."""

from typing import Final

GUIDE: Final = """\
## 重复发送与续读 / Sending twice and reading on

凡新建或办理的 POST 都可带请求头 `Idempotency-Key`（1 至 128 个字符，自行取名，如 UUID）：
24 小时内同一用户、同一地址、同一键、同一内容只办一次，重发得到原来的状态码和内容，并带
`Idempotency-Replayed: true`；换了内容是 422（`web.idempotency.reused`），前一次仍在办理是 409
（`web.idempotency.under_way`），`Retry-After` 写明几秒后再试。成功和 404、409、422 的答复会保存（加密，到期删除）；
未开始办理的（400、401、403、413、415、429）和 5xx 不保存，同一键可再用。只读的 POST 不用此键。

进程若在办完与保存答复之间中断，五分钟后同一键重新办理：立案、需求、对同一值的校核、签名办理和各类事件由业务规则本身
拒绝第二次；主动更正、数据召回和没有 `match_id` 的比对会再办一次。

同一需求、校核在办结之前重复提交，得到原来那一件；同一事件第二次提交是 409 冲突；批量核验以 `run`（或请求头
`Idempotency-Key`）命名，重发即续办，已记录的不再询问；比对以 `match_id` 续办；
事件以游标续读，至少一次，以 `event_id` 去重。

Every POST that creates or moves something takes the header `Idempotency-Key` (1 to 128 characters of the
sender's choice, such as a UUID): within 24 hours the same user, address, key and body are one request, and what
is sent again gets the first status and body with `Idempotency-Replayed: true`. Another body is a 422
(`web.idempotency.reused`); while the first is under way a 409 (`web.idempotency.under_way`) with `Retry-After`.
Kept, sealed and deleted in time: success, 404, 409 and 422. Not kept, so that the key may be used again: what
never began (400, 401, 403, 413, 415, 429) and 5xx. A POST that only reads takes no key.

If a process dies between the work and the keeping, the key is free after five minutes and the request is done
anew: a second case, demand, doubt of the same value, signed act or event is refused by the rules themselves; an
announcement, a recall and a match without `match_id` are made again.

The same demand or correction, sent again while it lives, gives the one that stands; the same event a second
time is a 409; a roll that is named by `run` (or the header `Idempotency-Key`) goes on when sent again,
and what was recorded isn't asked anew; a match goes on by `match_id`; events are read on from a cursor, at
least once, and `event_id` tells those that came before. `Prefer: return=minimal` answers an event with the
state alone. Bodies are JSON of 256 KiB at most, rolls 4 MiB; an unknown filter or a repeated key is a 400.

## 次数限制 / How much one may ask

每位用户每分钟的请求数有上限（`hub.yaml` 的 `sessions.requests_per_minute`，默认 600，0 为不限），各地址合计，
每个节点分别计数；答复带 `RateLimit-Limit`、`RateLimit-Remaining`、`RateLimit-Reset`，超过是 429，
`Retry-After` 写明几秒后再试。

Each user may send so many requests a minute (`sessions.requests_per_minute` in `hub.yaml`, 600 unless said
otherwise, 0 for no limit), over all addresses together, counted by each node for itself. Answers carry
`RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset`; beyond it a 429 with `Retry-After`.
"""
