import sys

from common.runtime import run_service
from gateway import first_admin
from gateway.app import build_app
from gateway.settings import GatewaySettings

if __name__ == "__main__":
    if sys.argv[1:2] == [first_admin.COMMAND]:
        first_admin.run(sys.argv[2:])
    else:
        run_service("gateway", GatewaySettings, build_app)
