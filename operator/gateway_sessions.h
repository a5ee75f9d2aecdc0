#pragma once
// The gateways that are connected to the leader, and what they are sent and say.

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "control/configuration_log.h"
#include "control/gateway_feed.h"
#include "net/loop.h"
#include "net/message_channel.h"
#include "operator/authority.h"
#include "operator/compiler.h"
#include "operator/edge_views.h"

namespace adit::controller {

struct GatewaySessionsSettings {
  std::chrono::milliseconds tick{250};
  /// A gateway whose connection broke is most often back before anybody should be told.
  std::chrono::milliseconds lost_for{1500};
  /// How long a new leader waits for gateways before it calls something missing.
  std::chrono::milliseconds gateways_come_within{3000};
  /// From the last gateway's full state until its link reports are in.
  std::chrono::milliseconds reports_come_within{1000};
  /// No longer than this altogether, from the first compilation on.
  std::chrono::milliseconds settled_within{15'000};
};

/// On its loop's thread only.
class GatewaySessions {
 public:
  /// The keys ("namespace/name") of tunnels whose view changed; empty: all may have changed.
  using OnViews = std::function<void(const std::vector<std::string>& tunnels)>;
  /// Checks a new bearer token of a session: `done` is called once on the loop's thread, with the time the token
  /// expires, or with nothing if it is not accepted.
  using CheckToken =
      std::function<void(const std::string& token, std::function<void(std::optional<WallTime> expires)> done)>;

  struct Callbacks {
    OnViews on_views;
    CheckToken check_token;
    /// Whether this process may lead at this moment, whatever it was last told. From any thread.
    std::function<bool()> may_lead;
  };

  GatewaySessions(net::Loop& loop, EdgeViews& views, Callbacks callbacks, GatewaySessionsSettings settings = {});
  ~GatewaySessions();

  /// A term begins: gateways may come. A term that a gateway knows a later one of is raised above that.
  void lead(std::uint64_t term);
  /// The term is over: every session ends at once.
  void resign();
  bool is_leading() const { return log_ != nullptr; }

  void update(const CompilationPtr& compilation);
  void set_link_certificate(const KeyCertificate& pair);
  void set_peer_certificate(control::PeerCertificateMessage message);

  /// An accepted gateway. `expires`: of its token.
  void add(std::unique_ptr<net::MessageChannel> channel, WallTime expires);

 private:
  class Session;

  void pull_all();
  void end(Session& session, const std::string& why, bool is_lost);
  void on_news(Session& session, const control::GatewayFeed::News& news);
  void on_later_term(std::uint64_t later);
  void tell_peers();
  void refresh(const std::vector<std::string>& ids);
  void refresh_all();
  /// The key of the tunnel that has the id; empty: none.
  std::string name_of(const std::string& id) const;
  EdgeView view_of(const std::string& id) const;
  std::vector<GatewayStatus> status() const;
  void tick();
  void drop_ended();
  void settle();

  net::Loop& loop_;
  EdgeViews& views_;
  Callbacks callbacks_;
  GatewaySessionsSettings settings_;
  std::unique_ptr<control::ConfigurationLog> log_;
  KeyCertificate link_certificate_;
  control::PeerCertificateMessage peer_certificate_;
  CompilationPtr last_;                                ///< what the log was told, for a log that begins anew
  std::unordered_map<std::string, std::string> kept_;  ///< ids of tunnels that are to be kept → keys
  std::set<std::string> known_ids_;
  std::list<std::unique_ptr<Session>> sessions_;
  net::Deadline tick_;
  base::TimePoint leads_since_{};
  base::TimePoint filled_at_{};  ///< gateways can have the full state from here on
  base::TimePoint last_synced_{};
  bool settled_ = false;
};

}  // namespace adit::controller
