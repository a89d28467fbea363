"""Calls (接口调用): batches of questions, limits, answers used again, and the choice among a department's gateways."""
