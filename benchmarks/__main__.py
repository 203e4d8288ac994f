"""`make bench`: the portal against the bare thing, side by side.

Runs on a database of its own in a temporary folder (SQLite), or on DATABASE_URL's *empty*
database. Each figure is the median of several rounds, A and B in turn.
"""

import os
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Callable

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "liuhao_portal.settings")
os.environ.setdefault("SECRET_KEY", "for-benchmarks-only-" + "x" * 50)
os.environ.setdefault("ALLOWED_HOSTS", "testserver")
os.environ["HTTPS"] = "off"
os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="portal-bench-")

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402

from benchmarks import data, imports, pages, uploads, workbook  # noqa: E402

IMPORTED = 10_000
ORGANIZATIONS = int(os.environ.get("BENCH_ORGANIZATIONS", "10000"))


def compare(title: str, ours: Callable[[], None], bare: Callable[[], None], rounds: int) -> None:
    """Time the two in turn and print the ratio bare ÷ ours in rate (above 1: ours is faster), by the
    clock and by processor time, which other work on the machine disturbs less."""
    clock: dict[str, list[float]] = {"ours": [], "bare": []}
    processor: dict[str, list[float]] = {"ours": [], "bare": []}
    ours(), bare()
    for _ in range(rounds):
        for name, job in (("ours", ours), ("bare", bare)):
            start, used = time.perf_counter(), time.process_time()
            job()
            clock[name].append(time.perf_counter() - start)
            processor[name].append(time.process_time() - used)
    mine, theirs = statistics.median(clock["ours"]), statistics.median(clock["bare"])
    ratio = statistics.median(processor["bare"]) / statistics.median(processor["ours"])
    print(
        f"{title:<58}{mine * 1000:>10.1f} ms{theirs * 1000:>10.1f} ms"
        f"{theirs / mine:>9.2f} x the rate{ratio:>7.2f} x by processor time"
    )


def peak(job: Callable[[], None]) -> float:
    """Peak of Python's own memory during the job, in MB."""
    tracemalloc.start()
    job()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / 1024 / 1024


def main() -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES["staticfiles"] = {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
    }
    settings.ROOT_URLCONF = "benchmarks.urls"
    settings.STATIC_ROOT.mkdir(exist_ok=True)
    call_command("migrate", verbosity=0)
    world = data.make(ORGANIZATIONS)
    print(f"{ORGANIZATIONS} grassroots unions\n{'':<58}{'portal':>13}{'bare':>13}")
    compare(
        "criterion page / the same fields in a plain Django form",
        pages.criterion_page(world),
        pages.getting(world.reporter, f"/bare/form/{world.assessment.pk}/"),
        rounds=30,
    )
    compare(
        "list of 50 unions / a page of one query and 20 rows",
        pages.oversight(world),
        pages.getting(world.lead, "/bare/rows/"),
        rounds=30,
    )
    compare(
        "reviewer's queue of 50 / a page of one query and 20 rows",
        pages.queue(world),
        pages.getting(world.lead, "/bare/rows/"),
        rounds=30,
    )
    compare(
        "table of 50 decisions with ranks / one query and 20 rows",
        pages.decisions(world),
        pages.getting(world.lead, "/bare/rows/"),
        rounds=30,
    )
    for megabytes in (2, 20):
        size = megabytes * 1024 * 1024 - 2000
        compare(
            f"evidence of {megabytes} MB / a view that only stores the file",
            uploads.evidence(world, size),
            uploads.bare(world, size),
            rounds=15,
        )
    compare(
        "summary workbook / openpyxl write-only, the same cells",
        workbook.summary(world),
        workbook.bare(world),
        rounds=3,
    )
    print(f"summary workbook, peak of Python's memory: {peak(workbook.summary(world)):.1f} MB")
    content = imports.listing(IMPORTED)
    importing = imports.importing(content)
    compare(
        f"import of {IMPORTED} unions / calamine and bulk_create alone",
        importing,
        imports.bare(content),
        rounds=5,
    )
    print(
        f"import, peak of Python's memory: {peak(importing):.1f} MB; "
        f"of the child that reads: {imports.peak_of_reader(content):.1f} MB"
    )
    compare(
        "sharing three quarters out among 30 / one query and 20 rows",
        pages.plan(world),
        pages.getting(world.lead, "/bare/rows/"),
        rounds=3,
    )


main()
