"""The tiers of the tree and the roles that people hold in it."""

from django.db.models import TextChoices


class Tier(TextChoices):
    """Where a union stands (层级). Three tiers are assessed: see ASSESSED_TIERS."""

    CITY = "CITY", "市总工会"
    COUNTY = "COUNTY", "县（市、区）工会"
    INDUSTRY = "INDUSTRY", "产业工会"
    TOWNSHIP = "TOWNSHIP", "乡镇（街道）工会"
    GRASSROOTS = "GRASSROOTS", "基层工会"


ASSESSED_TIERS = (Tier.COUNTY, Tier.TOWNSHIP, Tier.GRASSROOTS)

#: The tiers under which a union of each tier may stand. The rule is enforced a second time by
#: triggers in the database; keep migration 0002 in step. Tiers only ever descend: no cycles.
PARENT_TIERS: dict[Tier, tuple[Tier, ...]] = {
    Tier.CITY: (),
    Tier.COUNTY: (Tier.CITY,),
    Tier.INDUSTRY: (Tier.CITY,),
    Tier.TOWNSHIP: (Tier.COUNTY,),
    Tier.GRASSROOTS: (Tier.TOWNSHIP, Tier.COUNTY, Tier.INDUSTRY, Tier.CITY),
}


class Role(TextChoices):
    """What a member of an organization does in the portal (a user may hold several)."""

    REPORTER = "REPORTER", "填报员"
    HEAD = "HEAD", "负责人"
    VIEWER = "VIEWER", "观察员"
    REVIEWER = "REVIEWER", "评审员"
    LEAD_REVIEWER = "LEAD_REVIEWER", "评审组长"
    ADMIN = "ADMIN", "管理员"


#: The tiers at which a role can be held; a role that is not named here fits every tier.
ROLE_TIERS: dict[Role, tuple[Tier, ...]] = {
    Role.REVIEWER: (Tier.CITY,),
    Role.LEAD_REVIEWER: (Tier.CITY,),
    Role.ADMIN: (Tier.CITY, Tier.COUNTY),
}
