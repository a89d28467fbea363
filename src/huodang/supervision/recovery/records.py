"""The tables of recovery; persons stand in them as blind indexes."""
