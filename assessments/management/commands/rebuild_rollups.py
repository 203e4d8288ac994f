"""`rebuild_rollups`: the summary table counted afresh, or checked against a full recount."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from assessments import rollups
from assessments.models import Campaign


class Command(BaseCommand):
    help = "Count the summary table (汇总) afresh, for all campaigns or one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--year", type=int, help="this campaign only")
        parser.add_argument(
            "--check", action="store_true", help="compare with a full recount, change nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        campaigns = Campaign.objects.opened()
        if options["year"]:
            campaigns = campaigns.filter(year=options["year"])
        for campaign in campaigns:
            if not options["check"]:
                rollups.rebuild(campaign)
                self.stdout.write(f"{campaign}: counted")
            elif faults := rollups.faults(campaign):
                raise CommandError("\n".join([f"{campaign}:", *faults]))
            else:
                self.stdout.write(f"{campaign}: right")
