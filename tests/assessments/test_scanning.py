"""Viruses: a real clamd with one signature (the EICAR test file), and no clamd at all."""

import os
import shutil
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse

from assessments import files, library, scanning, worksheet
from assessments.models import Evidence, StoredFile
from tests.factories import make_self_assessment
from tests.uploads import PDF, PNG

pytestmark = pytest.mark.django_db

#: The test file of the European Institute for Computer Antivirus Research, in two halves so that
#: no scanner takes this source for it; as a PDF carries it, in a comment.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + rb"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
INFECTED = PDF + b"\n% " + EICAR + b"\n%%EOF\n"
#: An extended signature: name, any kind of file, any place, the bytes.
SIGNATURE = f"Eicar-Test-Signature:0:*:{EICAR.hex()}\n"

_MISSING = (
    "NO CLAMD: nothing was scanned. Install it (Debian: apt install clamav-daemon); only its "
    "program is needed, neither the service nor the database of signatures."
)


@pytest.fixture(scope="module")
def clamd():
    """A throw-away clamd on a socket of its own; the address."""
    program = shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        with warnings.catch_warnings():  # to be seen, not to be an error
            warnings.simplefilter("always")
            warnings.warn(_MISSING, stacklevel=1)
        pytest.skip(_MISSING)
    # In /tmp whatever TMPDIR says: the path of a socket may have 107 bytes at most.
    folder = Path(tempfile.mkdtemp(prefix="portal-clamd.", dir="/tmp"))
    (folder / "db").mkdir()
    (folder / "db" / "eicar.ndb").write_text(SIGNATURE)
    socket = folder / "clamd.sock"
    (folder / "clamd.conf").write_text(
        f"LocalSocket {socket}\nDatabaseDirectory {folder / 'db'}\nTemporaryDirectory {folder}\n"
        "Foreground yes\nStreamMaxLength 25M\n"
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - the program that was just found
            [program, "-c", str(folder / "clamd.conf")], stdout=log, stderr=log
        )
    try:
        deadline = time.monotonic() + 60
        while not socket.exists():
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, "clamd did not start"
            time.sleep(0.1)
        yield str(socket)
    finally:
        process.terminate()
        process.wait(timeout=30)
        shutil.rmtree(folder)


@pytest.fixture
def scanner(clamd, settings):
    settings.CLAMD_ADDRESS = clamd


@pytest.fixture
def no_answer(settings, tmp_path):
    settings.CLAMD_ADDRESS = str(tmp_path / "nobody.sock")


def add(city, content, name="会议.pdf"):
    return library.add(city.own, SimpleUploadedFile(name, content), city.reporter)


def test_a_clean_file_is_kept_and_can_be_opened(scanner, city, client):
    evidence = add(city, PDF)
    assert evidence.stored_file.scanned_at is not None
    client.force_login(city.reporter)
    assert client.get(evidence.get_absolute_url()).status_code == 200


def test_an_infected_file_is_refused_and_nothing_is_kept(scanner, city):
    with pytest.raises(files.EvidenceRefused, match=r"查出病毒（Eicar-Test-Signature"):
        add(city, INFECTED)
    assert not StoredFile.objects.exists()


def test_a_file_of_the_largest_size_is_scanned(scanner, city, settings):
    content = PDF + os.urandom(settings.EVIDENCE_FILE_MEGABYTES * 1024 * 1024 - 2000)
    evidence = add(city, content + b"\n%%EOF\n")
    assert evidence.stored_file.scanned_at is not None


def test_without_an_answer_a_file_waits_in_quarantine(no_answer, city, client):
    evidence = add(city, PNG, "照片.png")
    client.force_login(city.reporter)
    for name in ("evidence_download", "evidence_content", "evidence_thumbnail"):
        assert client.get(reverse(f"assessments:{name}", args=[evidence.pk])).status_code == 404
    page = client.get(reverse("assessments:evidence_view", args=[evidence.pk]))
    assert "正在等待安全检查" in page.content.decode()
    assert "正在等待安全检查" in client.get(reverse("assessments:library")).content.decode()


def test_the_command_lets_clean_files_out_and_keeps_infected_ones_in(
    no_answer, city, client, settings, clamd, capsys
):
    clean, infected = add(city, PDF), add(city, INFECTED, "坏.pdf")
    settings.CLAMD_ADDRESS = clamd
    call_command("scan_evidence")
    out = capsys.readouterr().out
    assert "1 clean" in out
    assert infected.stored_file.sha256 in out

    client.force_login(city.reporter)
    assert client.get(clean.get_absolute_url()).status_code == 200
    assert client.get(infected.get_absolute_url()).status_code == 404
    page = client.get(reverse("assessments:evidence_view", args=[infected.pk])).content.decode()
    assert "查出病毒（Eicar-Test-Signature" in page
    with pytest.raises(files.EvidenceRefused, match="查出病毒"):
        add(city, INFECTED, "又来.pdf")


def test_what_was_stored_before_the_scanner_was_switched_on_waits_too(city, settings, clamd):
    evidence = add(city, PDF)
    assert not evidence.stored_file.is_quarantined
    settings.CLAMD_ADDRESS = clamd
    assert evidence.stored_file.is_quarantined
    call_command("scan_evidence")
    assert not Evidence.objects.get().stored_file.is_quarantined


def test_new_signatures_are_held_against_what_was_clean(city, settings, clamd):
    add(city, INFECTED)  # let in while the scanner was off …
    StoredFile.objects.update(scanned_at="2026-01-01T00:00Z")  # … and clean by old signatures
    settings.CLAMD_ADDRESS = clamd
    call_command("scan_evidence")
    assert not StoredFile.objects.get().infection
    call_command("scan_evidence", "--all")
    assert StoredFile.objects.get().infection.startswith("Eicar-Test-Signature")


def test_the_command_says_what_is_wrong(no_answer, city):
    add(city, PDF)
    with pytest.raises(CommandError, match="clamd"):
        call_command("scan_evidence")


def test_the_command_without_a_scanner(db):
    with pytest.raises(CommandError, match="CLAMD_ADDRESS"):
        call_command("scan_evidence")


def test_an_infected_file_is_no_evidence(city, campaign):
    assessment = make_self_assessment(city, campaign)
    wanted = "须附佐证材料"
    assert not [text for section in worksheet.load(assessment) for _, text in section.missing]
    StoredFile.objects.update(infection="Eicar-Test-Signature")
    missing = [text for section in worksheet.load(assessment) for _, text in section.missing]
    assert set(missing) == {wanted}


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nonsense"])
def test_no_answer_over_tcp_either(settings, address):
    settings.CLAMD_ADDRESS = address
    with pytest.raises(scanning.ScannerUnavailable):
        scanning.infection_in(SimpleUploadedFile("a", b"x").file)
