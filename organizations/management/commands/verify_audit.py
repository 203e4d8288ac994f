from typing import Any

from django.core.management.base import BaseCommand, CommandError

from organizations import audit


class Command(BaseCommand):
    help = "Walk the audit chains; fail and name each event that was altered, removed or added."

    def handle(self, *args: Any, **options: Any) -> None:
        faults = list(audit.verify())
        for fault in faults:
            self.stderr.write(fault)
        if faults:
            raise CommandError(f"{len(faults)} faults in the audit record")
        self.stdout.write("The audit record is whole.")
