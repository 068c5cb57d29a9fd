"""Send a sign of life to an outside monitoring service. If none comes for a while, the service alarms people.

If the machine or the worker is dead, Packshot can't tell anybody. So it requests an address regularly while it works.
If the requests stop, a service such as healthchecks.io or Uptime Kuma sends the alarm.
"""

from __future__ import annotations

import urllib.request

from tasks.environment.logs import log
from tasks.environment.settings import get_settings

TIMEOUT_S = 10.0


def send_heartbeat() -> bool:
    """Request the address in ``PACKSHOT_HEARTBEAT_URL``; return True if it answered.

    False if no address is set, or if there was an error. An error stops nothing. The error is logged without the
    address, which is a secret.
    """
    url = get_settings().heartbeat_url
    if url is None:
        return False
    try:
        with urllib.request.urlopen(url.get_secret_value(), timeout=TIMEOUT_S):  # noqa: S310  (http and https only)
            return True
    except Exception as error:  # noqa: BLE001  whatever becomes of a sign of life, the line goes on
        log().warning("no sign of life could be sent to %s: %s", "PACKSHOT_HEARTBEAT_URL", type(error).__name__)
        return False
