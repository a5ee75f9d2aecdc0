#include "link/control_stream.h"

#include <utility>

namespace adit::link {

void ControlStream::attach(Stream& stream) {
  stream_ = &stream;
  if (!waiting_.empty()) stream.resume();
}

void ControlStream::send(const ControlMessage& message) {
  if (failed_) return;
  const std::string line = encode_control(message);
  if (line.size() > kMostControlLine) return fail("a control line to be sent is longer than 65536 bytes");
  if (waiting_.size() + line.size() > kMostWaiting) return fail("the peer does not read its control stream");
  const bool was_empty = waiting_.empty();
  waiting_.append(std::string_view(line));
  if (was_empty && stream_ != nullptr) stream_->resume();
}

void ControlStream::on_answer(int status, std::string_view reason) { owner_.on_control_answer(status, reason); }

void ControlStream::on_data(std::span<const char> bytes) {
  if (stream_ != nullptr) stream_->consume(bytes.size());
  std::string_view rest(bytes.data(), bytes.size());
  while (!failed_) {
    const auto newline = rest.find('\n');
    const auto piece = rest.substr(0, newline);
    // The limit counts the newline, as the sender's does.
    if (partial_.size() + piece.size() >= kMostControlLine) {
      return fail("the peer sent a control line longer than 65536 bytes");
    }
    if (newline == std::string_view::npos) {
      partial_.append(piece);
      return;
    }
    rest.remove_prefix(newline + 1);
    if (partial_.empty()) {
      take(piece);
    } else {
      partial_.append(piece);
      const base::Buffer line = std::exchange(partial_, base::Buffer());
      take(line.view());
    }
  }
}

void ControlStream::take(std::string_view line) {
  auto decoded = decode_control(line);
  if (!decoded) return fail("the peer sent a bad " + decoded.error());
  if (*decoded) owner_.on_control_message(**decoded);
}

void ControlStream::on_end() { fail("the peer ended its control stream"); }

void ControlStream::on_closed(Closed) {
  stream_ = nullptr;
  fail("the control stream was closed by the peer");
}

void ControlStream::fail(std::string reason) {
  if (std::exchange(failed_, true)) return;
  owner_.on_control_failed(std::move(reason));
}

}  // namespace adit::link
