#pragma once
// The certificate by which gateways know each other: in files that are read again when they change, or from elsewhere.

#include <filesystem>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/published.h"
#include "base/result.h"
#include "net/tls_mutual.h"

namespace adit::gateway {

/// --peer-cert, --peer-key and --peer-ca; all or none.
struct PeerFiles {
  std::filesystem::path chain;
  std::filesystem::path key;
  std::filesystem::path ca;
};

/// The same as PEM texts.
struct PeerKeys {
  std::string chain;
  std::string key;
  std::string ca;

  friend bool operator==(const PeerKeys&, const PeerKeys&) = default;
};

/// Not safe to share.
class PeerCredentials {
 public:
  /// Without files that which is published in `given` counts. `clear`: without files, peers talk in the clear.
  PeerCredentials(PeerFiles files, bool clear, const base::Published<PeerKeys>& given)
      : files_(std::move(files)), clear_(clear), given_(given) {}

  bool in_the_clear() const { return clear_ && files_.chain.empty(); }
  /// The first reading of the files, whose failure ends the program's start.
  base::Result<void> load();
  /// For a connection that begins now; nullptr: nothing was given yet, so there can be none. Files are read again at
  /// most once a second; what cannot be used leaves the last good state in force and is logged once.
  const net::MutualTls* tls(base::TimePoint now);

 private:
  base::Result<PeerKeys> read() const;
  void look_at_files();
  void look_at_given();
  void use(const PeerKeys& keys, net::MutualTls tls);

  const PeerFiles files_;
  const bool clear_;
  const base::Published<PeerKeys>& given_;
  std::uint64_t given_seen_ = 0;
  PeerKeys keys_;  ///< of tls_
  net::MutualTls tls_;
  std::string fault_;  ///< of the last look
  bool told_ = false;  ///< fault_ was logged
  base::TimePoint looked_{};
};

}  // namespace adit::gateway
