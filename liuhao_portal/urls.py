from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.i18n import set_language

from assessments import api
from liuhao_portal import views
from organizations.views import identity, profile, second_factor, sign_in

account_urls = [
    path("login/", sign_in.SignIn.as_view(), name="login"),
    path("logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("alive/", sign_in.alive, name="alive"),
    path("identity/", identity.switch, name="identity_switch"),
    path("password/", sign_in.OwnPassword.as_view(), name="password_change"),
    path(
        "password/done/",
        auth_views.PasswordChangeDoneView.as_view(),
        name="password_change_done",
    ),
    path("profile/", profile.profile, name="profile"),
    path("profile/sessions/", profile.end_sessions, name="sessions_end"),
    path("second-factor/", second_factor.verify, name="second_factor_verify"),
    path("second-factor/enrol/", second_factor.enrol, name="second_factor_enrol"),
    path("second-factor/codes/", second_factor.renew_codes, name="second_factor_codes"),
    path("second-factor/disable/", second_factor.disable, name="second_factor_disable"),
]

urlpatterns = [
    path("accounts/", include(account_urls)),
    path("admin/", admin.site.urls),
    path("api/v1/", api.paths()),
    path("health/", views.health, name="health"),
    path("language/", login_not_required(set_language), name="language"),
    path("language/words.js", views.words, name="words"),
    path("", include("organizations.urls")),
    path("", include("assessments.urls")),
]
