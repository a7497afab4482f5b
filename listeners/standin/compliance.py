"""Batch compliance: jobs that say which of the posts that a client holds were taken away at the source.

The wire is that of https://docs.x.com/x-api/compliance/batch-compliance: a job is created, the ids go to its
``upload_url`` one a line, and once it is complete its ``download_url`` holds one JSON object a line for each id that
needs action. An id without line is still as it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

import orjson

from listeners.standin.archive import Archive
from listeners.standin.wire import PROBLEMS, Problem, invalid, stamp

UPLOAD_FOR = timedelta(minutes=15)
DOWNLOAD_FOR = timedelta(days=7)
FIRST_ID = 1_800_000_000_000_000_000
_STATES = ("created", "in_progress", "failed", "complete", "expired")


@dataclass
class Job:
    """One job. Times are UTC; ``results`` are the lines to download."""

    id: str
    name: str | None
    created_at: datetime
    uploaded_at: datetime | None = None
    results: bytes = b""


class Jobs:
    """The jobs of one stand-in; safe to use from several threads. A job takes ``seconds`` from its upload on."""

    def __init__(
        self, archive: Archive, clock: Callable[[], datetime], *, url: Callable[[], str], seconds: float
    ) -> None:
        self.archive, self.clock, self.url, self.seconds = archive, clock, url, timedelta(seconds=seconds)
        self._jobs: dict[str, Job] = {}
        self._lock = Lock()

    def create(self, body: Any) -> dict[str, Any]:
        """The answer to ``POST /2/compliance/jobs``. Raises Problem 409 while another job is not done."""
        self._check_type(body if isinstance(body, dict) else {})
        with self._lock:
            if any(self._state(job) in ("created", "in_progress") for job in self._jobs.values()):
                raise Problem(
                    409, "Conflict", "A compliance job of this type is not done yet: one can run at a time.",
                    f"{PROBLEMS}/conflict",
                )  # fmt: skip
            job = Job(str(FIRST_ID + len(self._jobs) + 1), body.get("name"), self.clock())
            self._jobs[job.id] = job
        return {"data": self._shown(job)}

    def listed(self, params: Mapping[str, str]) -> dict[str, Any]:
        """The answer to ``GET /2/compliance/jobs``. Raises Problem."""
        self._check_type(params)
        state = params.get("status")
        if state is not None and state not in _STATES:
            raise invalid(
                f"The `status` query parameter value [{state}] is not one of [{','.join(_STATES)}]", status=state
            )
        found = [self._shown(job) for job in self._jobs.values() if state in (None, self._state(job))]
        return ({"data": found} if found else {}) | {"meta": {"result_count": len(found)}}

    def one(self, job_id: str) -> dict[str, Any]:
        """The answer to ``GET /2/compliance/jobs/:id``. Raises Problem 404."""
        return {"data": self._shown(self._job(job_id))}

    def upload(self, path: str, body: bytes) -> None:
        """Takes the ids of a job, one a line. Raises Problem: 404, 400 for a line that is no id, 403 when too late."""
        job = self._signed(path)
        if self._state(job) != "created":
            raise Problem(403, "Forbidden", f"The job is {self._state(job)}: nothing can be uploaded")
        ids = body.split()
        for number, line in enumerate(ids, 1):
            if not line.isdigit() or len(line) > 19:
                raise Problem(400, "Invalid Request", f"Line {number} is no id", f"{PROBLEMS}/invalid-request")
        job.results = b"".join(self._lines([line.decode() for line in ids]))
        job.uploaded_at = self.clock()

    def download(self, path: str) -> bytes:
        """The results of a job, one JSON object a line. Raises Problem 404 before it is complete."""
        job = self._signed(path)
        if self._state(job) != "complete":
            raise Problem(404, "Not Found", f"The job is {self._state(job)}: there are no results")
        return job.results

    def _lines(self, ids: list[str]) -> list[bytes]:
        """What became of each id. X's words for an edit are not written down anywhere: ``edited`` is ours."""
        gone, replaced = self.archive.gone, self.archive.replaced
        posts = {tweet.id: tweet for tweet in self.archive.played}
        lines = []
        for key in ids:
            if key in gone:
                at, reason = gone[key].at, gone[key].reason
            elif key in replaced:
                at, reason = replaced[key].created_at, "edited"
            else:
                continue
            line = {"id": key, "action": "delete", "created_at": stamp(posts[key].created_at)}
            lines.append(orjson.dumps(line | {"redacted_at": stamp(at), "reason": reason}) + b"\n")
        return lines

    def _check_type(self, given: Mapping[str, Any]) -> None:
        if given.get("type") != "tweets":
            raise invalid("`type` must be tweets: the stand-in keeps no accounts", type=str(given.get("type")))

    def _job(self, job_id: str) -> Job:
        if job_id not in self._jobs:
            raise Problem(404, "Not Found Error", f"Could not find compliance job with id: [{job_id}].")
        return self._jobs[job_id]

    def _signed(self, path: str) -> Job:
        job_id, _, signature = path.rpartition("/")[2].partition("-")
        job = self._job(job_id)
        if signature != _signature(job):
            raise Problem(403, "Forbidden", "The signature of the address is wrong")
        return job

    def _state(self, job: Job) -> str:
        now = self.clock()
        if job.uploaded_at is None:
            return "created" if now < job.created_at + UPLOAD_FOR else "expired"
        return "complete" if now >= job.uploaded_at + self.seconds else "in_progress"

    def _shown(self, job: Job) -> dict[str, Any]:
        signed = f"{job.id}-{_signature(job)}"
        shown = {
            "id": job.id,
            "type": "tweets",
            "name": job.name,
            "status": self._state(job),
            "resumable": False,
            "created_at": stamp(job.created_at),
            "upload_url": f"{self.url()}/compliance/upload/{signed}",
            "upload_expires_at": stamp(job.created_at + UPLOAD_FOR),
            "download_url": f"{self.url()}/compliance/download/{signed}",
            "download_expires_at": stamp(job.created_at + DOWNLOAD_FOR),
        }
        return {key: value for key, value in shown.items() if value is not None}


def _signature(job: Job) -> str:
    """What makes the address of a job hard to guess by mistake; it keeps nobody out of a rehearsal."""
    return hashlib.sha256(f"{job.id} {job.created_at.isoformat()}".encode()).hexdigest()[:24]
