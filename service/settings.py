"""What a server is told from outside: flags and SHIBORI_ variables."""

from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from service.logs import Format


class Settings(BaseSettings):
    """The settings of a server."""

    model_config = SettingsConfigDict(env_prefix="SHIBORI_", frozen=True)

    database_url: str = "sqlite:///shibori.db"
    sweep_seconds: float = Field(default=1.0, gt=0, description="How often expired leases are taken back.")
    pause_worker_after: int = Field(
        default=5, ge=0, description="The failures in a row after which a worker is paused; 0 for never."
    )
    log_format: Format | None = Field(default=None, description="Text on a terminal, JSON elsewhere, unless said.")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_requests: Literal["all", "mutations", "none"] = "mutations"
    largest_body_bytes: int = Field(default=16 * 1024 * 1024, ge=1024)
    largest_weights_bytes: int = Field(default=256 * 1024 * 1024, ge=1024)

    @field_validator("database_url")
    @classmethod
    def _supported(cls, url: str) -> str:
        try:
            parsed = make_url(url)
        except ArgumentError as error:
            raise ValueError("must be like sqlite:///shibori.db or postgresql+psycopg://user@host/name") from error
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise ValueError(f"must name SQLite or PostgreSQL, not {parsed.get_backend_name()}")
        if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
            raise ValueError("must name a file: a search whose results live in memory loses them")
        return url
