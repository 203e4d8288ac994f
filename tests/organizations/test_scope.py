"""Which organizations a user may see: one queryset method decides."""

import pytest

from organizations.choices import Role
from organizations.models import Membership, Organization
from tests.factories import make_user

pytestmark = pytest.mark.django_db

COUNTY = {"county", "township", "own", "sibling"}
ALL = COUNTY | {"city", "other_county", "other_township", "foreign", "industry", "direct"}


@pytest.mark.parametrize(
    ("user", "seen"),
    [
        ("reporter", {"own"}),
        ("head", {"own"}),
        ("own_viewer", {"own"}),
        ("sibling_head", {"sibling"}),
        ("township_head", {"township", "own", "sibling"}),
        ("county_head", COUNTY),
        ("county_admin", COUNTY),
        ("reviewer", {"city"}),
        ("lead", ALL),
        ("admin", ALL),
        ("leader", ALL),
        ("nobody", set()),
    ],
)
def test_visible_to(city, user, seen):
    visible = Organization.objects.visible_to(getattr(city, user))
    assert set(visible) == {getattr(city, name) for name in seen}


def test_several_roles_add_up(city):
    user = make_user((city.own, Role.REPORTER), (city.foreign, Role.HEAD))
    assert set(Organization.objects.visible_to(user)) == {city.own, city.foreign}


def test_a_dissolved_union_gives_no_role_but_stays_visible_above(city):
    Organization.objects.filter(pk=city.own.pk).update(dissolved_on="2026-01-01")
    assert not Organization.objects.visible_to(city.reporter).exists()
    assert city.own in Organization.objects.visible_to(city.county_head)


@pytest.mark.parametrize(
    ("place", "role", "fits"),
    [
        ("city", Role.REVIEWER, True),
        ("county", Role.REVIEWER, False),
        ("county", Role.ADMIN, True),
        ("township", Role.ADMIN, False),
        ("own", Role.LEAD_REVIEWER, False),
        ("own", Role.HEAD, True),
    ],
)
def test_roles_fit_tiers(city, place, role, fits):
    membership = Membership(user=city.nobody, organization=getattr(city, place), role=role)
    if fits:
        membership.full_clean()
    else:
        with pytest.raises(Exception, match="只能设在"):
            membership.full_clean()


def test_a_superuser_sees_every_union_without_a_role(city):
    root = make_user(is_superuser=True)
    assert set(Organization.objects.visible_to(root)) == set(Organization.objects.all())
