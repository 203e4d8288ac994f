from typing import Any

from captcha.models import CaptchaStore
from django.core.management.base import BaseCommand

from assessments import appeals, publishing


class Command(BaseCommand):
    help = (
        "Make published results final whose period is over and to which nobody objects, and "
        "delete the contacts of those who objected long ago, and the sums that nobody worked out. "
        "Run it daily; it may run twice."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{publishing.close_due()} results became final")
        self.stdout.write(f"{appeals.forget_contacts()} contacts deleted")
        CaptchaStore.remove_expired()
