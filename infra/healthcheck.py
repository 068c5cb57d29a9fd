"""Exit with status 0 if a GET on the given URL returns 200; for images without curl."""

from __future__ import annotations

import sys
import urllib.request

TIMEOUT_S = 5


def main(url: str) -> int:
    """Return the exit status."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=TIMEOUT_S) as answer:
            return int(answer.status != 200)
    except OSError as error:
        sys.stderr.write(f"{url}: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
