#include "gateway/peer_handshake.h"

#include <utility>

namespace adit::gateway {

PeerHandshake::PeerHandshake(net::Loop& loop, PeerHandshakeOwner& owner, net::StreamPtr stream, std::string remote)
    : owner_(owner),
      stream_(std::move(stream)),
      remote_(std::move(remote)),
      deadline_(net::Deadline::of<&PeerHandshake::on_deadline>(loop, this)) {}

PeerHandshake::~PeerHandshake() {
  if (stream_) stream_->close();
}

void PeerHandshake::start() {
  deadline_.set(net::Loop::now() + kLimit);
  stream_->start(*this);
  if (stream_->tls() == nullptr) stream_->read();
}

void PeerHandshake::over() {
  deadline_.clear();
  if (stream_) stream_->close();
  owner_.on_handshake_over(*this);
}

void PeerHandshake::on_readable() {
  if (refused_) return discard();
  auto outcome = reader_.read(stream_->readable());
  if (outcome.refusal) {
    stream_->consume(outcome.consumed);
    return refuse(*std::move(outcome.refusal));
  }
  if (!outcome.hello) return stream_->at_end() ? over() : stream_->read();
  stream_->consume(outcome.consumed);
  hello_ = *std::move(outcome.hello);
  let_in_ = true;
  link::write_peer_welcome(stream_->out(), owner_.gateway_id());
  stream_->flush();
  come_in();
}

void PeerHandshake::refuse(const link::Refusal& refusal) {
  refused_ = true;
  owner_.on_peer_refused(remote_, refusal.reason);
  link::write_refusal(stream_->out(), refusal, owner_.gateway_id());
  stream_->finish();
  discard();
}

/// After a refusal: reads until the other side closes, so that the answer is not lost to a reset.
void PeerHandshake::discard() {
  if (!stream_->readable().empty()) stream_->consume(stream_->readable().size());
  if (stream_->at_end()) return over();
  stream_->read();
}

void PeerHandshake::on_sent() {
  if (let_in_) come_in();
}

void PeerHandshake::come_in() {
  if (!stream_ || !stream_->is_open() || stream_->unsent() != 0) return;
  owner_.on_peer_came(std::exchange(stream_, nullptr), std::move(hello_), remote_);
  over();
}

void PeerHandshake::on_broken(std::string_view why) {
  owner_.on_peer_refused(remote_, why);
  over();
}

void PeerHandshake::on_deadline() {
  if (!refused_) owner_.on_peer_refused(remote_, "the handshake took too long");
  over();
}

}  // namespace adit::gateway
