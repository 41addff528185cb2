"""Make database and broker ready for the services: `python -m common.prepare` migrates and provisions topics."""

import asyncio
import sys

from common.db.migrate import migrate
from common.errors import ConfigurationError, InfrastructureError
from common.kafka.provisioning import ensure_topics
from common.settings import CommonSettings, exit_with, load_settings


def main() -> None:
    try:
        settings = load_settings(CommonSettings)
        migrate(settings.database_url.get_secret_value())
        asyncio.run(ensure_topics(settings.kafka_bootstrap_servers, settings.environment))
    except ConfigurationError as error:
        exit_with(error)
    except InfrastructureError as error:
        sys.stderr.write(f"cannot prepare: {error}\n")
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
