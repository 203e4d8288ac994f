import pytest


@pytest.fixture
def admin(client, city):
    """The city's administrator, signed in."""
    client.force_login(city.admin)
    return client


@pytest.fixture
def county_admin(client, city):
    client.force_login(city.county_admin)
    return client
