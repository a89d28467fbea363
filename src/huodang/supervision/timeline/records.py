"""The tables of timeline; persons stand in them as blind indexes."""
