"""The stories of webhooks, wired."""

from pydantic import SecretStr

from common.clock import SYSTEM_CLOCK, Clock
from common.contracts.webhooks import IPNetwork
from common.db.pool import Database
from gateway.adapters.postgres_deliveries import PostgresDeliveries
from gateway.adapters.postgres_webhooks import PostgresEndpoints
from gateway.adapters.webhook_addresses import WebhookAddresses
from gateway.domain.cursors import Cursors
from gateway.webhooks.stories import ManageEndpoints, TellAgain, WebhookStories


def build_webhooks(
    database: Database,
    cursors: Cursors,
    *,
    key: SecretStr | None,
    networks: tuple[IPNetwork, ...],
    clock: Clock = SYSTEM_CLOCK,
) -> WebhookStories:
    endpoints, deliveries = PostgresEndpoints(database), PostgresDeliveries(database, clock)
    signing, addresses = key.get_secret_value() if key else None, WebhookAddresses(networks)
    manage = ManageEndpoints(endpoints, addresses, cursors, clock, signing)
    return WebhookStories(endpoints, deliveries, manage, TellAgain(deliveries, cursors, clock))
