#include "gateway/peer_dial.h"

#include <utility>

namespace adit::gateway {

PeerDial::PeerDial(net::Loop& loop, PeerCredentials& credentials, const link::PeerHello& hello, PeerDialOwner& owner)
    : loop_(loop),
      credentials_(credentials),
      hello_(hello),
      owner_(owner),
      deadline_(net::Deadline::of<&PeerDial::on_deadline>(loop, this)) {}

void PeerDial::start(const net::Target& where) {
  dial_ = net::Dial::start(
      loop_, where, kLimit, [this](net::Socket socket) { on_connected(std::move(socket)); },
      [this](const net::DialFailure& failure) { fail(PeerDialResult::failed, failure.reason); });
}

void PeerDial::cancel() {
  deadline_.clear();
  if (dial_) std::exchange(dial_, nullptr)->cancel();
  if (stream_) std::exchange(stream_, nullptr)->close();
}

void PeerDial::on_connected(net::Socket socket) {
  dial_.reset();
  deadline_.set(net::Loop::now() + kLimit);
  net::SslPtr ssl;
  if (credentials_.encrypted()) {
    ssl = net::new_mutual_client(credentials_.tls(net::Loop::now()), std::string(link::kPeerName));
  }
  stream_ = new net::Stream(loop_, std::move(socket), std::move(ssl));
  const net::StreamPtr keep = stream_;
  keep->start(*this);
  if (stream_ == keep && keep->tls() == nullptr) say_hello();
}

void PeerDial::say_hello() {
  welcome_.emplace(link::kPeerUpgradeToken);
  link::write_peer_hello(stream_->out(), hello_);
  stream_->flush_soon();
  stream_->read();
}

void PeerDial::on_readable() {
  if (!stream_->readable().empty()) {
    auto outcome = welcome_->read(stream_->readable());
    if (outcome.gateway_id) {
      deadline_.clear();
      stream_->consume(outcome.consumed);
      return owner_.on_dialled(std::exchange(stream_, nullptr), *std::move(outcome.gateway_id));
    }
    if (outcome.refusal) return fail(PeerDialResult::refused, outcome.refusal->reason);
    if (!outcome.broken.empty()) return fail(PeerDialResult::failed, outcome.broken);
  }
  if (stream_->at_end()) return fail(PeerDialResult::failed, "the connection was closed without an answer");
  stream_->read();
}

void PeerDial::on_broken(std::string_view why) { fail(PeerDialResult::failed, std::string(why)); }

void PeerDial::fail(PeerDialResult result, std::string_view why) {
  const std::string reason(why);  // may live in the stream that is closed now
  cancel();
  owner_.on_dial_failed(result, reason);
}

}  // namespace adit::gateway
