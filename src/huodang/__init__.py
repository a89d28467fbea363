"""Huodang 活档: departments share retirement archives, people retire once, every look can be proved."""

__version__ = "0.1.0"
