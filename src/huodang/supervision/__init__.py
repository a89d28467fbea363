"""Supervision: who is paid wrongly, and what lawfully follows; with nobody wronged.

`tables`, `rules` and `check` find it on files, `linkage` and `scores` where records are dirty or no rule says it.
`clues`, `control`, `recovery` and `certification` treat the person by the law; `timeline` tells what was known when;
`watch` answers at once and measures what the lag costs. Each is a front door of its own: import from
`huodang.supervision.<part>`.
"""
