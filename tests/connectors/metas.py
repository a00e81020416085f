"""What Meta's networks on loopback have in common: how they refuse, sign, ask whether a hook is ours, and let people
sign in for sixty days."""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from tests.connectors.stages import Asked, Stage

SIXTY_DAYS = 5_183_944  # seconds, as Meta counts them


@dataclass
class MetaStage(Stage):
    tokens: set[str] = field(default_factory=lambda: {"canary-token"})

    secrets: ClassVar[tuple[str, ...]] = ("canary-app-secret-abcdef", "canary-older-secret-xyz")
    #: What the grants of sixty days are called: "ig" or "th"; empty where there are none.
    grant: ClassVar[str] = ""

    @property
    def settings(self):
        return super().settings | {"app_id": "4711"}

    @property
    def credentials(self):
        secrets = " ".join(self.secrets)
        return {"access_token": "canary-token", "app_secret": secrets, "verify_token": "canary-verify"}

    def question(self, good: bool = True):
        asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444"}
        return asked | {"hub.verify_token": "canary-verify" if good else "wrong"}, "1158201444"

    def signature(self, body: bytes, secret: str = "") -> str:
        return f"sha256={signed(secret or self.secrets[0], body)}"

    def is_known(self, asked: Asked) -> bool:
        return asked.headers.get("authorization", "").removeprefix("Bearer ") in self.tokens

    def signing_in(self, asked: Asked) -> tuple[int, Any] | None:
        """The answer on the way to a token of sixty days, and to the next sixty; None for what is asked otherwise."""
        match asked.path:
            case "/oauth/access_token":
                return self._brief(asked)
            case "/access_token":
                return self._lasting(asked)
            case "/refresh_access_token":
                return self._refreshed(asked)
        return None

    def brief(self) -> dict[str, Any]:
        """What the network says to a good code."""
        raise NotImplementedError

    def _brief(self, asked: Asked) -> tuple[int, Any]:
        assert "canary" not in str(asked.query) and asked.form["grant_type"] == "authorization_code"
        good = asked.form["code"] == "good"
        return (200, self.brief()) if good else (400, {"error_type": "OAuthException", "code": 400})

    def _lasting(self, asked: Asked) -> tuple[int, Any]:
        assert asked.headers["authorization"] == "Bearer canary-brief" and "canary" not in str(asked.query)
        assert (asked.form["client_secret"], asked.form["grant_type"]) == (
            self.secrets[0],
            f"{self.grant}_exchange_token",
        )
        return self._given("canary-lasting")

    def _refreshed(self, asked: Asked) -> tuple[int, Any]:
        assert asked.query == {"grant_type": f"{self.grant}_refresh_token"}
        if not self.is_known(asked):
            return 400, error(190, "Invalid OAuth access token")
        self.numbers += 1
        return self._given(f"canary-token-{self.numbers}")

    def _given(self, token: str) -> tuple[int, Any]:
        self.tokens.add(token)
        return 200, {"access_token": token, "token_type": "bearer", "expires_in": SIXTY_DAYS}


def error(code: int, message: str, subcode: int = 0) -> dict[str, Any]:
    said = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A1m6KK6iBqv"}
    return {"error": said | ({"error_subcode": subcode} if subcode else {})}


def signed(secret: str, what: bytes) -> str:
    return hmac.new(secret.encode(), what, hashlib.sha256).hexdigest()


def moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
