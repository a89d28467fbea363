"""The tables of certification; persons stand in them as blind indexes."""
