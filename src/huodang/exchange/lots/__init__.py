"""Lots (批次): a department's table at the hub, up to date and proven complete, one lot at a time.

At the hub `service.Lots` stages what comes and takes a lot whole or not at all, `puller.LotPuller` fetches lots from
gateways, `delivered.DeliveredRows` shows rows to those who may see them. At a gateway `gateway_part.TablesPart` takes
the snapshot and tells what changed. What other rooms use is exported by `huodang.exchange`; this file imports nothing,
as the gateway's file reads `lots.config` before the gateway stands.
"""
