#include "gateway/link_handshake.h"

#include <utility>

#include "base/log.h"
#include "gateway/link_acceptor.h"

namespace adit::gateway {

LinkHandshake::LinkHandshake(LinkAcceptor& acceptor, net::StreamPtr stream, VisitorEndpoint endpoint, std::string peer,
                             ConnectionPlace place)
    : acceptor_(acceptor),
      stream_(std::move(stream)),
      endpoint_(std::move(endpoint)),
      remote_(std::move(peer)),
      place_(std::move(place)),
      deadline_(net::Deadline::of<&LinkHandshake::on_deadline>(acceptor.loop(), this)) {}

LinkHandshake::~LinkHandshake() {
  if (stream_) stream_->close();
}

void LinkHandshake::start() {
  deadline_.set(net::Loop::now() + kLimit);
  stream_->start(*this);
  if (stream_->tls() == nullptr) stream_->read();
}

void LinkHandshake::go_on() {
  deadline_.set(net::Loop::now() + kLimit);
  stream_->set_owner(*this);
  if (!stream_->is_open()) return over();  // it could not be taken over
  on_readable();
}

void LinkHandshake::over() {
  deadline_.clear();
  stream_->close();
  acceptor_.forget(*this);
}

void LinkHandshake::on_established() {
  if (stream_->readable().empty()) stream_->read();
}

void LinkHandshake::on_readable() {
  if (refused_) return discard();
  auto& head = acceptor_.request_scratch();
  const auto parsed = parser_.parse_head(stream_->readable(), head);
  switch (parsed.progress) {
    case http::Progress::need_more:
      return stream_->at_end() ? over() : stream_->read();
    case http::Progress::refused:
      return refuse({parsed.status, parsed.reason});
    case http::Progress::complete:
      return take(head, parsed.consumed);
  }
}

void LinkHandshake::take(const http::RequestHead& head, std::size_t head_size) {
  const auto origin = origin_of(endpoint_, head, acceptor_.trusted_proxies());
  if (origin.address != endpoint_.address) remote_ = origin.host;  // a trusted proxy's word; no port is known
  auto asked = link::check_hello(head);
  const auto address = origin.address;
  stream_->consume(head_size);
  if (asked.refusal) return refuse(*std::move(asked.refusal));
  auto verdict = acceptor_.admit(*asked.hello, address);
  if (verdict.refusal) return refuse(*std::move(verdict.refusal));
  info_ = std::make_shared<LinkInfo>();
  info_->tunnel_id = verdict.tunnel->id;
  info_->tunnel_name = verdict.tunnel->name;
  info_->connector = std::move(asked.hello->connector);
  info_->instance = std::move(asked.hello->instance);
  info_->instance_key = link::instance_key(info_->tunnel_id, info_->instance);
  info_->version = std::move(asked.hello->version);
  info_->slot = asked.hello->slot;
  info_->transport = asked.transport;
  info_->remote = remote_;
  info_->token = verdict.token;
  info_->since = std::chrono::system_clock::now();
  link::write_welcome(stream_->out(), acceptor_.gateway_id(), asked.key);
  stream_->flush();
  hand_over_when_sent();
}

void LinkHandshake::refuse(link::Refusal refusal) {
  refused_ = true;
  refusal.date = std::chrono::system_clock::now();
  acceptor_.note_refusal(remote_, refusal);
  link::write_refusal(stream_->out(), refusal, acceptor_.gateway_id());
  stream_->finish();
  discard();
}

/// After a refusal: reads until the connector closes, so that the answer is not lost to a reset.
void LinkHandshake::discard() {
  if (!stream_->readable().empty()) stream_->consume(stream_->readable().size());
  if (stream_->at_end()) return over();
  stream_->read();
}

void LinkHandshake::on_sent() {
  if (info_) hand_over_when_sent();
}

void LinkHandshake::hand_over_when_sent() {
  if (!stream_ || !stream_->is_open() || stream_->unsent() != 0) return;
  deadline_.clear();
  acceptor_.hand_over(std::exchange(stream_, nullptr), std::move(info_));
  acceptor_.forget(*this);
}

void LinkHandshake::on_broken(std::string_view why) {
  base::log::debug("link handshake failed", {{"remote", remote_}, {"reason", why}});
  over();
}

}  // namespace adit::gateway
