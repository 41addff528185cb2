"""`/sandbox/faults`: read, replace or clear the script of a face while it runs."""

from collections.abc import Collection
from http import HTTPStatus

from pydantic import ValidationError

from sandbox.faults import Behaviour, Effect, Operation, Script
from sandbox.web import Handler, Plan, Request, error, json_reply

PATH = "/sandbox/faults"


class Player:
    """The script that runs now, and the three calls that change it; `effects` are those that mean something here."""

    def __init__(self, behaviour: Behaviour, main: Operation, effects: Collection[Effect]) -> None:
        self._main: Operation = main
        self._effects = effects
        self._check(behaviour)
        self.script = Script(behaviour, main)

    def play(self, behaviour: Behaviour) -> None:
        """Starts from the beginning of a new script. Raises ValueError for an effect that has no meaning here."""
        self._check(behaviour)
        self.script = Script(behaviour, self._main)

    def routes(self) -> dict[tuple[str, str], Handler]:
        return {("GET", PATH): self._show, ("PUT", PATH): self._replace, ("DELETE", PATH): self._clear}

    def _check(self, behaviour: Behaviour) -> None:
        strange = sorted({rule.effect for rule in behaviour.rules} - set(self._effects))
        if strange:
            raise ValueError(f"no such effect here: {', '.join(strange)}; there are {', '.join(sorted(self._effects))}")

    def _show(self, _: Request) -> Plan:
        return json_reply(self.script.behaviour.model_dump(mode="json"))

    def _replace(self, request: Request) -> Plan:
        try:
            self.play(Behaviour.model_validate_json(request.body))
        except ValidationError as wrong:
            return error(HTTPStatus.UNPROCESSABLE_ENTITY, "INVALID_SCRIPT", _first(wrong))
        except ValueError as wrong:
            return error(HTTPStatus.UNPROCESSABLE_ENTITY, "INVALID_SCRIPT", str(wrong))
        return self._show(request)

    def _clear(self, request: Request) -> Plan:
        self.play(Behaviour(latency=self.script.behaviour.latency, jitter=self.script.behaviour.jitter))
        return self._show(request)


def _first(wrong: ValidationError) -> str:
    detail = wrong.errors()[0]
    return f"{'.'.join(str(part) for part in detail['loc']) or 'the script'}: {detail['msg']}"
