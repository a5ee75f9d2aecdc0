#pragma once
// HTTP to the API server, by cpprestsdk, which no other file knows.

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "kube/api.h"
#include "kube/cluster_config.h"
#include "kube/rest_messages.h"

namespace adit::kube {

struct HttpLimits {
  std::chrono::milliseconds timeout{30'000};  ///< for a whole answer, or for the head of a streamed one
  std::size_t most_bytes = 64 << 20;          ///< of an answer, or of a stream that is not yet taken; more is malformed
};

/// Blocking calls from any thread. The SDK's own threads are two for the whole process, whatever waits. Errors have no
/// `call`. Outlives its calls.
class HttpClient {
 public:
  /// Errors name what of the configuration cannot be used.
  static base::Result<std::unique_ptr<HttpClient>> create(ClusterConfig config, HttpLimits limits);
  ~HttpClient();

  /// The whole answer, whatever its status, within the limits.
  ApiResult<HttpAnswer> exchange(const HttpRequest& request);

  struct Stream {
    std::function<bool(std::string_view bytes)> on_bytes;  ///< false ends it
    std::function<bool()> idle;  ///< at least once a second while nothing comes; false ends it
    std::stop_token stop;
    base::TimePoint deadline;  ///< timed_out after it
  };
  /// Hands on the bytes of an answer of 200 as they come, until it ends; at first none, when its head has come. Another
  /// answer is returned whole. Bytes that had come when it failed have been handed on.
  ApiResult<HttpAnswer> stream(const HttpRequest& request, const Stream& stream);

 private:
  struct Inside;
  explicit HttpClient(std::shared_ptr<Inside> inside);

  std::shared_ptr<Inside> inside_;
};

}  // namespace adit::kube
