// Exchange: the service's answer, and where it leads.

#include "gateway/exchange.h"

namespace adit::gateway {

void Exchange::on_data(std::span<const char> bytes) {
  undelivered_ += bytes.size();
  if (summary_.first_byte == base::kNever) summary_.first_byte = net::Loop::now();
  if (state_ == State::piping) return responder_->on_pipe_data(bytes);
  if (answer_.empty()) {
    const std::size_t used = parse(bytes);
    if (active() && used < bytes.size()) answer_.append(bytes.subspan(used));
  } else {
    answer_.append(bytes);
    const std::size_t used = parse(answer_.readable());
    if (active()) answer_.consume(used);
  }
  // A head has its own limit, and what is kept of it is delivered to nobody: it must not use up the window.
  if (active() && !head_done_) delivered(0);
}

/// Takes what can be understood of the answer and returns how much that was. The exchange may be over afterwards.
std::size_t Exchange::parse(std::span<const char> bytes) {
  std::size_t used = 0;
  while (used < bytes.size()) {
    const auto rest = bytes.subspan(used);
    const auto parsed =
        head_done_ ? parser_.parse_body(rest, *this) : parser_.parse_head(rest, to_head_, context_.scratch);
    used += parsed.consumed;
    if (parsed.progress == http::Progress::need_more) break;
    if (parsed.progress == http::Progress::refused) {
      fail(502, parsed.reason);
      break;
    }
    if (head_done_) {
      answer_keeps_ = answer_keeps_ && used == bytes.size();  // bytes after the end: nobody asked for them
      complete();
      break;
    }
    if (!take_head(context_.scratch)) break;
    if (state_ == State::piping) {
      if (used < bytes.size()) responder_->on_pipe_data(bytes.subspan(used));
      return bytes.size();
    }
    if (head_done_ && parser_.parse_body({}, *this).progress == http::Progress::complete) {  // none, or of length 0
      answer_keeps_ = answer_keeps_ && used == bytes.size();
      complete();
      break;
    }
  }
  return used;
}

/// False when the exchange is over.
bool Exchange::take_head(const http::ResponseHead& head) {
  if (head.status == 101) {
    if (!upgrade_) {
      fail(502, "101 without a request to upgrade");
      return false;
    }
    state_ = State::piping;
    deadline_.clear();
    head_done_ = true;
    to_service_.consume(std::exchange(sent_, 0));
    repeatable_ = false;
    responder_->on_answer_head(head);
    return true;
  }
  if (head.status < 200) {
    responder_->on_answer_head(head);
    return true;
  }
  state_ = State::answering;
  deadline_.clear();
  head_done_ = true;
  answer_keeps_ = head.keep_alive && head.framing != http::Framing::until_close;
  responder_->on_answer_head(head);
  return true;
}

void Exchange::on_end() {
  if (state_ == State::piping) return responder_->on_pipe_end();
  if (head_done_ && parser_.finish().progress == http::Progress::complete) return complete();
  if (head_done_) return fail(502, "the service closed within its answer");
  release_stream(false);
  if (!retry(AttemptEnd::stream_lost, "the service closed before it answered"))
    fail(502, "the service closed before it answered");
}

}  // namespace adit::gateway
