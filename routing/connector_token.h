#pragma once
// The token of a connector, as a Secret holds it.

#include "base/result.h"
#include "routing/manifest.h"
#include "routing/table.h"

namespace adit::routing {

/// The hash of the Secret's key "token", of which one final line break is no part. A token is 16 to 4096 printable
/// ASCII characters without spaces: it travels in an Authorization header. The error never tells what it is.
base::Result<TokenHash> read_connector_token(const SecretObject& secret);

}  // namespace adit::routing
