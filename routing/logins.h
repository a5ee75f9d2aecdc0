#pragma once
// Logins of BasicAuth from a Secret.

#include <vector>

#include "base/result.h"
#include "routing/filters.h"
#include "routing/manifest.h"

namespace adit::routing {

/// The lines USER:HASH of the key `auth` (as `htpasswd -B` writes them) of a Secret of type Opaque; empty lines and
/// those that begin with "#" do not count. Taken whole or not at all. Refused: hashes other than bcrypt
/// (is_bcrypt_hash()), a user who is there twice, no line, and more than kMostLogins. No reason says anything of a
/// hash.
base::Result<std::vector<BasicAuth::Login>> read_logins(const SecretObject& secret);

}  // namespace adit::routing
