#include "net/dialer.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace adit::net {

std::vector<asio::ip::tcp::endpoint> in_order(const DialOrder& order, std::vector<asio::ip::tcp::endpoint> found) {
  std::vector<asio::ip::tcp::endpoint> wanted;
  std::copy_if(found.begin(), found.end(), std::back_inserter(wanted), [&](const auto& endpoint) {
    return std::find(order.avoid.begin(), order.avoid.end(), host_text(endpoint)) == order.avoid.end();
  });
  if (wanted.empty()) wanted = std::move(found);
  const auto first = static_cast<std::ptrdiff_t>(order.turn % wanted.size());
  std::rotate(wanted.begin(), wanted.begin() + first, wanted.end());
  return wanted;
}

Dial::Dial(Loop& loop, Connected connected, Failed failed, DialOrder order)
    : socket_(loop.context()),
      resolver_(loop.context()),
      deadline_(Deadline::of<&Dial::on_deadline>(loop, this)),
      connected_(std::move(connected)),
      failed_(std::move(failed)),
      order_(std::move(order)) {}

boost::intrusive_ptr<Dial> Dial::start(Loop& loop, const Target& target, base::Duration limit, Connected connected,
                                       Failed failed, DialOrder order) {
  boost::intrusive_ptr<Dial> dial(new Dial(loop, std::move(connected), std::move(failed), std::move(order)));
  dial->until_ = Loop::now() + limit;
  dial->deadline_.set(dial->until_);
  if (target.kind == Target::Kind::unix_socket) {
    const bool fits = target.path.size() < sizeof(sockaddr_un::sun_path);
    if (fits) dial->addresses_.emplace_back(asio::local::stream_protocol::endpoint(target.path));
    dial->trying_ = target.text();
    loop.post(
        [dial, fits] { fits ? dial->connect_next() : dial->fail("the path of the Unix socket is too long", {}); });
  } else {
    dial->resolve(target);
  }
  return dial;
}

void Dial::resolve(const Target& target) {
  Error literal;
  const auto address = asio::ip::make_address(target.host, literal);
  if (!literal) {
    addresses_.emplace_back(asio::ip::tcp::endpoint(address, target.port));
    asio::post(socket_.get_executor(), [self = boost::intrusive_ptr<Dial>(this)] { self->connect_next(); });
    return;
  }
  resolver_.async_resolve(target.host, std::to_string(target.port), asio::ip::resolver_base::numeric_service,
                          [self = boost::intrusive_ptr<Dial>(this)](Error error, const Resolver::results_type& found) {
                            if (self->ended_) return;
                            if (error) return self->fail("name not found: " + error.message(), error);
                            self->take(found);
                            self->connect_next();
                          });
}

void Dial::take(const Resolver::results_type& found) {
  std::vector<asio::ip::tcp::endpoint> endpoints;
  for (const auto& entry : found) {
    endpoints.push_back(entry.endpoint());
    hosts_.push_back(host_text(entry.endpoint()));
    resolved_ += (resolved_.empty() ? "" : ", ") + hosts_.back();
  }
  const auto wanted = in_order(order_, std::move(endpoints));
  addresses_.assign(wanted.rbegin(), wanted.rend());
}

void Dial::connect_next() {
  if (ended_) return;
  phase_ = DialPhase::connect;
  const auto address = addresses_.back();
  const auto now = Loop::now();
  deadline_.set(now + (until_ - now) / static_cast<int>(addresses_.size()));
  addresses_.pop_back();
  ++attempts_;
  const bool tcp = address.protocol().family() != AF_UNIX;
  if (tcp) {
    asio::ip::tcp::endpoint shown;
    shown.resize(address.size());
    std::memcpy(shown.data(), address.data(), address.size());
    trying_ = to_text(shown);
    tried_.push_back(host_text(shown));
  }
  Error error;
  socket_.close(error);
  socket_.open(address.protocol(), error);
  if (error) return on_connected(error);
  if (tcp) socket_.set_option(asio::ip::tcp::no_delay(true), error);
  socket_.async_connect(address, [self = boost::intrusive_ptr<Dial>(this), attempt = attempts_](Error result) {
    if (self->attempts_ == attempt) self->on_connected(result);
  });
}

void Dial::on_connected(Error error) {
  if (ended_) return;
  if (error) return on_address_failed(error.message() + " (" + trying_ + ")", error, false);
  const boost::intrusive_ptr<Dial> keep(this);
  end();
  connected_(std::move(socket_));
}

void Dial::on_address_failed(const std::string& reason, Error error, bool timed_out) {
  reasons_ += (reasons_.empty() ? "" : "; ") + reason;
  if (!addresses_.empty()) return connect_next();
  fail(std::move(reasons_), error, timed_out);
}

void Dial::on_deadline() {
  if (phase_ == DialPhase::resolve) return fail("timed out while the name was resolved", {}, true);
  on_address_failed("timed out while connecting to " + trying_, {}, true);
}

void Dial::fail(std::string reason, Error error, bool timed_out) {
  if (ended_) return;
  const boost::intrusive_ptr<Dial> keep(this);
  end();
  Error ignored;
  socket_.close(ignored);
  failed_(DialFailure{phase_, timed_out, std::move(reason), error});
}

void Dial::cancel() {
  if (ended_) return;
  end();
  Error ignored;
  socket_.close(ignored);
}

void Dial::end() {
  ended_ = true;
  deadline_.clear();
  resolver_.cancel();
}

}  // namespace adit::net
