"""A sign of life for a monitoring service outside, which tells people when it stays away.

A line whose machine or worker is dead can't tell anybody. So the line asks for an address while it is well. When that
stops, a service such as healthchecks.io, Uptime Kuma or a company's own sends the alarm.
"""

from __future__ import annotations

import urllib.request

from tasks.logs import log
from tasks.settings import get_settings

TIMEOUT_S = 10.0


def send_heartbeat() -> bool:
    """Ask for the address in ``PACKSHOT_HEARTBEAT_URL``, and return whether it was answered.

    An error is logged without the address, which is a secret, and stops nothing.
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
