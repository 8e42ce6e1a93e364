"""`python -m winnow` is `winnow`."""

from winnow.cli.main import run

run()
