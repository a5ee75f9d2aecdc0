#pragma once
// The tokens of connectors, as a Secret holds them.

#include <vector>

#include "base/result.h"
#include "routing/manifest.h"
#include "routing/table.h"

namespace adit::routing {

/// The hash of the Secret's key "token", then that of "previous-token" unless it is absent or empty: while a token is
/// being replaced, both open links. One final line break is no part of a token. A token is 16 to 4096 printable ASCII
/// characters without spaces: it travels in an Authorization header. The error never tells what it is.
base::Result<std::vector<TokenHash>> read_connector_token(const SecretObject& secret);

}  // namespace adit::routing
