"""The tables of control; persons stand in them as blind indexes."""
