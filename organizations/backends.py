"""The first password as a password on the ordinary sign-in page."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from organizations import first_passwords
from organizations.models import User


class FirstPasswordBackend(ModelBackend):
    """Asked after ModelBackend, which has spent a hasher's time on whatever was typed."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        if username is None or password is None:
            return None
        user = User.objects.select_related("first_password").filter(username=username).first()
        if user is None or not self.user_can_authenticate(user):
            return None
        return user if first_passwords.matches(user, password) else None
