"""The tables of clues; persons stand in them as blind indexes."""
