"""A network for tests that is connected on its own page, whose credentials end, and whose reading costs something."""

from dataclasses import dataclass, replace
from typing import ClassVar

from connectors import tokens
from connectors.contract import Account, Batch, Capabilities, Checked, Connector, Outgoing, Sent, Setting, SignIn
from connectors.errors import NotAuthorized, NotConnected

CANARY = "canary-4711"


@dataclass(frozen=True)
class Gate(Connector):
    """`Gate.accounts` are those that a sign-in gives; `Gate.refuses` is raised by whatever it names."""

    network = "gate"
    name = "Gate"
    capabilities = Capabilities(
        reads=frozenset(("mention", "dm")), replies=True, searches=True, signs_in=True, unit="US$", budget_of="month"
    )
    asks = (
        Setting("account", "Account"),
        Setting("budget", "Budget a month", "number", 10, least=0),
    )
    heeds = frozenset(("poll_seconds", "backfill_days", "query"))
    secrets = (Setting("client_id", "Client id"), Setting("client_secret", "Client secret"), Setting("token", "Token"))

    page: ClassVar[str] = "https://gate.example/allow"
    accounts: ClassVar[list] = []
    refuses: ClassVar[dict] = {}
    happened: ClassVar[list] = []

    @property
    def offers(self):
        # What is found by searching can not be answered here.
        return replace(self.capabilities, replies=not self.settings.get("query"))

    def fetch(self, cursor):
        self._raise("fetch")
        if not self.credentials.get("token"):
            raise NotConnected
        return Batch((), {"seen": 1})

    def send(self, reply: Outgoing) -> Sent:
        return Sent("1")

    def check(self) -> Checked:
        self._raise("check")
        if not self.credentials.get("token"):
            raise NotConnected
        missing = ("Reading direct messages",) if "dm" not in self.credentials.get("scopes", "") else ()
        return Checked("Connected.", self.settings.get("account", "?"), ("Reading mentions",), missing)

    @classmethod
    def estimate(cls, settings):
        if not settings.get("query"):
            return ""
        return f"About US$ {36000 / settings.get('poll_seconds', 60):.2f} a month for “{settings['query']}”."

    def sign_in(self, back: str, state: str) -> SignIn:
        self._raise("sign_in")
        registered = {} if self.credentials.get("client_id") else {"client_id": "made", "client_secret": CANARY}
        return SignIn(f"{self.page}?back={back}&state={state}", {"verifier": CANARY}, registered)

    def signed_in(self, code: str, back: str, keep) -> list[Account]:
        self._raise("signed_in")
        self.happened.append((code, back, dict(keep), self.credentials["client_id"]))
        if code != "good":
            raise NotAuthorized(f"The code of {self.credentials['client_secret']} is not good.")
        return list(self.accounts)

    def connected(self) -> None:
        self._raise("connected")
        self.happened.append("connected")

    def _raise(self, where: str) -> None:
        if error := self.refuses.get(where):
            raise error


def account(name: str, *, lasting: float | None = None, scopes: str = "dm") -> Account:
    credentials = {"token": f"{CANARY}-{name}", "scopes": scopes, **tokens.lasting(lasting)}
    return Account(name, {"account": name}, credentials)
