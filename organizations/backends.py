"""Who is signed in, and the first password as a password on the ordinary sign-in page."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from organizations import first_passwords, notifications
from organizations.models import User


class PortalBackend(ModelBackend):
    """Brings along what the head of every page shows of the user."""

    def get_user(self, user_id: int) -> User | None:
        user = notifications.with_unread(User.objects.filter(pk=user_id)).first()
        return user if user is not None and self.user_can_authenticate(user) else None


class FirstPasswordBackend(PortalBackend):
    """Asked after PortalBackend, which has spent a hasher's time on whatever was typed."""

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
