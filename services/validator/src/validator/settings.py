"""The validator's settings."""

from typing import Literal

from pydantic import Field

from common.settings import CommonSettings


class ValidatorSettings(CommonSettings):
    validation_profile: Literal["basic"] = "basic"
    validation_workers: int = Field(default=1, ge=1, le=64)
