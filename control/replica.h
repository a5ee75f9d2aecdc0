#pragma once
// The gateway's side: what the operator said, checked, as a set of configurations that do not contradict each other.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "control/certificate_use.h"
#include "control/claims.h"
#include "control/messages.h"
#include "control/tunnel_check.h"
#include "routing/configuration.h"

namespace adit::control {

/// Sans-io. Messages gather until the state that they make is whole; then the set changes at once. A tunnel that is
/// wrong is refused alone and its former configuration stays, but for hosts and paths that others now hold. One thread.
class Replica {
 public:
  /// A new connection: what the last session left half said is dropped; what is in force stays.
  void begin_session();

  /// A message of the operator. An error ends the session, and changes nothing that is in force.
  base::Result<void> take(std::string_view text);

  /// What came about since the last apply().
  struct News {
    bool set_changed = false;           ///< a new table is to be made of set()
    std::vector<std::string> answers;   ///< to be sent once it is in force: refusals, then the acknowledgement
    std::vector<std::string> warnings;  ///< for the log
  };
  bool has_news() const { return news_; }
  News apply();

  /// In the order of ids.
  std::vector<routing::TunnelConfigurationPtr> set() const;
  std::size_t tunnels() const { return held_.size(); }
  /// Tunnels of which the newest configuration was refused.
  std::size_t refused() const { return refused_.size(); }
  /// Of the set; absent before the first synced.
  const std::optional<Version>& version() const { return version_; }
  /// A full state has come in this session.
  bool is_synced() const { return synced_; }
  /// The checked key pair for the link listener; nullptr if the operator sent none. Another pointer is another value.
  const std::shared_ptr<const routing::Certificate>& link_certificate() const { return link_certificate_; }
  /// What the operator said of other gateways last; nullptr if nothing. Another pointer is another value. Addresses and
  /// PEM texts are as they came.
  const std::shared_ptr<const PeersMessage>& peers() const { return peers_; }
  const std::shared_ptr<const PeerCertificateMessage>& peer_certificate() const { return peer_certificate_; }

  /// The text of a file from which read_copy() makes this state again, private keys included; version() must be there.
  std::string write_copy() const;
  /// On a new replica. Refused with the reason when the text was cut or changed, or is of another format; the replica
  /// is as new then.
  base::Result<void> read_copy(std::string_view text);

 private:
  using Held = std::map<std::string, routing::TunnelConfigurationPtr, std::less<>>;

  /// The newest thing said of a tunnel since the state was whole.
  struct Change {
    std::uint64_t order;
    Version version;
    bool removed = false;
    routing::TunnelConfigurationPtr configuration;  ///< nullptr: the former one stays
    std::string refusal;                            ///< why, unless it is only kept
  };
  using Changes = std::map<std::string, Change, std::less<>>;

  base::Result<void> on(CertificateMessage& message);
  base::Result<void> on(TunnelMessage& message);
  base::Result<void> on(RemoveMessage& message);
  base::Result<void> on(KeepMessage& message);
  base::Result<void> on(SyncedMessage& message);
  base::Result<void> on(LinkCertificateMessage& message);
  base::Result<void> on(PeerCertificateMessage& message);
  base::Result<void> on(PeersMessage& message);
  base::Result<void> check_version(const Version& version);
  base::Result<void> gather(std::string id, Change change, std::vector<std::string> fingerprints, bool more);

  void commit_whole();
  void commit_changes();
  void hold_changes(const Held& former);
  void hold_change(const std::string& id, Change& change);
  void hold(const std::string& id, routing::TunnelConfigurationPtr configuration);

  Held held_;      ///< the set
  Claims claims_;  ///< of the set
  std::optional<Version> version_;
  std::shared_ptr<const routing::Certificate> link_certificate_;
  std::shared_ptr<const PeersMessage> peers_;
  std::shared_ptr<const PeerCertificateMessage> peer_certificate_;
  std::map<std::string, std::string, std::less<>> refused_;  ///< id → reason
  std::set<std::string> former_;                             ///< ids of the set that were refused or kept since
  /// By fingerprint, as long as something uses them: a certificate that is known is neither checked nor kept twice.
  std::unordered_map<std::string, std::weak_ptr<const routing::Certificate>> known_;

  // Of the session.
  bool is_copy_ = false;         ///< its messages come from read_copy()
  std::optional<Version> said_;  ///< the newest version that was named
  bool synced_ = false;
  std::uint64_t orders_ = 0;
  Changes changes_;
  CertificateUse certificate_use_;
  std::unordered_map<std::string, CheckedCertificate> certificates_;  ///< by fingerprint

  // For apply().
  bool news_ = false;
  bool set_changed_ = false;
  bool acknowledge_ = false;
  std::vector<RefusedMessage> refusals_;
  std::vector<std::string> warnings_;
};

}  // namespace adit::control
