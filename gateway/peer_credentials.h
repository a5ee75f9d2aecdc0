#pragma once
// The certificate by which gateways know each other, in files that are read again when they change.

#include <filesystem>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "net/tls_mutual.h"

namespace adit::gateway {

/// --peer-cert, --peer-key and --peer-ca; all or none.
struct PeerFiles {
  std::filesystem::path chain;
  std::filesystem::path key;
  std::filesystem::path ca;
};

/// Not safe to share.
class PeerCredentials {
 public:
  /// Without files peers talk in the clear.
  explicit PeerCredentials(PeerFiles files) : files_(std::move(files)) {}

  bool encrypted() const { return !files_.chain.empty(); }
  /// The first reading, whose failure ends the program's start.
  base::Result<void> load();
  /// For a connection that begins now: what the files hold. They are read again at most once a second; what cannot be
  /// used leaves the last good state in force and is logged once. Only when encrypted() and after load().
  const net::MutualTls& tls(base::TimePoint now);

 private:
  struct Texts {
    std::string chain;
    std::string key;
    std::string ca;
    bool operator==(const Texts&) const = default;
  };
  base::Result<Texts> read() const;

  const PeerFiles files_;
  Texts texts_;  ///< of tls_
  net::MutualTls tls_;
  std::string fault_;  ///< of the last look
  bool told_ = false;  ///< fault_ was logged
  base::TimePoint looked_{};
};

}  // namespace adit::gateway
