"""The WSGI entry point: granian serves `liuhao_portal.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "liuhao_portal.settings")

application = get_wsgi_application()
