#pragma once
// Key pairs that were read already: parsing and checking one costs a hundred times as much as seeing that its Secret
// has not changed. And what stays in service while a Secret is bad.

#include <optional>
#include <string>
#include <unordered_map>

#include "routing/certificates.h"
#include "routing/digest.h"

namespace adit::routing {

/// What is known of one TLS Secret.
struct KnownKeyPair {
  std::optional<KeyPair> pair;  ///< the last good one of that Secret; absent when there was none
  std::string fault;            ///< why the Secret as it is now cannot be used; empty: `pair` is what it holds
};

/// Between two compilations it holds the key pairs of the last one. Not safe to share.
class KeyPairs {
 public:
  /// What KeyPair::read() says of the Secret, read only if its data are new; while they are bad, the last good pair of
  /// that Secret, too. Stays where it is until drop_unused().
  const KnownKeyPair& read(const SecretObject& secret);

  /// At the end of a compilation: forgets the Secrets that were not read in it. So a Secret that is deleted takes its
  /// pair along.
  void drop_unused();

  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Sha256 digest{};
    KnownKeyPair known;
    bool is_used = false;
  };

  std::unordered_map<std::string, Entry> entries_;  ///< by "namespace/name", which is the certificate's name
};

}  // namespace adit::routing
