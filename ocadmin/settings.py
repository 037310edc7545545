"""All settings, read top to bottom: Django's own names, from what the environment says (environment.py).

Every value that may be set from outside comes from the environment.
"""

import structlog
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from .environment import BASE_DIR, read_database, read_environment, read_secret_key, use_sandbox

ENV = read_environment()
if ENV.sandbox_url:
    use_sandbox(ENV, ENV.sandbox_url)

SECRET_KEY = read_secret_key(ENV)
DEBUG = ENV.debug
ALLOWED_HOSTS = ENV.allowed_hosts
CSRF_TRUSTED_ORIGINS = ENV.trusted_origins
ROOT_URLCONF = "ocadmin.urls"
WSGI_APPLICATION = "ocadmin.wsgi.application"
AUTH_USER_MODEL = "access.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "ocadmin",
    "ocadmin.access.apps.AccessConfig",
    "ocadmin.tasks.apps.TasksConfig",
    "ocadmin.console.apps.ConsoleConfig",
    "ocadmin.api.webhooks.apps.WebhooksConfig",
    "sbc.apps.SBCConfig",
    "ocadmin.numbers.apps.NumbersConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "django_tables2",
    "django_filters",
    "django_htmx",
    "import_export",
    "lucide",
    "csp",
    "ninja",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "ocadmin.api.prefix.PrefixMiddleware",
    "ocadmin.api.problems.ProblemMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "ocadmin.access.middleware.PrincipalMiddleware",
    "ocadmin.access.middleware.SignInReturnMiddleware",
    "ocadmin.console.middleware.TimeZoneMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "ocadmin.console.middleware.MethodNotAllowedMiddleware",
    "ocadmin.console.middleware.RequestLogMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "ocadmin.console.context.shell",
            ],
        },
    }
]

DATABASES = {"default": read_database(ENV)}

# Sign-in: local accounts with allauth's rate limits. Accounts are made by an administrator, never by a visitor.
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
ACCOUNT_ADAPTER = "ocadmin.access.adapter.ClosedSignup"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "account_login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "ocadmin" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = ENV.time_zone

STATIC_URL = "/static/"
STATIC_ROOT = ENV.data_dir / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Uploads of any size cost flat memory and a bounded piece of disk, and end in an answer.
FILE_UPLOAD_HANDLERS = ["ocadmin.console.uploads.BoundedUpload"]
DATA_UPLOAD_MAX_NUMBER_FILES = 2

# No request ever leaves for another host, and nothing runs that is not a file of ours.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENV.https
SECURE_SSL_REDIRECT = ENV.https
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]  # asked by machines beside us, not through the proxy
SECURE_HSTS_SECONDS = 31_536_000 if ENV.https else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENV.https else None

# Celery carries nudges. Late acknowledgement and a short visibility window bring a nudge back after a killed worker;
# a lost one is made good by the beat job that looks for due tasks (tasks/engine.py).
CELERY_BROKER_URL = ENV.celery_broker_url or f"redis+socket://{ENV.data_dir.resolve()}/valkey.sock"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 60,
    "unacked_restore_interval": 1,
    "socket_connect_timeout": 2,
    "max_retries": 1,
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(ENV.data_dir / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    "nudge-due-tasks": {"task": "ocadmin.tasks.nudge_due", "schedule": 5.0, "options": {"expires": 5}},
    "send-webhooks": {"task": "webhooks.send_due", "schedule": 5.0, "options": {"expires": 5}},
    "tidy-webhooks": {"task": "webhooks.tidy", "schedule": 3600.0, "options": {"expires": 3600}},
    "tidy": {"task": "ocadmin.tasks.tidy", "schedule": 3600.0, "options": {"expires": 3600}},
    "clean-up": {"task": "numbers.clean_up", "schedule": 600.0, "options": {"expires": 600}},
    "forget-imports": {"task": "numbers.forget_imports", "schedule": 900.0, "options": {"expires": 900}},
    "forget-exports": {"task": "numbers.forget_exports", "schedule": 600.0, "options": {"expires": 600}},
    "forget-pasted-lists": {"task": "numbers.forget_pasted_lists", "schedule": 86400.0, "options": {"expires": 3600}},
    "forget-sbc-history": {"task": "sbc.forget_history", "schedule": 86400.0, "options": {"expires": 3600}},
}
for name, task, seconds in (
    ("sbc-health", "sbc.ask_all", ENV.sbc_health_seconds),
    ("sbc-push", "sbc.push_outstanding", ENV.sbc_push_seconds),
):
    if seconds:
        CELERY_BEAT_SCHEDULE[name] = {"task": task, "schedule": float(seconds), "options": {"expires": seconds}}
if ENV.sync_minutes:
    CELERY_BEAT_SCHEDULE["sync"] = {
        "task": "numbers.scheduled_sync",
        "schedule": ENV.sync_minutes * 60.0,
        "options": {"expires": 60},
    }
if ENV.drift_minutes:
    CELERY_BEAT_SCHEDULE["drift"] = {
        "task": "numbers.scheduled_drift",
        "schedule": ENV.drift_minutes * 60.0,
        "options": {"expires": 60},
    }

shared_processors: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
structlog.configure(
    processors=[
        *shared_processors,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.format_exc_info,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "logger", "event"]),
            ],
            "foreign_pre_chain": [*shared_processors, structlog.processors.format_exc_info],
        }
    },
    "filters": {"refusals": {"()": "ocadmin.console.logs.RefusalFilter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["refusals"]}},
    "root": {"handlers": ["stderr"], "level": ENV.log_level.upper()},
    "loggers": {
        "httpx2": {"level": "WARNING"},
        # Three lines every few seconds about the clock asking whether there is work.
        "celery.beat": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "django_structlog": {"level": "WARNING" if not DEBUG else "INFO"},
    },
}
