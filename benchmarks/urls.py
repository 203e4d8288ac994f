"""The portal's own addresses, and the bare pages beside them."""

from django.urls import include, path

from benchmarks import pages, uploads

urlpatterns = [
    path("bare/form/<int:pk>/", pages.plain_form),
    path("bare/rows/", pages.one_query),
    path("bare/upload/", uploads.store_only),
    path("", include("liuhao_portal.urls")),
]
