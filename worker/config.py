"""What a worker process is told by the parent that starts it."""

from pydantic import BaseModel, ConfigDict


class WorkerConfig(BaseModel):
    """Where to work, what for, and what a user's own objective is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    server: str
    objective: str | None = None
    command: str | None = None
    command_name: str = "command"
    study: str | None = None
    exit_when_idle_seconds: float | None = None
