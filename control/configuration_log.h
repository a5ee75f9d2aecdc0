#pragma once
// The operator's side: what every gateway should have, as a log of which only the newest entry of each tunnel stays.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "control/messages.h"
#include "routing/configuration.h"

namespace adit::control {

class GatewayFeed;

/// One leader's log, for one term: a later leadership makes a new log, and its gateways begin new sessions. Memory
/// grows with the tunnels there are, not with how often they changed. Not safe to share: log and feeds live on one
/// thread.
class ConfigurationLog {
 public:
  /// What stands in the log under a counter.
  struct Entry {
    enum class Kind {
      tunnel,   ///< `configuration` is what it should be
      keep,     ///< unknown at present: whatever the gateway has
      removed,  ///< a tombstone; stays until every feed has passed it
    };
    Kind kind = Kind::tunnel;
    std::string id;
    routing::TunnelConfigurationPtr configuration;  ///< nullptr unless kind is tunnel
  };

  explicit ConfigurationLog(std::uint64_t term) : term_(term) {}
  ConfigurationLog(const ConfigurationLog&) = delete;
  ConfigurationLog& operator=(const ConfigurationLog&) = delete;

  /// Makes the log say `configurations`, which do not contradict each other. Only what differs gets a new counter:
  /// equal pointers cost a look-up, others a comparison of their values. An id of `keep` that the log knows stays as it
  /// is; one that it does not know is written down as "keep what you have". An id that is in both is a tunnel like any
  /// other. Feeds say nothing before the first call. Returns the ids whose entries changed, removed ones included;
  /// afterwards every feed's shell should pull.
  std::vector<std::string> update(std::span<const routing::TunnelConfigurationPtr> configurations,
                                  std::span<const std::string> keep);

  /// For gateways without --link-cert; PEM. The same pair again is no change.
  void set_link_certificate(std::string chain_pem, std::string key_pem);
  /// For gateways that others can reach. The same again is no change.
  void set_peer_certificate(PeerCertificateMessage message);
  void set_peers(PeersMessage message);

  std::uint64_t term() const { return term_; }
  /// The version of the newest entry. A gateway that acknowledged it, or a later one, has everything.
  Version head() const { return {term_, counter_}; }
  /// False until the first update().
  bool is_filled() const { return filled_; }
  /// Of the tunnel's newest entry, tombstones included; absent when unknown. The tunnel is programmed at a gateway when
  /// GatewayFeed::has(id) says so.
  std::optional<Version> version_of(std::string_view id) const;
  /// What the log says of it; nullptr when it is unknown, removed or kept.
  routing::TunnelConfigurationPtr configuration_of(std::string_view id) const;
  /// Entries that are no tombstones.
  std::size_t tunnels() const { return by_id_.size() - tombstones_.size(); }
  std::size_t tombstones() const { return tombstones_.size(); }

 private:
  friend class GatewayFeed;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  using Entries = std::map<std::uint64_t, Entry>;
  using ById = std::unordered_map<std::string, Entries::iterator, Hash, std::equal_to<>>;

  // For feeds.
  void add(GatewayFeed& feed) { feeds_.insert(&feed); }
  void remove(GatewayFeed& feed);
  /// The first entry behind `counter`; nullptr at the end.
  const Entries::value_type* next(std::uint64_t counter) const;
  /// Drops the tombstones that every feed has passed.
  void trim();

  const Entry* find(std::string_view id) const;
  void append(Entry entry);

  std::uint64_t term_;
  std::uint64_t counter_ = 0;
  bool filled_ = false;
  Entries entries_;
  ById by_id_;
  std::set<std::uint64_t> tombstones_;
  std::unordered_set<GatewayFeed*> feeds_;
  std::shared_ptr<const LinkCertificateMessage> link_certificate_;
  std::shared_ptr<const PeerCertificateMessage> peer_certificate_;
  std::shared_ptr<const PeersMessage> peers_;
};

}  // namespace adit::control
