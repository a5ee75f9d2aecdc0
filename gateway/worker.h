#pragma once
// One worker: a thread with its own listeners, visitors, links, streams and counters. Nothing on its byte path is
// shared.

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <boost/intrusive/list.hpp>

#include "base/published.h"
#include "base/random.h"
#include "gateway/admission.h"
#include "gateway/buffer_budgets.h"
#include "gateway/certificates.h"
#include "gateway/connection_limiter.h"
#include "gateway/edge_settings.h"
#include "gateway/exchange.h"
#include "gateway/link_directory.h"
#include "gateway/link_table.h"
#include "gateway/metrics.h"
#include "gateway/pace.h"
#include "gateway/proxy_arrivals.h"
#include "gateway/stream_pool.h"
#include "http/message.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/ticket_keys.h"
#include "routing/table.h"
#include "telemetry/access_log.h"

namespace adit::gateway {

class Visitor;

/// What all workers share; it outlives them.
struct Shared {
  Shared(std::shared_ptr<const routing::Table> first, GatewayMetrics& counters, EdgeSettings settings = {},
         BufferLimits limits = {})
      : table(std::move(first)), metrics(counters), edge(std::move(settings)), buffer_limits(limits) {}

  std::string gateway_id;
  base::Published<routing::Table> table;
  base::Published<routing::Certificate> link_certificate{nullptr};  ///< of --link-cert, or the operator's
  LinkName link_name{{}, &link_certificate};                        ///< complete before the first worker is made
  bool insecure_links = false;                                      ///< links may come without TLS
  class Peers* peers = nullptr;                                     ///< set before workers run; nullptr: there are none
  class LinkAcceptor* link_acceptor = nullptr;  ///< set before workers run; nullptr: none come to public listeners
  LinkDirectory directory;
  GatewayMetrics& metrics;
  const EdgeSettings edge;
  const BufferLimits buffer_limits;
  AdmissionShared admission;
  ConnectionLimiter connections{edge.connections, edge.connections_per_address};
  BufferBudgets buffers{buffer_limits};
  net::TicketKeyRing ticket_keys{base::Clock::now()};      ///< advanced by the first worker
  std::unique_ptr<telemetry::AccessLogWriter> access_log;  ///< nullptr: none is written
  base::Duration answer_timeout{};
  std::vector<class Worker*> workers;  ///< complete before the first one runs
};

class Worker final : private StreamOpener, private ServedRules {
 public:
  Worker(Shared& shared, std::size_t index);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Before run(): a public listener. `tls`: visitors are served by the certificates of the manifests.
  base::Result<net::asio::ip::tcp::endpoint> listen(const net::asio::ip::tcp::endpoint& where, bool tls);
  /// Serves on a thread of its own until stop().
  void run();
  /// Ends the thread and cuts off what is left; other workers may still run. Before any worker is destroyed.
  void stop();

  // From any thread.
  /// Takes over a link whose handshake is done.
  void adopt(net::Stream::Parts parts, std::shared_ptr<LinkInfo> info);
  /// A link of the same slot as that one has come; see LinkTable::slot_taken.
  void slot_taken(std::uint64_t link_id, bool unheard);
  /// Lets go of streams that are idle on that link, or on all links of that peer.
  void drop_idle(std::uint64_t link_id);
  void drop_idle_of(std::string peer);
  /// The ready gateways, for the connectors of this worker's links.
  void announce(std::shared_ptr<const link::Gateways> gateways);
  /// The route table has changed: links of revoked tokens are closed.
  void table_changed();
  /// Tells connectors that this gateway is about to go; visitors are taken and served as ever, with "Connection:
  /// close", so that none is left that could send a request while drain() closes its connection.
  void leave();
  /// Stops accepting; answers what is under way with "Connection: close"; tells connectors, unless leave() did.
  void drain();
  /// After drain(): the time is up; visitors' WebSockets are told so.
  void go_away();
  /// After drain(): visitors are gone or time is up; links end.
  void finish();
  /// Visitors that are still there.
  std::size_t visitors() const { return static_cast<std::size_t>(metrics_.connections_open.value()); }
  std::size_t links() const { return links_open_.load(std::memory_order_relaxed); }

