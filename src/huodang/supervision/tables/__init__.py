"""The canonical tables of a check (数据准备): headers understood, files read, numbers packed, the unfit set aside."""
