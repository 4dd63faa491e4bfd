"""Settings: environment variables and nothing else (`docs/settings.md` is made from this file)."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Settings(BaseSettings):
    """Everything an operator can set, each with its default."""

    model_config = SettingsConfigDict(env_prefix="PINGYI_", extra="ignore", populate_by_name=True)

    data: Path = Field(
        default=Path("./data"), description="Folder of the database, the secret and the seals."
    )
    database_url: str = Field(
        default="", description="PostgreSQL URL; empty = SQLite in the data folder."
    )
    redis_url: str = Field(
        default="", description="Redis URL; empty = the bell rings inside one process only."
    )
    secret: str = Field(
        default="", description="The installation's secret; empty = made on first start."
    )
    secret_before: str = Field(
        default="", description="The secret before a change: what was made with it stays good."
    )
    public_url: str = Field(
        default="", description="Address that QR codes and links carry; empty = the request's."
    )
    origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Further allowed origins, separated by commas."
    )
    proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Networks whose X-Forwarded-For counts, separated by commas."
    )
    trusted_nets: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Networks without per-address limits, separated by commas."
    )
    plain_sockets: bool = Field(
        default=False,
        description="The public's sockets, too, take the server's own WebSocket: ten times the memory.",
    )
    ask_work: int = Field(
        default=0,
        ge=0,
        le=24,
        description="Zero bits of work that a browser does before it asks, at most 24; 0 = none.",
    )
    mask_names: Literal["private", "all"] = Field(
        default="private",
        description="Whose names are masked: `all`, or `private`: who is named by an office (局长王某某) stays.",
    )
    workers: int = Field(
        default=1, ge=1, description="Processes of `serve`; more than 1 need PostgreSQL and Redis."
    )
    port: int = Field(default=8000, validation_alias="PORT", description="Port to listen on.")

    @field_validator("origins", "proxies", "trusted_nets", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """A comma list in the environment."""
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("public_url")
    @classmethod
    def _address(cls, value: str) -> str:
        """Links and QR codes carry it whole."""
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("it begins with http:// or https://")
        return value.rstrip("/")

    @field_validator("proxies", "trusted_nets")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Each is an address or a network."""
        for one in value:
            ipaddress.ip_network(one, strict=False)
        return value

    @property
    def whereabouts(self) -> str | None:
        """What to call the data to a person: a database's address may hold a password. None where
        there is none yet."""
        if self.database_url:
            return "PINGYI_DATABASE_URL"
        return str(self.data) if (self.data / "pingyi.db").exists() else None

    @property
    def database(self) -> str:
        """The SQLAlchemy URL, with the asynchronous driver."""
        url = self.database_url
        if not url:
            return f"sqlite+aiosqlite:///{(self.data / 'pingyi.db').resolve()}"
        for plain in ("postgresql://", "postgres://"):
            if url.startswith(plain):
                return url.replace(plain, "postgresql+asyncpg://", 1)
        if url.startswith("sqlite:///"):
            return url.replace("sqlite:///", "sqlite+aiosqlite:///", 1)
        return url
