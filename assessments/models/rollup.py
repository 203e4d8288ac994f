"""The summary table (汇总): figures by place and tier, so that a dashboard costs the same whatever
the number of unions. Derived: `rollups.summary` writes it, triggers say where it is out of date."""

from __future__ import annotations

from django.db import models

from assessments.models.campaign import Campaign
from organizations.choices import Tier


class RollupState(models.Model):
    """That the figures of a campaign have been counted; whoever writes them holds this row."""

    campaign = models.OneToOneField(
        Campaign, on_delete=models.CASCADE, primary_key=True, related_name="rollup_state"
    )
    counted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.campaign_id} · {self.counted_at}"


class RollupMark(models.Model):
    """That something has changed at a place since it was counted; the whole campaign where `place`
    is empty. Written by triggers (migration `0002_rollup_marks`), in the transaction of what has
    changed, so that no writer waits for another one."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="rollup_marks")
    place = models.CharField(max_length=48, blank=True)

    def __str__(self) -> str:
        return f"{self.campaign_id} · {self.place}"


class Cell(models.Model):
    """Where and of which tier. `place` is the path of the union directly above a grassroots union,
    or of the county or township union itself. The cells of the city and of what stands directly
    under it exist twice: on their own, and as the total of everything below (`is_total`)."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="+")
    place = models.CharField(max_length=48)
    tier = models.CharField(max_length=10, choices=Tier)
    is_total = models.BooleanField(default=False)

    class Meta:
        abstract = True


class Rollup(Cell):
    """How many unions have come how far. See `rollups.Figures`."""

    registered = models.PositiveIntegerField()
    started = models.PositiveIntegerField()
    submitted = models.PositiveIntegerField()
    endorsed = models.PositiveIntegerField()
    reviewed = models.PositiveIntegerField()
    decided = models.PositiveIntegerField()
    at_standard = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "is_total", "place", "tier"], name="rollup_once_a_cell"
            )
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id} · {self.place} · {self.tier}"


class RollupScore(Cell):
    """What was decided for one indicator or criterion, or in total. See `rollups.Scores`."""

    code = models.CharField(max_length=10)
    unions = models.PositiveIntegerField()
    points = models.BigIntegerField()
    maximum = models.BigIntegerField()
    met = models.PositiveIntegerField()
    below_60 = models.PositiveIntegerField()
    from_60 = models.PositiveIntegerField()
    from_70 = models.PositiveIntegerField()
    from_80 = models.PositiveIntegerField()
    from_90 = models.PositiveIntegerField()
    rated = models.PositiveIntegerField()
    numerator = models.BigIntegerField()
    denominator = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "is_total", "place", "tier", "code"],
                name="rollup_score_once_a_cell",
            )
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id} · {self.place} · {self.tier} · {self.code}"
