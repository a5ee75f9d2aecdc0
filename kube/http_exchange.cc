#include "kube/http_exchange.h"

#include <algorithm>

#ifdef __SANITIZE_THREAD__
// The SDK's library is not built for ThreadSanitizer, which does not see how it orders what it deletes.
extern "C" const char* __tsan_default_suppressions();  // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __tsan_default_suppressions() { return "race:libcpprest.so\n"; }
#endif

namespace adit::kube {
namespace {

using Bytes = Concurrency::streams::char_traits<std::uint8_t>;
namespace message_direction = web::http::message_direction;

constexpr std::size_t kPiece = 64 << 10;

}  // namespace

HttpExchange::HttpExchange(web::http::client::http_client& client, web::http::http_request request, std::size_t most)
    : taken_(std::make_shared<std::atomic<std::uint64_t>>(0)) {
  // The SDK reads on whatever becomes of the bytes: this is the one place where it can be stopped.
  request.set_progress_handler([taken = taken_, most](message_direction::direction way, std::uint64_t total) {
    if (way == message_direction::download && total > *taken + most) throw TooLarge(most);
  });
  head_.emplace(client.request(request, cancel_.get_token()));
}

HttpExchange::~HttpExchange() {
  if (ended_) return;
  cancel_.cancel();
  // Nobody needs the outcome; it is only so that little is under way when the process ends.
  const auto soon = base::Clock::now() + std::chrono::seconds(1);
  if (byte_) {
    byte_->wait(soon);
  } else {
    head_->wait(soon);
  }
}

bool HttpExchange::wait_for_head(base::TimePoint until, const std::stop_token& stop) {
  if (!head_->wait(until, stop)) return false;
  ended_ = true;  // unless it is a head
  response_ = head_->take();
  ended_ = false;
  return true;
}

HttpExchange::Next HttpExchange::next(std::string& out, base::TimePoint until, const std::stop_token& stop) {
  auto body = response_.body().streambuf();
  if (!byte_) byte_.emplace(body.getc());
  if (!byte_->wait(until, stop)) return Next::nothing_yet;
  ended_ = true;  // unless it is a byte
  const auto byte = byte_->take();
  byte_.reset();
  if (byte == Bytes::eof()) return Next::end;
  ended_ = false;
  out.resize(std::min(body.in_avail(), kPiece));
  // So many have come: it does not wait.
  out.resize(body.getn(reinterpret_cast<std::uint8_t*>(out.data()), out.size()).get());
  *taken_ += out.size();
  return Next::bytes;
}

}  // namespace adit::kube
