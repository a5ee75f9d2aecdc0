#include "net/link_driver.h"

#include <algorithm>
#include <utility>

namespace adit::net {
namespace {

// A peer that lets bytes wait so long without taking one does not mean to take them, whatever signs of life it gives.
constexpr auto kStalledAfter = std::chrono::seconds(30);
constexpr std::size_t kPiece = 32 * 1024;  // whole records; smaller than a processor's L1 cache

}  // namespace

LinkDriver::LinkDriver(Loop& loop, StreamPtr stream, std::unique_ptr<link::WebSocket> web_socket, link::Role role,
                       const link::SessionOptions& options, LinkOwner& owner)
    : loop_(loop),
      stream_(std::move(stream)),
      web_socket_(std::move(web_socket)),
      owner_(owner),
      deadline_(Deadline::of<&LinkDriver::on_deadline>(loop, this)),
      session_(role, options, *this, Loop::now()) {}

LinkDriver::~LinkDriver() { stream_->close(); }

void LinkDriver::start() {
  stream_->set_owner(*this);
  stream_->limit_kernel_unsent(pace_.batch());
  loop_.defer(*this);
  if (stream_->readable().empty()) {
    stream_->read();
  } else {
    on_readable();
  }
}

void LinkDriver::on_readable() {
  if (!stream_->readable().empty()) {
    const auto bytes = stream_->readable();
    if (!(web_socket_ ? take_messages(bytes) : take(bytes))) return;
    stream_->consume(bytes.size());
  }
  if (stream_->at_end()) return end(LinkEnd::lost, "the peer closed the connection");
  stream_->read();
  end_turn();
  loop_.send_deferred();  // the last: what it calls may end this
}

/// False: the link is over.
bool LinkDriver::take(std::span<const char> bytes) {
  const auto received = session_.receive(bytes, Loop::now());
  if (!open_) return false;
  if (!received) end(LinkEnd::misbehaved, received.error());
  return open_;
}

bool LinkDriver::take_messages(std::span<const char> bytes) {
  const auto received = web_socket_->receive(bytes, plain_, stream_->out());
  if (!stream_->out().empty()) stream_->flush_soon();
  if (!plain_.empty()) {
    const auto plain = std::exchange(plain_, base::Buffer());
    if (!take(plain.readable())) return false;
  }
  if (received && !web_socket_->peer_closed()) return true;
  stream_->flush();  // our own Close
  if (!received) {
    end(LinkEnd::misbehaved, received.error());
  } else if (session_.finished()) {
    end(LinkEnd::finished, "finished");
  } else {
    const auto reason = web_socket_->peer_reason();
    end(LinkEnd::lost, "the peer closed the WebSocket" + (reason.empty() ? "" : ": " + std::string(reason)));
  }
  return false;
}

base::Result<void> LinkDriver::produce() {
  if (!web_socket_) return produce_in_pieces();
  auto produced = session_.produce(plain_, pace_.batch());
  web_socket_->send(plain_, stream_->out());
  return produced;
}

/// Each piece is encrypted while the processor's cache has it.
base::Result<void> LinkDriver::produce_in_pieces() {
  const std::size_t batch = pace_.batch();
  while (true) {
    auto& out = stream_->out();
    const std::size_t before = out.size();
    auto produced = session_.produce(out, std::min(before + kPiece, batch));
    const bool more = produced && session_.wants_write() && out.size() > before;
    stream_->encrypt_ahead();
    if (!more || !stream_->is_open() || stream_->unsent() >= batch) return produced;
  }
}

void LinkDriver::at_turn_end() {
  if (!open_) return;
  if (!stream_->is_open()) return end(LinkEnd::lost, "the connection could not be taken over");
  // Nothing is taken from the session while the socket is full, so that a small stream's frame waits for little.
  held_back_ = stream_->unsent() != 0;
  if (!held_back_) {
    const auto produced = produce();
    if (pace_.on_batch(Loop::now(), session_.wants_write())) stream_->limit_kernel_unsent(pace_.batch());
    stream_->flush();  // also the GOAWAY that tells the peer why this is the end
    if (!produced) return end(LinkEnd::misbehaved, produced.error());
  }
  if (!open_) return;
  if (session_.finished() && stream_->unsent() == 0) return finish();
  end_turn();
}

void LinkDriver::finish() {
  if (web_socket_) {
    constexpr std::uint16_t kNormal = 1000;
    web_socket_->close(kNormal, {}, stream_->out());
    stream_->flush();
  }
  end(LinkEnd::finished, "finished");
}

void LinkDriver::on_sent() {
  note_progress();
  // Who was held back must come even when nothing is left to send: the session waits to be asked.
  if (held_back_ || session_.wants_write() || session_.finished()) loop_.defer(*this);
}

void LinkDriver::on_deadline() {
  if (stalled_at() <= Loop::now()) return end(LinkEnd::misbehaved, "the peer does not read");
  if (const auto alive = session_.on_time(Loop::now()); !alive) return end(LinkEnd::silent, alive.error());
  end_turn();
}

void LinkDriver::end_turn() {
  note_progress();
  deadline_.set(std::min(session_.deadline(), stalled_at()));
}

void LinkDriver::note_progress() {
  const auto sent = stream_->bytes_out();
  if (std::exchange(sent_, sent) != sent || stream_->unsent() == 0) moved_ = Loop::now();
}

base::TimePoint LinkDriver::stalled_at() const {
  return stream_->unsent() == 0 ? base::kNever : moved_ + kStalledAfter;
}

void LinkDriver::suspect() {
  session_.suspect(Loop::now());
  end_turn();
}

void LinkDriver::ask() {
  session_.ask(Loop::now());
  end_turn();
}

void LinkDriver::on_broken(std::string_view why) { end(LinkEnd::lost, why); }

void LinkDriver::end(LinkEnd how, std::string_view why) {
  if (!open_) return;
  how_ended_ = how;
  open_ = false;
  deadline_.clear();
  const std::string reason(why);  // may live in the stream that is closed now
  stream_->close();
  session_.abandon();
  owner_.on_link_closed(reason);
}

link::StreamHandler* LinkDriver::on_open(link::Stream& stream, const link::Opening& opening) {
  return owner_.on_open(stream, opening);
}

}  // namespace adit::net
