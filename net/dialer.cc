#include "net/dialer.h"

#include <algorithm>

namespace adit::net {

Dial::Dial(Loop& loop, Connected connected, Failed failed)
    : socket_(loop.context()),
      resolver_(loop.context()),
      deadline_(Deadline::of<&Dial::on_deadline>(loop, this)),
      connected_(std::move(connected)),
      failed_(std::move(failed)) {}

boost::intrusive_ptr<Dial> Dial::start(Loop& loop, const Target& target, base::Duration limit, Connected connected,
                                       Failed failed) {
  boost::intrusive_ptr<Dial> dial(new Dial(loop, std::move(connected), std::move(failed)));
  dial->deadline_.set(Loop::now() + limit);
  if (target.kind == Target::Kind::unix_socket) {
    const bool fits = target.path.size() < sizeof(sockaddr_un::sun_path);
    if (fits) dial->addresses_.emplace_back(asio::local::stream_protocol::endpoint(target.path));
    dial->trying_ = target.text();
    loop.post([dial, fits] { fits ? dial->connect_next() : dial->fail("the path of the Unix socket is too long"); });
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
                            if (error) return self->fail("name not found: " + error.message());
                            for (const auto& entry : found) self->addresses_.emplace_back(entry.endpoint());
                            std::reverse(self->addresses_.begin(), self->addresses_.end());
                            self->connect_next();
                          });
}

void Dial::connect_next() {
  if (ended_) return;
  phase_ = DialPhase::connect;
  const auto address = addresses_.back();
  addresses_.pop_back();
  Error error;
  socket_.close(error);
  socket_.open(address.protocol(), error);
  if (error) return on_connected(error);
  if (address.protocol().family() != AF_UNIX) {
    asio::ip::tcp::endpoint shown;
    shown.resize(address.size());
    std::memcpy(shown.data(), address.data(), address.size());
    trying_ = to_text(shown);
    socket_.set_option(asio::ip::tcp::no_delay(true), error);
  }
  socket_.async_connect(address,
                        [self = boost::intrusive_ptr<Dial>(this)](Error result) { self->on_connected(result); });
}

void Dial::on_connected(Error error) {
  if (ended_) return;
  if (error && !addresses_.empty()) return connect_next();
  if (error) return fail(error.message() + " (" + trying_ + ")");
  const boost::intrusive_ptr<Dial> keep(this);
  end();
  connected_(std::move(socket_));
}

void Dial::on_deadline() {
  fail(phase_ == DialPhase::resolve ? "timed out while the name was resolved"
                                    : "timed out while connecting to " + trying_,
       true);
}

void Dial::fail(std::string reason, bool timed_out) {
  if (ended_) return;
  const boost::intrusive_ptr<Dial> keep(this);
  end();
  Error ignored;
  socket_.close(ignored);
  failed_(DialFailure{phase_, timed_out, std::move(reason)});
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
