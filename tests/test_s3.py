"""Uploads in an S3-compatible bucket, by settings alone: real boto3 against a bucket of our own."""

import re
import threading
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import default_storage, storages
from django.core.management import call_command
from django.urls import reverse

from assessments.models import Evidence, StoredFile
from liuhao_portal import env
from tests.assessments.views.test_uploading import begin, patch, send
from tests.factories import make_self_assessment
from tests.test_settings import GOOD, manage
from tests.uploads import JPG, PDF

pytestmark = pytest.mark.django_db


class Bucket(BaseHTTPRequestHandler):
    """As much of S3 as the portal asks for: put, get, head, delete and list."""

    protocol_version = "HTTP/1.1"
    objects: dict[str, bytes] = {}
    refuses = False

    def log_message(self, *args):
        """Silent."""

    @property
    def key(self):
        return unquote(urlsplit(self.path).path).removeprefix("/evidence-bucket/")

    def answer(self, status, content=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def fail(self, status, code):
        self.answer(status, f"<Error><Code>{code}</Code></Error>".encode())

    def do_PUT(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if "aws-chunked" in self.headers.get("Content-Encoding", ""):
            content = plain(content)
        if self.refuses:
            return self.fail(403, "QuotaExceeded")
        self.objects[self.key] = content
        return self.answer(200, ETag='"x"')

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        query = parse_qs(urlsplit(self.path).query)
        if "prefix" in query:
            return self.answer(200, self.listing(query), Content_Type="application/xml")
        if self.key not in self.objects:
            return self.fail(404, "NoSuchKey")
        now = formatdate(usegmt=True)
        return self.answer(200, self.objects[self.key], ETag='"x"', Last_Modified=now)

    def do_DELETE(self):
        self.objects.pop(self.key, None)
        self.answer(204)

    def listing(self, query):
        prefix = query.get("prefix", [""])[0]
        names = [name for name in sorted(self.objects) if name.startswith(prefix)]
        folders = {
            f"{prefix}{rest.split('/')[0]}/"
            for name in names
            if "/" in (rest := name[len(prefix) :])
        }
        files = [name for name in names if "/" not in name[len(prefix) :]]
        return (
            "<ListBucketResult><IsTruncated>false</IsTruncated>"
            + "".join(f"<Contents><Key>{escape(name)}</Key></Contents>" for name in files)
            + "".join(
                f"<CommonPrefixes><Prefix>{escape(one)}</Prefix></CommonPrefixes>"
                for one in folders
            )
            + "</ListBucketResult>"
        ).encode()


def plain(content):
    """The bytes of a body in signed chunks."""
    parts, place = [], 0
    while found := re.compile(rb"([0-9a-f]+)[^\r]*\r\n").match(content, place):
        length = int(found[1], 16)
        if not length:
            break
        parts.append(content[found.end() : found.end() + length])
        place = found.end() + length + 2
    return b"".join(parts)


@pytest.fixture
def bucket(monkeypatch):
    """The portal's storage as the environment describes it, and what lies in the bucket."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bucket)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Bucket.objects, Bucket.refuses = {}, False
    for name, value in {
        "S3_BUCKET": "evidence-bucket",
        "S3_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
        "S3_REGION": "local",
        "S3_ACCESS_KEY": "key",
        "S3_SECRET_KEY": "secret",
        "S3_ADDRESSING_STYLE": "path",
    }.items():
        monkeypatch.setenv(name, value)
    storage = storages.create_storage(env.evidence_storage())
    monkeypatch.setattr(default_storage, "_wrapped", storage)
    monkeypatch.setattr(StoredFile._meta.get_field("file"), "storage", storage)
    yield Bucket
    storage.connection.meta.client.close()
    server.shutdown()
    server.server_close()


@pytest.fixture
def assessment(city, campaign, client):
    client.force_login(city.reporter)
    return make_self_assessment(city, campaign, filled=False)


def test_a_file_through_a_bucket(
    client, bucket, assessment, capsys, django_capture_on_commit_callbacks
):
    url = begin(client, assessment, name="会议.pdf").json()["url"]
    patch(client, url, 0, PDF[:100])
    assert [name.split("/")[0] for name in bucket.objects] == ["incoming"]
    assert patch(client, url, 100, PDF[100:]).status_code == 200
    assert send(client, assessment, JPG, "照片.jpg").status_code == 200
    pdf, photo = Evidence.objects.get(name="会议.pdf"), Evidence.objects.get(name="照片.jpg")
    assert bucket.objects[pdf.stored_file.file.name] == PDF
    assert b"".join(client.get(pdf.get_absolute_url()).streaming_content) == PDF
    thumbnail = reverse("assessments:evidence_thumbnail", args=[photo.pk])
    assert client.get(thumbnail).status_code == 200
    assert len(bucket.objects) == 3

    call_command("tidy_evidence")
    assert "orphan" not in capsys.readouterr().out
    assert len(bucket.objects) == 3

    page = reverse("assessments:indicator_evidence", args=[assessment.pk, "G1.01"])
    client.post(page, {"detach": f"G1.01:{photo.pk}"})
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("assessments:evidence_delete", args=[photo.pk]))
    assert list(bucket.objects) == [pdf.stored_file.file.name]


def test_a_bucket_that_takes_nothing_is_told(client, bucket, assessment):
    bucket.refuses = True
    answer = send(client, assessment)
    assert answer.status_code == 507
    assert "存储空间不足" in answer.json()["message"]
    assert bucket.objects == {}


def test_a_file_that_is_gone_from_the_bucket_is_not_found(client, bucket, assessment):
    send(client, assessment)
    bucket.objects.clear()
    assert client.get(Evidence.objects.get().get_absolute_url()).status_code == 404


def test_a_bucket_needs_its_packages(tmp_path, monkeypatch):
    monkeypatch.setenv("S3_BUCKET", "b")
    monkeypatch.setattr(env, "find_spec", lambda name: None)
    with pytest.raises(ImproperlyConfigured, match=r"requirements-s3\.txt"):
        env.evidence_storage()


def test_production_starts_with_a_bucket_without_reaching_it(tmp_path):
    done = manage(tmp_path, "check", **GOOD, S3_BUCKET="b", S3_ENDPOINT="http://127.0.0.1:1")
    assert done.returncode == 0, done.stderr
