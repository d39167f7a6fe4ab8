"""The worker of `benches.log`: writes lines of a run at a rate through its RunLog."""

from __future__ import annotations

import json
import sys
import time
import uuid

import django


def main() -> None:
    run_id, token, rate, seconds = json.loads(sys.argv[1])
    django.setup()
    from runs import lifecycle
    from runs.claims import Claim
    from runs.log import RunLog
    from runs.models import Status

    claim = Claim(run_id, 1, uuid.UUID(token))
    written = 0
    with RunLog(claim) as log:
        started = time.monotonic()
        while (passed := time.monotonic() - started) < seconds:
            while written < passed * rate:
                written += 1
                log.info(
                    f"{time.time():.6f} line {written}: a line about as long as those "
                    "that tools and stages write"
                )
            time.sleep(min(0.004, 0.5 / rate))
        log.flush()
        lifecycle.finish(claim, Status.COMPLETED)
    print(json.dumps({"written": written, "cpu_s": round(time.process_time(), 1)}))


if __name__ == "__main__":
    main()
