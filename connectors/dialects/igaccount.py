"""Which account of Instagram's a channel is, and connecting it.

There are two ways to sign in, each with a host and permissions of its own: with Instagram itself, or through the
Facebook Page that the account is linked to. Instagram's tokens last for 60 days and are renewed; a Page's are not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from connectors import accounts, oauth
from connectors.contract import Account, Checked, Setting, SignIn
from connectors.dialects import grants, logins
from connectors.dialects.graph import BUILT_IN
from connectors.dialects.hub import moment
from connectors.dialects.messenger import Us
from connectors.dialects.meta import MetaConnector, objects
from connectors.errors import MakesNoSense, Misconfigured, MissingScope, NotAuthorized

INSTAGRAM, FACEBOOK = "instagram", "facebook"
HOST, TOKENS, WWW = "https://graph.instagram.com", "https://api.instagram.com", "https://www.instagram.com"
DIALOG = "https://www.facebook.com"
LINKED = "instagram_business_account{id,username}"

#: What the app has to be granted, by how it signed in, and what for.
SCOPES = {
    INSTAGRAM: {
        "instagram_business_basic": "find the account and its posts",
        "instagram_business_manage_comments": "read, answer, hide and remove comments",
        "instagram_business_manage_messages": "read and answer messages",
    },
    FACEBOOK: {
        "instagram_basic": "find the account and its posts",
        "instagram_manage_comments": "read, answer, hide and remove comments",
        "instagram_manage_messages": "read and answer messages",
        "pages_show_list": "find the Page that the account is linked to",
        "pages_read_engagement": "act for that Page",
        "pages_manage_metadata": "be told by Instagram at once",
    },
}
LOGIN = Setting(
    "login",
    "Sign in with",
    "choice",
    INSTAGRAM,
    "Facebook for an account that is linked to a Page; it tells more of mentions",
    ((INSTAGRAM, "Instagram"), (FACEBOOK, "Facebook")),
)
PERMISSIONS = Setting("scope", "Permissions", help="Filled in by signing in; else those of the token, with spaces")


@dataclass(frozen=True)
class InstagramAccount(MetaConnector):
    @classmethod
    def first_credentials(cls, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Instagram's own tokens have an end; a Page's, which begin otherwise, have none."""
        own = credentials.get("access_token", "").startswith("IG")
        return logins.entered(credentials) if own else credentials

    # Connecting ---------------------------------------------------------------------------------------------------

    def check(self) -> Checked:
        me, given, delivered = self._asked_who(), self._given, self._delivered()
        granted, missing = grants.told(given, self._needed, self._words)
        if lacking := [each for each in self._wanted if each not in delivered]:
            missing += (f"have Instagram deliver {', '.join(lacking)}: connect the channel again (subscribed_apps)",)
        name = f"@{me['handle']}"
        return Checked(f"Connected as {name}.", name, granted, missing, given.ends if given else None, me)

    def connected(self) -> None:
        """Nothing is delivered before the account, or the Page that it is linked to, is told to. Twice is once."""
        try:
            self._graph.ask("me/subscribed_apps", subscribed_fields=",".join(self._wanted))
        except MissingScope as error:
            scope = "pages_manage_metadata" if self._by_page else self._scope("manage_comments")
            raise grants.named(error, (scope,), self._words) from None

    def sign_in(self, back: str, state: str) -> SignIn:
        door = f"{DIALOG}/{self.version}/dialog/oauth" if self._by_page else f"{WWW}/oauth/authorize"
        asked = {"client_id": self._app_id, "redirect_uri": back, "state": state, "response_type": "code"}
        return SignIn(oauth.page(door, **asked, scope=",".join(self._needed)))

    def signed_in(self, code: str, back: str, keep: Mapping[str, str]) -> Sequence[Account]:
        form = {"client_id": self._app_id, "client_secret": self._secret, "redirect_uri": back}
        if self._by_page:
            return self._linked(logins.token_for(self._graph_with(""), code=code, **form)["access_token"])
        door = self._graph_with("", host=TOKENS)
        said = logins.token_for(door, version="", grant_type="authorization_code", code=code.removesuffix("#_"), **form)
        credentials = logins.of_sixty_days(self._graph_with(said["access_token"]), "ig", self._secret)
        told = said.get("permissions")
        scopes = told if isinstance(told, list) else str(told or "").split(",")
        credentials |= {"scope": " ".join(str(each) for each in scopes)}
        return [self._account(credentials)]

    def _linked(self, brief: str) -> list[Account]:
        """The accounts that are linked to the Pages that were granted. A Page's token has no end of its own."""
        form = {"client_id": self._app_id, "client_secret": self._secret, "fb_exchange_token": brief}
        token = logins.token_for(self._graph_with(""), grant_type="fb_exchange_token", **form)["access_token"]
        pages = logins.pages(self._graph_with(token, self._secret), LINKED)
        found = [each for each in pages if isinstance(each.get("instagram_business_account"), dict)]
        if not found:
            raise NotAuthorized("No Page with an Instagram account was granted: allow both on Facebook’s page.")
        ends = grants.inspect(self._app, str(found[0]["access_token"])).ends
        lasts = (
            {"issued_at": datetime.now(UTC).isoformat(), "expires_at": ends.isoformat(), "renewable": "no"}
            if ends
            else {}
        )
        return [self._account({"access_token": str(each["access_token"]), **lasts}) for each in found]

    def _account(self, credentials: Mapping[str, str]) -> Account:
        """The account that these credentials are for, whichever the channel was before."""
        anybody = {**self.settings, "account": ""}
        me = replace(self, settings=anybody, credentials={**self.credentials, **credentials}, known={})._asked_who()
        names = {name: me[name] for name in ("account", "scoped", "handle")}
        return Account(f"@{me['handle']}", {"account": me["account"]}, {**credentials, **names})

    def renew(self) -> Mapping[str, str]:
        if self._by_page:
            raise NotAuthorized("A Page’s access token is not renewed: somebody has to sign in again.")
        return logins.renewed(self._graph, "ig", self.credentials)

    def _delivered(self) -> set[str]:
        """What is delivered; nothing when we may not know."""
        try:
            said = self._graph.get("me/subscribed_apps").said
        except MissingScope:
            return set()
        return {str(each) for app in objects(said) for each in app.get("subscribed_fields") or ()}

    # Who we are ---------------------------------------------------------------------------------------------------

    @property
    def _by_page(self) -> bool:
        return self.settings.get("login") == FACEBOOK

    @property
    def _host(self) -> str:
        return BUILT_IN if self._by_page else HOST

    @property
    def _proves(self) -> bool:
        return self._by_page

    @property
    def _reads_messages(self) -> bool:
        return bool(self.settings.get("read_messages", True))

    @property
    def _words(self) -> Mapping[str, str]:
        return SCOPES[FACEBOOK if self._by_page else INSTAGRAM]

    @property
    def _needed(self) -> dict[str, str]:
        messages = self._scope("manage_messages")
        return {each: what for each, what in self._words.items() if self._reads_messages or each != messages}

    def _scope(self, name: str) -> str:
        return f"instagram_{name}" if self._by_page else f"instagram_business_{name}"

    @property
    def _wanted(self) -> tuple[str, ...]:
        """What has to be subscribed to. For a Page it is enough to be told of anything: what Instagram delivers is
        chosen in the app."""
        if self._by_page:
            return ("feed",)
        return ("comments", "live_comments", "mentions") + (("messages",) if self._reads_messages else ())

    @cached_property
    def _given(self) -> grants.Granted | None:
        """What we were granted: Meta tells it of Facebook's tokens, of Instagram's when they are given."""
        if self._by_page:
            return self._granted
        ends = moment(self.credentials.get("expires_at"), None)
        scopes = frozenset(self.credentials.get("scope", "").split())
        return grants.Granted(scopes, ends) if scopes else None

    @cached_property
    def _me(self) -> tuple[Mapping[str, Any], Mapping[str, Any] | None]:
        """Our account as the credentials or the network told; what was asked is to be kept."""
        if told := accounts.told(self, "account"):
            return told, None
        me = self._asked_who()
        return me, me

    @property
    def _id(self) -> str:
        return str(self._me[0]["account"])

    @property
    def _us(self) -> Us:
        return us_of(self._me[0])

    def _asked_who(self) -> dict[str, str]:
        said = self._graph.get("me", fields=LINKED if self._by_page else "user_id,username").said
        linked = said.get("instagram_business_account") if self._by_page else said
        linked = linked if isinstance(linked, dict) else {}
        id, handle = linked.get("user_id") or linked.get("id"), linked.get("username")
        if not id or not isinstance(handle, str):
            raise MakesNoSense("Instagram does not say whose token this is.")
        if (wanted := self.settings.get("account")) and wanted != str(id):
            raise Misconfigured("The access token is not that of this account: sign in and choose it.")
        scoped = str(linked.get("id") or "")
        return {"account": str(id), "scoped": scoped, "handle": handle, "of": accounts.mark(self)}


def us_of(told: Mapping[str, Any]) -> Us:
    """Our account by all its ids: another for each app, and one that deliveries name."""
    ids = frozenset(str(told[each]) for each in ("account", "scoped") if told.get(each))
    return Us(ids, str(told.get("handle") or ""))
