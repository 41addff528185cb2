"""What all answers of the gateway are."""

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """Fields that this version does not know are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)  # a command needs a few of many


class Ending(Answer):
    status: str

    @property
    def finished(self) -> bool:
        return self.status in {"completed", "failed"}


class Standing(Answer):
    state: str

    @property
    def stands(self) -> bool:
        """Whether nothing of it moves any more by itself."""
        return self.state != "running"
