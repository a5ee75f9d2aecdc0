#pragma once
// The operator as a whole: builds its parts, runs them, and ends them in order.

#include "operator/options.h"

namespace adit::controller {

/// Runs until SIGTERM or SIGINT. Returns the exit code: 0 after an orderly end, 1 when it could not start.
int serve(const Options& options);

}  // namespace adit::controller
