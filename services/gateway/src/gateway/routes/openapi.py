"""The API's description: `python -m gateway.routes.openapi docs/openapi.json` writes it."""

import json
import sys
from pathlib import Path
from typing import Any, cast

from common.clock import SYSTEM_CLOCK
from gateway.routes.api import Stories, make_api


class _Absent:
    """Stands for every story: describing routes calls none of them."""

    def __getattr__(self, name: str) -> "_Absent":
        return self


def document() -> str:
    """The OpenAPI document as it is committed."""
    api = make_api(cast("Stories", _Absent()), clock=SYSTEM_CLOCK)
    described: dict[str, Any] = api.openapi()
    return json.dumps(described, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(document(), encoding="utf-8")
