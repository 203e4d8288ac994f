"""`python -m benchmarks.memory`: what the summary workbook needs in memory and in processor time with
10 000, 50 000 and 200 000 unions, and a bare openpyxl that copies the same cells beside it.

Runs on DATABASE_URL's *empty* PostgreSQL database, which `benchmarks.rollups` fills: there the
process holds nothing of the database, while SQLite keeps up to 32 MB of it (`cache_size`). Each job
is a process of its own (`write FILE`, `copy FILE`), of which the kernel says how far it grew.
"""

import os
import resource
import subprocess
import sys
import tempfile

from benchmarks import rollups as world
from benchmarks import workbook


def cost(job: str, name: str) -> str:
    """What a new process says of the job: see `report`."""
    command = [sys.executable, "-m", "benchmarks.memory", job, name]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip("\n")  # noqa: S603


def report(job: str, name: str) -> None:
    """Do the job, and print by how many megabytes the process grew, and its processor time."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    if job == "write":
        with open(name, "wb") as file:
            workbook.write(world.Campaign.objects.get(), file)
    else:
        workbook.copy(name)
    after = resource.getrusage(resource.RUSAGE_SELF)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{(after.ru_maxrss - before.ru_maxrss) / 1024:>9.1f} MB{seconds:>7.1f} s")


def main() -> None:
    campaign, lead = world.begin()
    print(f"{'unions':>10}{'workbook':>12}{'portal':>21}{'bare copy':>21}")
    for size in map(int, world.ARGUMENTS or (10_000, 50_000, 200_000)):
        world.grow(campaign, size, lead)
        world.insert(
            world.DecisionCriterion,
            "FROM assessments_decision d CROSS JOIN generate_series(1, 6) c WHERE NOT EXISTS "
            "(SELECT FROM assessments_decisioncriterion o WHERE o.decision_id = d.id)",
            decision="d.id",
            number="c",
            points="6 + d.id %% 40 / 10.0",
            maximum="10",
            met="d.id %% 3 > 0",
        )
        world.rollups.refresh(campaign)
        with tempfile.TemporaryDirectory() as folder:
            name = f"{folder}/summary.xlsx"
            ours = cost("write", name)
            megabytes = os.path.getsize(name) / 1024 / 1024
            print(f"{size:>10}{megabytes:>9.1f} MB{ours}{cost('copy', name)}", flush=True)


if __name__ == "__main__":
    if world.ARGUMENTS[:1] in (["write"], ["copy"]):
        report(*world.ARGUMENTS)
    else:
        main()
