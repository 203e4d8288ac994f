import datetime as dt
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from organizations import mailing, notifications


class Command(BaseCommand):
    help = "Delete messages read more than MESSAGE_DAYS ago and mail log entries of that age."

    def handle(self, *args: Any, **options: Any) -> None:
        age = dt.timedelta(days=settings.MESSAGE_DAYS)
        self.stdout.write(f"{notifications.tidy(older_than=age)} messages deleted")
        self.stdout.write(f"{mailing.forget(older_than=age)} log entries deleted")
