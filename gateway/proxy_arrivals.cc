#include "gateway/proxy_arrivals.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <boost/intrusive/list.hpp>

#include "base/log.h"
#include "net/address.h"
#include "net/proxy_header.h"

namespace adit::gateway {
namespace {

constexpr std::size_t kMostArrivals = 1024;  // of one worker; --max-connections counts visitors, who are not known yet
constexpr auto kBetweenWarnings = std::chrono::minutes(1);  // a proxy set up wrongly would fill the log

}  // namespace

/// One connection on its way in.
class ProxyArrivals::Arrival final : public boost::intrusive::list_base_hook<>, private net::StreamOwner {
 public:
  Arrival(ProxyArrivals& arrivals, net::StreamPtr stream, const Endpoint& peer, bool tls, std::uint16_t port)
      : arrivals_(arrivals),
        stream_(std::move(stream)),
        deadline_(net::Deadline::of<&Arrival::on_deadline>(arrivals.loop_, this)),
        peer_(peer),
        port_(port),
        tls_(tls) {}
  ~Arrival() {
    if (stream_) stream_->close();
  }

  void start() {
    deadline_.set(net::Loop::now() + arrivals_.edge_.header_timeout);
    stream_->start(*this);
    stream_->read();
  }
  void over() {
    deadline_.clear();
    if (stream_) stream_->close();
    arrivals_.forget(*this);
  }

 private:
  void on_readable() override {
    const auto header = net::parse_proxy_header(stream_->readable());
    switch (header.progress) {
      case net::ProxyHeader::Progress::need_more:
        if (!stream_->at_end()) return stream_->read();
        // Load balancers look whether the port is open by connecting and saying nothing.
        return stream_->readable().empty() ? over() : refuse("it ended within its PROXY header");
      case net::ProxyHeader::Progress::refused:
        return refuse(header.reason);
      case net::ProxyHeader::Progress::complete:
        return hand_over(header);
    }
  }

  void hand_over(const net::ProxyHeader& header) {
    stream_->consume(header.consumed);
    deadline_.clear();
    const auto visitor = header.connection ? header.connection->source : peer_;
    const auto port = header.connection ? header.connection->destination.port() : port_;
    arrivals_.arrived_(std::exchange(stream_, nullptr), visitor, tls_, port);
    over();
  }

  void refuse(std::string_view why) {
    arrivals_.refused(peer_, why);
    over();
  }

  void on_sent() override {}
  void on_broken(std::string_view) override { over(); }
  void on_deadline() { refuse("its PROXY header was not whole in time"); }

  ProxyArrivals& arrivals_;
  net::StreamPtr stream_;
  net::Deadline deadline_;
  Endpoint peer_;
  std::uint16_t port_;
  bool tls_;
};

/// Those under way, and those that are over and destroyed at the end of the turn.
struct ProxyArrivals::Arrivals final : net::TurnTask {
  boost::intrusive::list<Arrival> live;  // the oldest first
  std::vector<std::unique_ptr<Arrival>> over;
  void at_turn_end() override { over.clear(); }
};

ProxyArrivals::ProxyArrivals(net::Loop& loop, const EdgeSettings& edge, WorkerMetrics& metrics, Arrived arrived)
    : loop_(loop),
      edge_(edge),
      metrics_(metrics),
      arrived_(std::move(arrived)),
      arrivals_(std::make_unique<Arrivals>()) {}

ProxyArrivals::~ProxyArrivals() {
  arrivals_->live.clear_and_dispose([](Arrival* arrival) { delete arrival; });
}

bool ProxyArrivals::expects(const Endpoint& peer, bool tls) const {
  return (tls ? edge_.https_proxy_protocol : edge_.http_proxy_protocol) &&
         base::contains(edge_.trusted_proxies, net::ip_address(peer));
}

void ProxyArrivals::add(net::StreamPtr stream, const Endpoint& peer, bool tls, std::uint16_t port) {
  if (arrivals_->live.size() >= kMostArrivals) arrivals_->live.front().over();
  auto arrival = std::make_unique<Arrival>(*this, std::move(stream), peer, tls, port);
  arrivals_->live.push_back(*arrival);
  arrival.release()->start();
}

void ProxyArrivals::clear() {
  while (!arrivals_->live.empty()) arrivals_->live.front().over();
}

void ProxyArrivals::forget(Arrival& arrival) {
  arrivals_->live.erase(arrivals_->live.iterator_to(arrival));
  arrivals_->over.emplace_back(&arrival);
  loop_.defer(*arrivals_);
}

void ProxyArrivals::refused(const Endpoint& peer, std::string_view why) {
  metrics_.proxy_headers_refused.add();
  if (net::Loop::now() < next_warning_) return;
  next_warning_ = net::Loop::now() + kBetweenWarnings;
  base::log::warning("connection of a trusted proxy refused", {{"proxy", net::to_text(peer)}, {"reason", why}});
}

}  // namespace adit::gateway
