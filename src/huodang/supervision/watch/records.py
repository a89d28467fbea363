"""The tables of watch; persons stand in them as blind indexes."""
