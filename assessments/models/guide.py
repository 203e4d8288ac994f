"""Who has put the first-visit guide away."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class SeenGuide(models.Model):
    """The user has read the guide (填报三步) and does not want it on the workbench any more."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="seen_guide"
    )
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.user_id}"
