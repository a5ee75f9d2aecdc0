#include "connector/service_pipe.h"

#include <algorithm>
#include <utility>

namespace adit::connector {

ServicePipe::ServicePipe(net::Loop& loop, PipeOwner& owner, const Service& service, ServiceCells& cells,
                         link::Stream& stream)
    : owner_(owner),
      service_(service),
      cells_(cells),
      stream_(&stream),
      dial_(loop, service, *this),
      deadline_(net::Deadline::of<&ServicePipe::on_deadline>(loop, this)) {}

ServicePipe::~ServicePipe() { abort(); }

void ServicePipe::start() { dial_.start(); }

void ServicePipe::on_service_reached(net::StreamPtr stream) {
  connection_ = std::move(stream);
  connection_->set_owner(*this);
  established_ = true;
  cells_.streams.add();
  cells_.streams_open.add();
  stream_->answer(200, {});
  if (link_ended_) connection_->finish();
  connection_->read();
}

void ServicePipe::refuse(StreamFailure failure, std::string_view reason) {
  cells_.failures[static_cast<std::size_t>(failure)].add();
  owner_.on_unreachable(service_, failure, reason);
  if (stream_ != nullptr) stream_->answer(failure == StreamFailure::timeout ? 504 : 502, reason);
  // The link's stream hears the rest of its life from on_closed.
  broken_ = true;
}

void ServicePipe::on_data(std::span<const char> bytes) {
  cells_.bytes_out.add(bytes.size());
  if (broken_) return stream_->consume(bytes.size());
  undelivered_ += bytes.size();
  connection_->write(bytes);
}

void ServicePipe::on_end() {
  link_ended_ = true;
  if (established_ && !broken_) connection_->finish();
}

void ServicePipe::on_closed(link::Closed why) {
  stream_ = nullptr;
  if (why != link::Closed::finished || !established_ || broken_) return over();
  connection_->flush();
  if (!over_ && !broken_) end_if_drained();
}

std::span<const char> ServicePipe::to_send() {
  return established_ ? connection_->readable() : std::span<const char>();
}

void ServicePipe::on_sent(std::size_t size) {
  cells_.bytes_in.add(size);
  connection_->consume(size);
  if (!connection_->readable().empty()) return;
  if (broken_) {
    std::exchange(stream_, nullptr)->reset();
    return over();
  }
  connection_->read();
}

void ServicePipe::on_readable() {
  if (stream_ == nullptr) return;  // only the last bytes to the service are waited for
  if (!connection_->readable().empty()) stream_->resume();
  if (connection_->at_end()) stream_->finish();
}

void ServicePipe::on_sent() {
  if (stream_ == nullptr) return end_if_drained();
  // With TLS unsent() counts more than the plain bytes: credit then comes a little late, never too early.
  const auto delivered = undelivered_ - std::min(undelivered_, connection_->unsent());
  if (delivered == 0) return;
  undelivered_ -= delivered;
  stream_->consume(delivered);
}

void ServicePipe::on_broken(std::string_view) {
  broken_ = true;
  if (stream_ == nullptr) return over();
  if (undelivered_ != 0) stream_->consume(std::exchange(undelivered_, 0));
  // What the service said before it broke off is passed on first: often it is the whole answer.
  if (!connection_->readable().empty()) return;
  std::exchange(stream_, nullptr)->reset();
  over();
}

/// The link's stream ended well: the service shall still get what it has not taken yet.
void ServicePipe::end_if_drained() {
  if (connection_->unsent() == 0) return over();
  if (!deadline_.is_set()) deadline_.set(net::Loop::now() + kLingerLimit);
}

void ServicePipe::abort() {
  dial_.cancel();
  if (connection_) connection_->abort();
  if (stream_ != nullptr) std::exchange(stream_, nullptr)->reset();
}

void ServicePipe::over() {
  if (std::exchange(over_, true)) return;
  if (established_) cells_.streams_open.subtract();
  deadline_.clear();
  dial_.cancel();
  if (connection_) {
    // The service must not take what it got for the whole, unless it was.
    const bool whole = established_ && link_ended_ && connection_->unsent() == 0;
    whole ? connection_->close() : connection_->abort();
  }
  owner_.on_pipe_over(*this);
}

}  // namespace adit::connector
