from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from assessments import files, incoming, orphans


class Command(BaseCommand):
    help = (
        "Delete uploads that were broken off long ago and files that nothing uses; "
        "name files that are missing. Run it daily."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what there is")

    def handle(self, *args: Any, **options: Any) -> None:
        dry = options["dry_run"]
        if not dry:
            self.stdout.write(f"{incoming.cancel_expired()} unfinished uploads expired")
        for file in orphans.unused_files():
            self.stdout.write(f"unused: {file.file.name}")
            if not dry:
                files.discard(file)
        for path in list(orphans.stray_paths()):
            self.stdout.write(f"orphan: {path}")
            if not dry:
                files.remove(path)
        lost = list(orphans.lost_files())
        for file in lost:
            self.stderr.write(f"missing: {file.file.name}")
        if lost:
            raise SystemExit(1)
