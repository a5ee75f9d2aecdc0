#pragma once
// The gateway as a whole: builds its parts, runs them, and ends them in order.

#include "gateway/options.h"

namespace adit::gateway {

/// Serves until SIGTERM or SIGINT and then drains; a second signal ends at once. Returns the exit code: 0 after a whole
/// drain, 1 when it could not start or work was cut off. Blocks the signals it waits for in the calling thread.
int serve(const Options& options);

/// --check: prints every problem of the manifests to standard output. 0 if there is none, else 1.
int check(const Options& options);

}  // namespace adit::gateway
