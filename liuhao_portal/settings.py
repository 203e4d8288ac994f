"""Settings of the portal: one file, driven by the environment, safe by default.

Every variable is listed in docs/operations.md. With nothing set the portal refuses to start:
a secret key and the allowed hosts must be given.
"""

import datetime as dt
from pathlib import Path

import dj_database_url
import django
from csp.constants import NONE, SELF
from django.contrib.messages import constants as messages
from django.core.exceptions import ImproperlyConfigured

from liuhao_portal import env

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("DATA_DIR") or BASE_DIR / "var")
DATA_DIR.mkdir(parents=True, exist_ok=True)

# --- Security -----------------------------------------------------------------------------------
DEBUG = env.boolean("DEBUG", default=False)
SECRET_KEY = env.required("SECRET_KEY", "sessions and signed values depend on it")
env.required("ALLOWED_HOSTS", "comma-separated host names")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")

# HTTPS=off is for a demonstration on one's own machine only.
HTTPS = env.boolean("HTTPS", default=True)
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = env.integer("HSTS_SECONDS", default=31_536_000) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
BEHIND_PROXY = env.boolean("BEHIND_PROXY", default=False)
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = env.integer("SESSION_HOURS", default=10) * 3600
CSRF_FAILURE_VIEW = "liuhao_portal.views.csrf_failure"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- Applications -------------------------------------------------------------------------------
INSTALLED_APPS = [
    "organizations",
    "assessments",
    "crispy_forms",
    "crispy_bootstrap5",
    "axes",
    "captcha",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "django_tasks",
    "django_tasks_db",
    "liuhao_portal.apps.BackOfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "liuhao_portal.middleware.refuse_nul",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "liuhao_portal.middleware.chosen_language",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "liuhao_portal.middleware.sign_in_aloud",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "liuhao_portal.middleware.private_pages",
    "organizations.gate.Gate",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "liuhao_portal.urls"
WSGI_APPLICATION = "liuhao_portal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["django.templatetags.i18n"],  # no page is without it
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "organizations.views.identity.session_context",
                "organizations.views.inbox.badge",
                "assessments.views.navigation.navigation",
            ],
        },
    },
]
CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "bootstrap5"
MESSAGE_TAGS = {messages.ERROR: "danger", messages.DEBUG: "secondary"}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Database -----------------------------------------------------------------------------------
_DATABASE_URL = env.text("DATABASE_URL")
if _DATABASE_URL:
    DATABASES = {
        "default": dj_database_url.parse(_DATABASE_URL, conn_max_age=600, conn_health_checks=True)
    }
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": DATA_DIR / "portal.sqlite3",
            "CONN_MAX_AGE": 600,
            "OPTIONS": {
                # Take the write lock at BEGIN: a transaction that reads, decides and writes
                # then queues behind another instead of failing half-way.
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": (
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
                    "PRAGMA foreign_keys=ON; PRAGMA cache_size=-32000;"
                ),
            },
        }
    }

# --- Accounts -----------------------------------------------------------------------------------
AUTH_USER_MODEL = "organizations.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "organizations.backends.PortalBackend",
    "organizations.backends.FirstPasswordBackend",
]
PASSWORD_HASHERS = [
    "organizations.passwords.PortalArgon2Hasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["username", "full_name", "email"]},
    },
    {
        "NAME": "organizations.passwords.LengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "organizations.passwords.CompositionValidator"},
    {
        "NAME": "organizations.passwords.HistoryValidator",
        "OPTIONS": {"remembered": env.integer("PASSWORD_HISTORY", default=5)},
    },
]
FIRST_PASSWORD_DAYS = env.integer("FIRST_PASSWORD_DAYS", default=30)
IDLE_MINUTES = env.integer("IDLE_MINUTES", default=30)
SECOND_FACTOR = env.text("SECOND_FACTOR", "optional").lower()
if SECOND_FACTOR not in ("off", "optional", "city"):
    raise ImproperlyConfigured("SECOND_FACTOR must be off, optional or city")
OTP_TOTP_ISSUER = "六好工会创建平台"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "assessments:workbench"
LOGOUT_REDIRECT_URL = "login"

