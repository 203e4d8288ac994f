"""Typed readers of environment variables. Nonsense raises ImproperlyConfigured at start-up."""

import os
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


def text(name: str, default: str = "") -> str:
    """The variable's value, or the content of the file that NAME_FILE points at (for secrets)."""
    path = os.environ.get(f"{name}_FILE")
    if path:
        try:
            with open(path, encoding="utf-8") as file:
                return file.read().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE: {error}") from error
    return os.environ.get(name, default).strip()


def required(name: str, why: str) -> str:
    """The variable's value; raises ImproperlyConfigured, saying why it is needed, when empty."""
    value = text(name)
    if not value:
        raise ImproperlyConfigured(f"{name} must be set: {why}")
    return value


def boolean(name: str, *, default: bool) -> bool:
    value = text(name).lower()
    if not value:
        return default
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise ImproperlyConfigured(f"{name} must be on or off, not {value!r}")


def integer(name: str, *, default: int) -> int:
    value = text(name)
    try:
        return int(value) if value else default
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}") from error


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list; blanks are dropped."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def address(name: str, *, hosts: list[str], secure: bool) -> str:
    """Where the portal is reached from outside, without a slash at the end; by default the first of
    the `hosts` that is a whole name."""
    value = text(name).rstrip("/")
    if not value:
        whole = [host for host in hosts if host and not host.startswith(("*", "."))]
        return f"{'https' if secure else 'http'}://{(whole or ['localhost'])[0]}"
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ImproperlyConfigured(f"{name} must be like https://portal.example, not {value!r}")
    return value


def evidence_storage() -> dict[str, Any]:
    """Where uploads are kept: an S3-compatible bucket where S3_BUCKET is set, else MEDIA_ROOT.

    Raises ImproperlyConfigured for a bucket without the packages of requirements-s3.txt.
    """
    bucket = text("S3_BUCKET")
    if not bucket:
        return {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    if find_spec("storages") is None or find_spec("boto3") is None:
        raise ImproperlyConfigured("S3_BUCKET: install requirements-s3.txt first")
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": bucket,
            "endpoint_url": text("S3_ENDPOINT") or None,
            "region_name": text("S3_REGION") or None,
            "access_key": text("S3_ACCESS_KEY") or None,
            "secret_key": text("S3_SECRET_KEY") or None,
            "addressing_style": text("S3_ADDRESSING_STYLE") or None,
            # Private objects, read only through the portal; a name is never used twice.
            "default_acl": None,
            "querystring_auth": True,
            "file_overwrite": False,
        },
    }
