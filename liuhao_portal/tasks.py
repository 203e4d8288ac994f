"""Where background tasks run when no worker process does it (`TASK_WORKER`)."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

from django.db import connections
from django.utils import timezone
from django_tasks.backends.immediate import ImmediateBackend
from django_tasks.base import Task, TaskResult, TaskResultStatus
from django_tasks.utils import get_random_id

_waiting: queue.SimpleQueue[Callable[[], Any]] = queue.SimpleQueue()
_starting = threading.Lock()
_thread: threading.Thread | None = None


class InProcessBackend(ImmediateBackend):
    """One task after another, in one thread beside the requests of this process. The queue goes
    with the process: whoever enqueues keeps a record of what was asked for."""

    def enqueue(self, task: Task, args: Any, kwargs: Any) -> TaskResult:
        self.validate_task(task)
        run = super().enqueue
        _waiting.put(lambda: run(task, args, kwargs))
        _start()
        return TaskResult(
            task=task,
            id=get_random_id(),
            status=TaskResultStatus.READY,
            enqueued_at=timezone.now(),
            started_at=None,
            last_attempted_at=None,
            finished_at=None,
            args=args,
            kwargs=kwargs,
            backend=self.alias,
            errors=[],
            worker_ids=[],
        )


def _start() -> None:
    global _thread
    with _starting:
        if _thread is None or not _thread.is_alive():
            # A daemon: the process may end at any time, and what it leaves is taken up again.
            _thread = threading.Thread(target=_work, name="tasks", daemon=True)
            _thread.start()


def _work() -> None:
    while True:
        job = _waiting.get()
        try:
            job()
        finally:
            connections.close_all()
