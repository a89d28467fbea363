"""Events (事件): changes in a department's source, published as signed CloudEvents and taken at least once, in order.

At the gateway `part.EventsPart` watches tables and files and keeps the log; at the hub `subscriber.EventSubscriber`
takes what comes and `subscriptions.Subscriptions` hands it to those who asked. What other rooms use is exported by
`huodang.exchange`; this file imports nothing, as the gateway's file reads `events.config` before the gateway stands.
"""
