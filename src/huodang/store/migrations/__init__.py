"""The tables as they came to be: one revision a room, run by `Database.migrate()`."""
