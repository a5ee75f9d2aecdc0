#pragma once
// The gateways that are connected to the leader, and what they are sent and say.

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "control/configuration_log.h"
#include "control/gateway_feed.h"
#include "net/loop.h"
#include "net/message_channel.h"
#include "operator/authority.h"
#include "operator/compiler.h"
#include "operator/edge_views.h"

namespace adit::controller {

/// On its loop's thread only.
class GatewaySessions {
 public:
  /// The keys ("namespace/name") of tunnels whose view changed; empty: all may have changed.
  using OnViews = std::function<void(const std::vector<std::string>& tunnels)>;
  /// Checks a new bearer token of a session: `done` is called once on the loop's thread, with the time the token
  /// expires, or with nothing if it is not accepted.
  using CheckToken =
      std::function<void(const std::string& token, std::function<void(std::optional<WallTime> expires)> done)>;

  GatewaySessions(net::Loop& loop, EdgeViews& views, OnViews on_views, CheckToken check_token);
  ~GatewaySessions();

  /// A term begins: gateways may come. A term that a gateway knows a later one of is raised above that.
  void lead(std::uint64_t term);
  /// The term is over: every session ends at once.
  void resign();
  bool is_leading() const { return log_ != nullptr; }

  void update(const CompilationPtr& compilation);
  void set_link_certificate(const KeyCertificate& pair);

  /// An accepted gateway. `expires`: of its token.
  void add(std::unique_ptr<net::MessageChannel> channel, WallTime expires);

 private:
  class Session;

  void pull_all();
  void end(Session& session, const std::string& why, bool is_lost);
  void on_news(Session& session, const control::GatewayFeed::News& news);
  void on_later_term(std::uint64_t later);
  void refresh(const std::vector<std::string>& ids);
  void refresh_all();
  EdgeView view_of(const std::string& id) const;
  std::vector<GatewayStatus> status() const;
  void tick();
  void settle();

  net::Loop& loop_;
  EdgeViews& views_;
  OnViews on_views_;
  CheckToken check_token_;
  std::unique_ptr<control::ConfigurationLog> log_;
  KeyCertificate link_certificate_;
  CompilationPtr last_;  ///< what the log was told, for a log that begins anew
  std::set<std::string> known_ids_;
  std::list<std::unique_ptr<Session>> sessions_;
  net::Deadline tick_;
  base::TimePoint leads_since_{};
  base::TimePoint last_synced_{};
  bool settled_ = false;
};

}  // namespace adit::controller
