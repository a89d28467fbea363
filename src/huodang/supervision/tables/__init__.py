"""The canonical tables of a check (数据准备): headers understood, any file read, identity numbers packed, what is unfit quarantined."""