# --- Lock-out -----------------------------------------------------------------------------------
LOCKOUT_ADDRESS_FAILURES = env.integer("LOCKOUT_ADDRESS_FAILURES", default=50)
AXES_FAILURE_LIMIT = env.integer("LOCKOUT_FAILURES", default=5)
AXES_COOLOFF_TIME = dt.timedelta(minutes=env.integer("LOCKOUT_MINUTES", default=15))
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_HANDLER = "organizations.lockout.Handler"
AXES_LOCKOUT_PARAMETERS = ["username", "ip_address"]
AXES_CLIENT_IP_CALLABLE = "organizations.lockout.client_address"
AXES_ENABLE_ADMIN = AXES_VERBOSE = False
# Axes' middleware would answer in place of the sign-in page, which says itself who is locked out.
SILENCED_SYSTEM_CHECKS = ["axes.W002"]

# --- Language and time --------------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"  # also that of everything stored or printed: messages, records, papers
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True
# Before the catalogues of apps: django-simple-captcha's would reword Django's own messages.
LOCALE_PATHS = [BASE_DIR / "locale", Path(django.__file__).parent / "conf/locale"]
USE_TZ = True

# --- Static files and uploads -------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = DATA_DIR / "media"  # never served by URL: evidence goes through the permission check
STORAGES = {
    "default": env.evidence_storage(),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_MAX_AGE = 3600
FILE_UPLOAD_PERMISSIONS = 0o640
FILE_UPLOAD_HANDLERS = [
    "assessments.uploads.SizeLimitUploadHandler",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "assessments.uploads.CarefulTemporaryFileUploadHandler",
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
DATA_UPLOAD_MAX_NUMBER_FILES = 300
EVIDENCE_FILE_MEGABYTES = env.integer("EVIDENCE_FILE_MEGABYTES", default=20)
EVIDENCE_TOTAL_MEGABYTES = env.integer("EVIDENCE_TOTAL_MEGABYTES", default=300)
EVIDENCE_LIBRARY_MEGABYTES = env.integer("EVIDENCE_LIBRARY_MEGABYTES", default=1000)
# 雷同: from how many percent on a picture or an account counts as that of another union.
SIMILAR_PICTURE_PERCENT = env.integer("SIMILAR_PICTURE_PERCENT", default=88)
SIMILAR_TEXT_PERCENT = env.integer("SIMILAR_TEXT_PERCENT", default=90)
# Contacts of those who objected to a published result are deleted so long after its period.
CONTACT_DAYS = env.integer("CONTACT_DAYS", default=90)
UPLOAD_HOURS = env.integer("UPLOAD_HOURS", default=72)
# A socket's path or host:port; empty: files are not scanned.
CLAMD_ADDRESS = env.text("CLAMD_ADDRESS")
CLAMD_SECONDS = env.integer("CLAMD_SECONDS", default=60)

# --- Messages -----------------------------------------------------------------------------------
MESSAGE_DAYS = env.integer("MESSAGE_DAYS", default=400)
# Without a server mails are written to the console.
EMAIL_HOST = env.text("EMAIL_HOST")
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'console'}.EmailBackend"
EMAIL_USE_SSL = env.boolean("EMAIL_USE_SSL", default=False)
EMAIL_USE_TLS = env.boolean("EMAIL_USE_TLS", default=False)
EMAIL_PORT = env.integer("EMAIL_PORT", default=465 if EMAIL_USE_SSL else 587)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_TIMEOUT = env.integer("EMAIL_SECONDS", default=20)
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "portal@localhost")
if EMAIL_USE_SSL and EMAIL_USE_TLS:
    raise ImproperlyConfigured("EMAIL_USE_SSL and EMAIL_USE_TLS: only one of them")
PORTAL_URL = env.address("PORTAL_URL", hosts=ALLOWED_HOSTS, secure=HTTPS)
MAIL_WAIT_MINUTES = env.integer("MAIL_WAIT_MINUTES", default=10)
MAIL_EVERY_MINUTES = env.integer("MAIL_EVERY_MINUTES", default=60)
MAIL_TRIES = env.integer("MAIL_TRIES", default=5)

# --- Background tasks ---------------------------------------------------------------------------
# on: processes of their own (`manage.py db_worker`) run them; off: a thread of the web process.
TASK_WORKER = env.boolean("TASK_WORKER", default=False)
TASKS = {
    "default": {
        "BACKEND": "django_tasks_db.DatabaseBackend"
        if TASK_WORKER
        else "liuhao_portal.tasks.InProcessBackend"
    }
}
EXPORT_DAYS = env.integer("EXPORT_DAYS", default=7)

# --- Logging ------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
