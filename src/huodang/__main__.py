"""`python -m huodang`: the same as the command `huodang`."""

from huodang.cli import main

main()
