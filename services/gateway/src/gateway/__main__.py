from common.runtime import run_service
from gateway.app import build_app
from gateway.settings import GatewaySettings

if __name__ == "__main__":
    run_service("gateway", GatewaySettings, build_app)
