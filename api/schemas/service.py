from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Health(BaseModel):
    """That the process answers."""

    status: Literal["ok"]


class Readiness(BaseModel):
    """What is being served."""

    model_config = ConfigDict(protected_namespaces=())

    status: Literal["ready"]
    model_id: int = Field(description="The version that answers.")
    failure: str | None = Field(
        description="Why the version that answers may not be the champion; null if it is."
    )
