#pragma once
// One request of cpprestsdk, waited for with deadlines. Only for http_client.cc: nothing else knows the SDK.

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>

#include <cpprest/http_client.h>

#include "base/clock.h"
#include "kube/pending.h"

namespace adit::kube {

/// Thrown inside the SDK to end an answer that grows too large; next() throws it on.
struct TooLarge : std::runtime_error {
  explicit TooLarge(std::size_t most)
      : std::runtime_error("the answer is larger than " + std::to_string(most) + " bytes") {}
};

/// A request under way, for one thread. What is left before its end is cancelled.
class HttpExchange {
 public:
  /// Begins. `most`: how many bytes of the answer may have come without having been taken by next().
  HttpExchange(web::http::client::http_client& client, web::http::http_request request, std::size_t most);
  ~HttpExchange();
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  /// Whether the head has come, once it has, `until` has come or `stop` is requested. Throws what the SDK throws.
  bool wait_for_head(base::TimePoint until, const std::stop_token& stop = {});
  const web::http::http_response& head() const { return response_; }

  enum class Next { bytes, end, nothing_yet };
  /// The next bytes of the body into `out`, once the head has come; waits like wait_for_head(). Throws what the SDK
  /// throws.
  Next next(std::string& out, base::TimePoint until, const std::stop_token& stop = {});

 private:
  std::shared_ptr<std::atomic<std::uint64_t>> taken_;  ///< bytes
  pplx::cancellation_token_source cancel_;
  std::optional<Pending<web::http::http_response>> head_;
  std::optional<Pending<int>> byte_;  ///< that there is one, or the end
  web::http::http_response response_;
  bool ended_ = false;
};

}  // namespace adit::kube
