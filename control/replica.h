#pragma once
// The gateway's side: what the operator said, checked, as a set of configurations that do not contradict each other.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "control/certificate_use.h"
#include "control/claims.h"
#include "control/messages.h"
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

  /// The set has changed since apply(), or there is something to acknowledge.
  bool has_news() const { return news_; }
  /// The set to put in force now, in the order of ids, and what to send once it is.
  struct News {
    bool set_changed = false;  ///< false: the table in force is that of the set already
    std::vector<routing::TunnelConfigurationPtr> set;
    std::vector<std::string> answers;  ///< messages for the operator: refusals, then the acknowledgement
  };
  News apply();

  /// What is in force, apart from what apply() has yet to hand out; absent before the first synced.
  const std::optional<Version>& version() const { return version_; }
  /// A full state has come in this session.
  bool is_synced() const { return synced_; }
  std::size_t tunnels() const { return held_.size(); }
  /// Tunnels whose latest message was refused.
  std::size_t refused() const { return refused_.size(); }
  /// Checked key pair for the link listener; nullptr if the operator sent none. The pointer changes with the value.
  const std::shared_ptr<const routing::Certificate>& link_certificate() const { return link_certificate_; }

  /// The text of a file from which read_copy() makes this state again: what is in force, private keys included. Its
  /// first line has a checksum.
  std::string write_copy() const;
  /// On a new replica. Refused with the reason when the text was cut or changed, or is of another format; the replica
  /// is empty then.
  base::Result<void> read_copy(std::string_view text);

 private:
  /// What the messages since the last whole state said of a tunnel.
  struct Change {
    enum class Kind { tunnel, keep, removed };
    Kind kind = Kind::tunnel;
    Version version;
    routing::TunnelConfigurationPtr configuration;  ///< nullptr: refused
    std::string reason;                             ///< why
    std::uint64_t order = 0;
  };

  base::Result<void> on(CertificateMessage& message);
  base::Result<void> on(TunnelMessage& message);
  base::Result<void> on(RemoveMessage& message);
  base::Result<void> on(KeepMessage& message);
  base::Result<void> on(SyncedMessage& message);
  base::Result<void> on(LinkCertificateMessage& message);
  base::Result<void> check_version(const Version& version);
  base::Result<void> gather(std::string id, Change change, bool more);
  base::Result<routing::TunnelConfigurationPtr> configuration(TunnelMessage& message) const;
  void name_certificates(const std::string& id, std::vector<std::string> fingerprints);
  void commit(bool whole);

  using Held = std::map<std::string, routing::TunnelConfigurationPtr, std::less<>>;
  void put(const std::string& id, const routing::TunnelConfigurationPtr& next, const Held& former);

  Held held_;      ///< the set
  Claims claims_;  ///< of the set
  std::optional<Version> version_;
  std::shared_ptr<const routing::Certificate> link_certificate_;
  std::map<std::string, std::string, std::less<>> refused_;  ///< id → reason

  // Of the session.
  std::optional<Version> said_;  ///< the newest version that was named
  bool synced_ = false;
  std::map<std::string, Change, std::less<>> changes_;
  CertificateUse certificate_use_;
  std::unordered_map<std::string, std::shared_ptr<const routing::Certificate>> certificates_;

  // For apply().
  bool news_ = false;
  bool set_changed_ = false;
  std::vector<RefusedMessage> refusals_;
};

}  // namespace adit::control
