from typing import Any

from django.core.management.base import BaseCommand

from organizations import mailing


class Command(BaseCommand):
    help = "Send users' unread messages by e-mail, each user's in one mail. Run it every 5 minutes."

    def handle(self, *args: Any, **options: Any) -> None:
        for outcome, number in sorted(mailing.send_due().items()):
            self.stdout.write(f"{outcome}: {number}")
