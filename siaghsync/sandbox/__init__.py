"""A stand-in of Payamgostar and Siagh over real HTTP on 127.0.0.1, for tests, benchmarks and trying things out.

It is built from the wire contracts alone and imports nothing else of this package, so that it can't share a
client's mistakes. Start reading at `server.Sandbox`; `store` and `books` are the two worlds, `crm` and `finance`
their endpoints, `faults` what can go wrong, `switches` what may be otherwise, `control` the door for curl.
"""

from siaghsync.sandbox.faults import Fault
from siaghsync.sandbox.server import Sandbox, serve_forever

__all__ = ["Fault", "Sandbox", "serve_forever"]