  // For the worker's own parts, on its thread.
  net::Loop& loop() { return loop_; }
  LinkTable& link_table() { return links_; }
  /// The worker's links as other loops reach them, with loop().
  FarLinks& far_links() { return links_; }
  StreamPool& pool() { return pool_; }
  WorkerMetrics& metrics() { return metrics_; }
  const EdgeSettings& edge() const { return shared_.edge; }
  const PaceLimits& pace() const { return pace_; }
  Admission& admission() { return admission_; }
  /// Tells `who`, unless it was emptied, once the answer is known to admission(). False: too many wait.
  bool check_password(Verdict::Question question, std::string visitor, std::shared_ptr<Visitor*> who);
  const routing::Table& table() { return *table_.get(); }
  base::Random& random() { return random_; }
  Lots& lots() { return lots_; }
  http::RequestHead& request_scratch() { return request_scratch_; }
  telemetry::AccessLogBuffer* access_log() { return access_log_.get(); }
  bool draining() const { return draining_; }
  /// From leave() on: what is answered is answered with "Connection: close".
  bool leaving() const { return leaving_; }
  /// Exchanges are recycled: one is needed only while a request is under way.
  std::unique_ptr<Exchange> take_exchange();
  void give_exchange(std::unique_ptr<Exchange> exchange);
  /// Whether a request is one for the acceptor of links: in any of their forms, for the link host, and not in the
  /// clear.
  bool opens_link(const http::RequestHead& head, const RequestOrigin& origin) const;
  /// The visitor turned out to be a connector, and is over: its connection goes on at the acceptor of links, and counts
  /// as a visitor's until that has let it in.
  void hand_to_acceptor(Visitor& visitor, net::Stream::Parts parts);
  /// A visitor is over; it is destroyed at the end of the turn.
  void forget(Visitor& visitor);

 private:
  void accept(net::Socket socket, const net::asio::ip::tcp::endpoint& peer, bool tls, std::uint16_t port);
  void admit(const net::StreamPtr& stream, const net::asio::ip::tcp::endpoint& peer, bool tls, std::uint16_t port);
  bool count_in(net::Stream& stream, const VisitorEndpoint& visitor);
  net::ServerTls server_tls();
  void remove(Visitor& visitor);
  void tick();
  void link_is_leaving(std::uint64_t link_id);
  void connector_is_doubtful(const LinkInfo& link);
  link::Stream* open_stream(const Upstream& upstream, const link::Opening& opening,
                            const std::vector<std::uint64_t>& tried, link::StreamHandler& handler,
                            std::shared_ptr<const LinkInfo>& link) override;
  link::InstanceKey instance_for(Upstream& upstream, const AffinityWish& wish) override;
  bool has_nearer_link(const Upstream& upstream, const LinkInfo& link, link::InstanceKey only) override;
  bool has_sound_link(const Upstream& upstream, const std::vector<std::uint64_t>& tried) override;
  bool is_down(const Upstream& upstream, const LinkInfo& link) override;
  Unserved why_unserved(const Upstream& upstream) override;
  bool is_served(const routing::Route& rule) override;
  void refresh_instances(Upstream& upstream);
  link::InstanceKey instance_of_newcomer(const Upstream& upstream);
  static Trouble trouble_of(const GatewayLink* link, const Upstream& upstream);
  link::Stream* open_far(const link::Opening& opening, const LinkInfo& link, link::StreamHandler& handler);
  link::Stream* open_at_peer(const Upstream& upstream, const link::Opening& opening,
                             const std::vector<std::uint64_t>& tried, link::StreamHandler& handler, bool live_only,
                             std::shared_ptr<const LinkInfo>& link);
  void doubt(const LinkInfo& link) override;

  struct VisitorList;

  Shared& shared_;
  std::size_t index_;
  net::Loop loop_;
  WorkerMetrics& metrics_;
  base::Snapshot<routing::Table> table_;
  base::Random random_;
  Lots lots_{random_()};
  const PaceLimits pace_;  ///< of visitors' bodies
  Admission admission_;
  http::RequestHead request_scratch_;
  http::ResponseHead response_scratch_;
  std::unique_ptr<telemetry::AccessLogBuffer> access_log_;
  net::TicketSealer tickets_;
  Certificates certificates_;
  net::TlsContext tls_;
  ProxyArrivals proxy_arrivals_;
  LinkTable links_;
  StreamPool pool_;
  std::vector<std::unique_ptr<Exchange>> exchanges_;
  std::unique_ptr<VisitorList> visitors_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  net::Deadline tick_;
  std::atomic<std::size_t> links_open_{0};
  bool leaving_ = false;
  bool draining_ = false;
  std::jthread thread_;
};

}  // namespace adit::gateway
