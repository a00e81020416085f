"""Every setting of the house. What an operator may change comes from the environment; a wrong value stops the start."""

import os
import secrets
from contextlib import suppress

from cryptography.fernet import Fernet
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from socialhub import journal, options
from socialhub.embedded import places
from socialhub.embedded.errors import CanNotStart

ROOT = places.ROOT
PLACES = places.find()
GIVEN = options.read(os.environ)
# Told before anything imports numpy: by several threads texts are encoded many times slower than by one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def kept(name: str, make) -> str:
    """A secret that nobody gave: from a file in the data folder, which the first start writes."""
    path = PLACES.data / name.lower()
    if not path.exists():
        try:
            _make_secret(path, make())
        except (OSError, CanNotStart) as error:
            raise ImproperlyConfigured(f"{name} is not given, and a new one can not be kept: {error}") from None
    return path.read_text().strip()


def _make_secret(path, secret: str) -> None:
    PLACES.make()
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_text(secret)
    with suppress(FileExistsError):  # of two first starts at once, the one that comes later takes what is there
        path.hardlink_to(fresh)
    fresh.unlink()


# What an operator decides: socialhub/options.py says it in words -------------------------------------------------
DEMO, DEBUG, HTTPS = GIVEN["DEMO"], GIVEN["DEBUG"], GIVEN["HTTPS"]
PORT, HOSTS, ORGANISATION = GIVEN["PORT"], GIVEN["HOSTS"], GIVEN["ORGANISATION"]
UNDO_SEND_SECONDS, WORKER_THREADS = GIVEN["UNDO_SEND_SECONDS"], GIVEN["WORKER_THREADS"]
LEARNED_ROUTING = GIVEN["LEARNED_ROUTING"] == "on"
METRICS_TOKEN, REDIS_URL = GIVEN["METRICS_TOKEN"], GIVEN["REDIS_URL"]
SECRET_KEY = GIVEN["SECRET_KEY"] or kept("SECRET_KEY", lambda: secrets.token_urlsafe(50))
# They never lie in the database, and a backup does not hold them.
CREDENTIAL_KEYS = GIVEN["CREDENTIAL_KEYS"] or options.keys(
    kept("CREDENTIAL_KEYS", lambda: Fernet.generate_key().decode())
)

# Servers --------------------------------------------------------------------------------------------------------
OURS = {
    "ENGINE": "django.db.backends.postgresql",
    "NAME": "socialhub",
    "USER": "socialhub",
    "HOST": str(PLACES.sockets),
}
DATABASES = {"default": GIVEN["DATABASE_URL"] or OURS}
# Commands and strokes close theirs; the threads of the web process keep their lines (socialhub/serving.py).
DATABASES["default"]["CONN_MAX_AGE"] = 0
BELL_URL = REDIS_URL or f"unix://{PLACES.valkey_socket}"
CELERY_BROKER_URL = REDIS_URL or f"redis+socket://{PLACES.valkey_socket}"

# The house ------------------------------------------------------------------------------------------------------
# The machine itself asks for its signs under its own name.
ALLOWED_HOSTS = [*HOSTS, *options.LOOPBACK]
ROOT_URLCONF = "socialhub.urls"
ASGI_APPLICATION = "socialhub.asgi.application"
WSGI_APPLICATION = "socialhub.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "departments.User"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "axes",
    "csp",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "guardian",
    "rest_framework",
    "departments",
    "connectors",
    "inbox",
    "routing",
    "socialhub",
]
MIDDLEWARE = [
    "socialhub.journal.requests",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "socialhub.middleware.never_stored",
    "socialhub.middleware.signed_in_only",
    "socialhub.middleware.time_zone_of_the_person",
    "socialhub.idempotency.middleware",
    "axes.middleware.AxesMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "socialhub.context.house",
            ],
        },
    },
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [ROOT / "templates" / "jinja2"],
        "OPTIONS": {"environment": "socialhub.rows.environment"},
    },
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "socialhub.files.StaticFiles"},
}
STATIC_URL = "static/"
STATIC_ROOT = PLACES.data / "static"
STATICFILES_DIRS = [ROOT / "static"]
WHITENOISE_USE_FINDERS = False

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

# People ---------------------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "name", "email")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "inbox"
LOGOUT_REDIRECT_URL = "sign-in"
# Guardian asks for nobody's rights but those of groups; an anonymous user of its own is not wanted.
ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = False
# Nobody asks `user.has_perm` for an object: departments/access is the only door, and it reads guardian's rows itself.
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False

# The open door --------------------------------------------------------------------------------------------------
SESSION_ENGINE = "departments.sessions"
SESSION_COOKIE_NAME = "social_hub"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^metrics$"]  # asked from inside, where nobody speaks TLS
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

# The bell: rows are the queue -----------------------------------------------------------------------------------
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONCURRENCY = 8  # strokes at once: one of each kind, and room; fetching has hands of its own
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 2,
    "socket_connect_timeout": 1,
    "socket_keepalive": True,
    "health_check_interval": 10,
}

# The API --------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["departments.api.TokenAuthentication", "departments.api.SignedInAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated", "departments.api.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["departments.api.JsonAnswer"],
    "DEFAULT_PARSER_CLASSES": ["departments.api.JsonBody"],
    "DEFAULT_PAGINATION_CLASS": "departments.api.CursorPages",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "departments.problems.problem",
    "PAGE_SIZE": 50,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Social Hub",
    "DESCRIPTION": "The inbox in which every department works on social media together.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    # Two shapes have a `source`, of different words.
    "ENUM_NAME_OVERRIDES": {
        "DecisionSource": "routing.models.Decision.Source",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

LOGGING = journal.configuration(GIVEN["LOG_FORMAT"], GIVEN["LOG_LEVEL"])
