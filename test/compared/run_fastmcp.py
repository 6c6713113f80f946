"""What `pip install fastmcp` makes the command `fastmcp` of. Its own says where it was installed."""

from fastmcp.cli import app

app()
