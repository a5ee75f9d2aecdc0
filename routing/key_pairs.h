#pragma once
// Key pairs that were read already: parsing and checking one costs a hundred times as much as seeing that its Secret
// has not changed.

#include <string>
#include <unordered_map>

#include "routing/certificates.h"
#include "routing/digest.h"

namespace adit::routing {

/// Between two compilations it holds the key pairs of the last one. Not safe to share.
class KeyPairs {
 public:
  /// What KeyPair::read() says of the Secret, read only if its data are new. Stays where it is until the Secret's data
  /// change or drop_unused().
  const base::Result<KeyPair>& read(const SecretObject& secret);

  /// At the end of a compilation: forgets the Secrets that were not read in it.
  void drop_unused();

  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Sha256 digest;
    base::Result<KeyPair> pair;
    bool is_used;
  };

  std::unordered_map<std::string, Entry> entries_;  ///< by "namespace/name", which is the certificate's name
};

}  // namespace adit::routing
