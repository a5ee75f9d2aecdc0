#pragma once
// The operator's side of one gateway's session: what to send next, and what the gateway said.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "control/certificate_use.h"
#include "control/configuration_log.h"
#include "control/messages.h"

namespace adit::control {

/// Why a session has to end. The other sessions go on.
struct FeedError {
  std::string message;  ///< lower case, for the log
  /// The gateway has state of a later term than the log's. Either this process does not lead any more, or the Lease was
  /// made anew and counts from the start: a leader that still holds its Lease should go on with a term above this one.
  std::optional<std::uint64_t> later_term;
};

/// Sans-io: the shell sends what next_message() gives whenever its socket can take more, and hands every message of the
/// gateway to take(). What changes thrice while a socket is full is sent once. The log must outlive its feeds. On the
/// log's thread.
class GatewayFeed {
 public:
  explicit GatewayFeed(ConfigurationLog& log);
  ~GatewayFeed();
  GatewayFeed(const GatewayFeed&) = delete;
  GatewayFeed& operator=(const GatewayFeed&) = delete;

  /// The next message to send; nothing while the gateway has not said hello, while the log is not filled, and when all
  /// was sent: ask again after the log changed. A tunnel whose message would be too long is sent as one to be kept, and
  /// counts as refused by the gateway.
  std::optional<std::string> next_message();

  /// What became known by a message.
  struct News {
    std::optional<std::string> token;  ///< to be checked as the bearer token of the handshake was; a secret
    bool synced = false;               ///< has_synced() has just become true
    bool greeted = false;              ///< is_greeted() has just become true
    /// Ids of tunnels of which has(), refusal() or links() may say something new. When `synced` is set, of all tunnels
    /// besides.
    std::vector<std::string> tunnels;
  };
  /// A message of the gateway. An error ends the session: close it and destroy the feed.
  base::Result<News, FeedError> take(std::string_view text);

  /// The gateway said hello.
  bool is_greeted() const { return greeted_; }
  const std::string& gateway() const { return gateway_; }
  const std::string& program_version() const { return program_version_; }
  /// HOST:PORT where other gateways reach it; empty: they do not.
  const std::string& peer_address() const { return peer_address_; }

  /// The gateway has acknowledged the full state: from here on it counts for what is programmed.
  bool has_synced() const { return has_synced_; }
  /// Everything up to here is in force there; 0: nothing of this session.
  std::uint64_t acknowledged() const { return acknowledged_; }
  /// All that the log says was acknowledged.
  bool is_current() const { return has_synced_ && acknowledged_ >= log_.head().counter; }
  /// The tunnel is in force there as the log says it (or gone, if the log says so). False for one that was refused, and
  /// for one that is only kept.
  bool has(std::string_view id) const;
  /// Why the tunnel's newest entry was refused; nullptr if it was not.
  const std::string* refusal(std::string_view id) const;

  using Links = std::map<std::string, std::vector<LiveConnector>, std::less<>>;
  /// Tunnel id → live connectors, each instance once; tunnels without any are left out. What is beyond 64 MiB is left
  /// out, too.
  const Links& links() const { return links_; }

 private:
  friend class ConfigurationLog;
  struct Refusal {
    std::uint64_t counter;
    std::string reason;
  };
  using Taken = base::Result<News, FeedError>;
  using NumberedEntry = ConfigurationLog::Entries::value_type;

  std::optional<std::string> peer_message();
  std::uint64_t needs_no_tombstones_to() const { return std::max(passed_, began_at_); }
  std::string entry_message(const NumberedEntry& entry);
  std::string tunnel_message(const NumberedEntry& entry, const Version& version, bool more);
  std::string keep_too_long(const NumberedEntry& entry, const Version& version, bool more);
  std::optional<std::string> missing_certificate(const NumberedEntry& entry);
  void pass(const NumberedEntry& entry);
  Taken on(HelloMessage& hello);
  Taken on(AckMessage& ack);
  Taken on(RefusedMessage& refused);
  Taken on(LinksMessage& links);
  Taken on(TokenMessage& token);

  ConfigurationLog& log_;
  std::uint64_t began_at_;    ///< tombstones up to here tell a new session nothing
  std::uint64_t passed_ = 0;  ///< entries up to here were sent
  bool sent_synced_ = false;
  std::uint64_t synced_at_ = 0;  ///< of the synced that was sent
  std::shared_ptr<const LinkCertificateMessage> sent_link_certificate_;
  std::shared_ptr<const PeerCertificateMessage> sent_peer_certificate_;
  std::shared_ptr<const PeersMessage> sent_peers_;
  CertificateUse sent_certificates_;

  bool greeted_ = false;
  std::string gateway_;
  std::string program_version_;
  std::string peer_address_;
  bool has_synced_ = false;
  std::uint64_t acknowledged_ = 0;
  std::map<std::string, Refusal, std::less<>> refusals_;  ///< of tunnels that the log knows
  Links links_;
  std::size_t links_bytes_ = 0;  ///< about what links_ takes
};

}  // namespace adit::control
