"""An identity provider for tests: publishes its keys over HTTP on this machine and signs whatever tokens a test asks for."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

AUDIENCE = "creditbus"


class IdentityProvider:
    """Serves discovery and keys; `asked` counts how often."""

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256", {"kid": "k1", "use": "sig"})
        self.asked = 0
        self.url = ""

    def document(self, path: str) -> dict[str, Any]:
        """What it serves under a path."""
        self.asked += 1
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.url, "jwks_uri": f"{self.url}/jwks"}
        return {"keys": [self.key.as_dict(private=False)]}

    def token(self, department: str | None, key: ECKey | None = None, **changes: Any) -> str:
        """An access token by client credentials."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "batch",
            "iat": now,
            "exp": now + 300,
            "department": department,
        }
        return jwt.encode({"alg": "ES256", "kid": "k1"}, claims | changes, key or self.key)


@contextmanager
def identity_provider() -> Iterator[IdentityProvider]:
    """A provider that runs during the block."""
    provider = IdentityProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            raw = json.dumps(provider.document(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # the name is the base class's
            """Requests are not logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, name="identity-provider")
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
