from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.urls import include, path

from liuhao_portal import views

account_urls = [
    path("login/", auth_views.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("password/", auth_views.PasswordChangeView.as_view(), name="password_change"),
    path(
        "password/done/",
        auth_views.PasswordChangeDoneView.as_view(),
        name="password_change_done",
    ),
]

urlpatterns = [
    path("accounts/", include(account_urls)),
    path("admin/", admin.site.urls),
    path("health/", views.health, name="health"),
    path("", include("organizations.urls")),
    path("", include("assessments.urls")),
]
