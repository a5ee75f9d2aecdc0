#include "kube/http_client.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <stdexcept>

#include <cpprest/http_client.h>
#include <pplx/pplxtasks.h>
#include <pplx/threadpool.h>

#include "kube/bearer_token.h"
#include "kube/server_tls.h"

#ifdef __SANITIZE_THREAD__
// The SDK's library is not built for ThreadSanitizer, which does not see how it orders what it deletes.
extern "C" const char* __tsan_default_suppressions();  // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __tsan_default_suppressions() { return "race:libcpprest.so\n"; }
#endif

namespace adit::kube {
namespace {

namespace sdk = web::http;
using Bytes = Concurrency::streams::char_traits<std::uint8_t>;

constexpr std::size_t kThreads = 2;       // enough: none of them ever waits
constexpr int kAttempts = 4;              // each uses up one connection that has died while it was kept
constexpr int kLongestTidying = 8;        // tasks that follow from each other; fewer do
constexpr std::size_t kPiece = 64 << 10;  // bytes handed on at once
constexpr auto kTick = std::chrono::milliseconds(500);
/// The SDK's timeout is one of silence; whoever streams decides himself how long that may last.
constexpr auto kNoTimeout = std::chrono::hours(24);

/// The SDK would start 40 threads at its first use. They end when the process does, and OpenSSL must still be there
/// then: what is set up first is taken down last.
void limit_threads() {
  static std::once_flag once;
  std::call_once(once, [] {
    OPENSSL_init_ssl(0, nullptr);
    try {
      crossplat::threadpool::initialize_with_threads(kThreads);
    } catch (const std::exception&) {  // somebody has decided already
    }
  });
}

/// A task of the SDK that a thread waits for, with a deadline.
/// May be left before the task has ended: whatever becomes of it is then observed and dropped. (A task whose exception
/// nobody observes ends the process.)
template <class T>
class Pending {
 public:
  explicit Pending(pplx::task<T> task) : state_(std::make_shared<State>()) {
    task.then([state = state_](const pplx::task<T>& ended) {
      std::optional<T> value;
      std::exception_ptr error;
      try {
        value = ended.get();
      } catch (...) {
        error = std::current_exception();
      }
      {
        const std::lock_guard lock(state->mutex);
        state->value = std::move(value);
        state->error = error;
        state->done = true;
      }
      state->ended.notify_all();
    });
  }

  /// Whether it has ended, once it has, `until` has come or `stop` is requested.
  bool wait(base::TimePoint until, const std::stop_token& stop = {}) {
    std::unique_lock lock(state_->mutex);
    return state_->ended.wait_until(lock, stop, until, [this] { return state_->done; });
  }

  /// After wait() returned true, once: the value; throws what the task threw.
  T take() {
    const std::lock_guard lock(state_->mutex);
    if (state_->error) std::rethrow_exception(state_->error);
    return *std::move(state_->value);
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable_any ended;
    bool done = false;
    std::optional<T> value;
    std::exception_ptr error;
  };
  std::shared_ptr<State> state_;
};

/// Thrown inside the SDK to end an answer that grows too large; next() throws it on.
struct TooLarge : std::runtime_error {
  explicit TooLarge(std::size_t most)
      : std::runtime_error("the answer is larger than " + std::to_string(most) + " bytes") {}
};

/// A request under way, for one thread. What is left before its end is cancelled.
class HttpExchange {
 public:
  /// Begins. `most`: how many bytes of the answer may have come without having been taken by next().
  HttpExchange(sdk::client::http_client& client, sdk::http_request request, std::size_t most);
  ~HttpExchange();
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  /// Whether the head has come, once it has, `until` has come or `stop` is requested. Throws what the SDK throws.
  bool wait_for_head(base::TimePoint until, const std::stop_token& stop = {});
  const sdk::http_response& head() const { return response_; }

  enum class Next { bytes, end, nothing_yet };
  /// The next bytes of the body into `out`, once the head has come; waits like wait_for_head(). Throws what the SDK
  /// throws.
  Next next(std::string& out, base::TimePoint until, const std::stop_token& stop = {});

 private:
  std::shared_ptr<std::atomic<std::uint64_t>> taken_;  ///< bytes
  pplx::cancellation_token_source cancel_;
  std::optional<Pending<sdk::http_response>> head_;
  std::optional<Pending<int>> byte_;  ///< that there is one, or the end
  sdk::http_response response_;
  bool ended_ = false;
};

HttpExchange::HttpExchange(sdk::client::http_client& client, sdk::http_request request, std::size_t most)
    : taken_(std::make_shared<std::atomic<std::uint64_t>>(0)) {
  // The SDK reads on whatever becomes of the bytes: this is the one place where it can be stopped.
  request.set_progress_handler([taken = taken_, most](sdk::message_direction::direction way, std::uint64_t total) {
    if (way == sdk::message_direction::download && total > *taken + most) throw TooLarge(most);
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

ApiError failed(ApiFailure failure, std::string message) {
  ApiError error;
  error.failure = failure;
  error.message = std::move(message);
  return error;
}

/// Whether the server cannot have got the whole request. It shows when the server has closed a connection that was kept
/// for the next call; the SDK takes another one by itself only when it fails a little later.
bool was_not_sent(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const sdk::http_exception& error) {
    return std::string_view(error.what()).starts_with("Failed to write request");
  } catch (...) {
    return false;
  }
}

HttpAnswer answer_of(const sdk::http_response& head) {
  HttpAnswer answer;
  answer.status = head.status_code();
  if (const auto wait = head.headers().find("Retry-After"); wait != head.headers().end()) {
    answer.retry_after = wait->second;
  }
  return answer;
}

}  // namespace

struct HttpClient::Inside {
  Inside(ClusterConfig config_in, HttpLimits limits_in)
      : config(std::move(config_in)),
        limits(limits_in),
        refusal(std::make_shared<Refusal>()),
        token(config.token, config.token_file),
        calls(config.server, settings(limits.timeout)),
        streams(config.server, settings(kNoTimeout)) {}

  sdk::client::http_client_config settings(std::chrono::milliseconds timeout) const {
    sdk::client::http_client_config settings;
    settings.set_timeout(timeout);
    settings.set_max_redirects(0);  // a token goes to nobody else
    settings.set_validate_certificates(!config.skip_verification);
    settings.set_tlsext_sni_enabled(!is_address(expected_name(config)));
    settings.set_ssl_context_callback([config = config, refusal = refusal](boost::asio::ssl::context& context) {
      // create() has tried it: it does not fail.
      (void)configure_tls(context.native_handle(), config, *refusal);
    });
    return settings;
  }

  ApiResult<sdk::http_request> to_sdk(const HttpRequest& request);
  ApiError error_of(const std::exception_ptr& thrown) const;
  ApiError late(std::chrono::milliseconds after) const;
  /// The answer whose head has come, with its body.
  ApiResult<HttpAnswer> rest_of(HttpExchange& exchange, base::TimePoint deadline) const;

  const ClusterConfig config;
  const HttpLimits limits;
  const std::shared_ptr<Refusal> refusal;
  BearerToken token;
  sdk::client::http_client calls;
  sdk::client::http_client streams;
};

ApiResult<sdk::http_request> HttpClient::Inside::to_sdk(const HttpRequest& request) {
  const auto bearer = token.now();
  if (!bearer) return failed(ApiFailure::unreachable, bearer.error());
  sdk::http_request out(request.method);
  out.set_request_uri(web::uri(request.target));
  out.headers().add("Accept", request.accept);
  out.headers().add("User-Agent", "adit-operator");
  if (!bearer->empty()) out.headers().add("Authorization", "Bearer " + *bearer);
  // The SDK takes the name that the certificate must have from this header, if it is there.
  if (!config.server_name.empty()) out.headers().add("Host", config.server_name);
  if (!request.content_type.empty()) out.set_body(request.body, request.content_type);
  return out;
}

ApiError HttpClient::Inside::error_of(const std::exception_ptr& thrown) const {
  try {
    std::rethrow_exception(thrown);
  } catch (const TooLarge& error) {
    return failed(ApiFailure::malformed, error.what());
  } catch (const sdk::http_exception& error) {
    const auto code = error.error_code();
    auto message = config.server + ": " + error.what();
    if (code == std::errc::timed_out) return failed(ApiFailure::timed_out, message);
    if (code == std::errc::operation_canceled) return failed(ApiFailure::cancelled, message);
    if (const auto why = refusal->get(); !why.empty() && message.ends_with("SSL handshake")) message += ": " + why;
    return failed(ApiFailure::unreachable, message);
  } catch (const std::exception& error) {
    return failed(ApiFailure::unreachable, config.server + ": " + error.what());
  }
}

ApiError HttpClient::Inside::late(std::chrono::milliseconds after) const {
  return failed(ApiFailure::timed_out,
                config.server + ": no whole answer within " + std::to_string(after.count()) + " ms");
}

ApiResult<HttpAnswer> HttpClient::Inside::rest_of(HttpExchange& exchange, base::TimePoint deadline) const {
  auto answer = answer_of(exchange.head());
  std::string piece;
  for (;;) {
    const auto next = exchange.next(piece, deadline);
    if (next == HttpExchange::Next::end) return answer;
    if (next == HttpExchange::Next::nothing_yet) return late(limits.timeout);
    if (answer.body.size() + piece.size() > limits.most_bytes) throw TooLarge(limits.most_bytes);
    answer.body += piece;
  }
}

base::Result<std::unique_ptr<HttpClient>> HttpClient::create(ClusterConfig config, HttpLimits limits) {
  if (config.server.find("://[") != std::string::npos) {
    return base::Error{config.server + ": an IPv6 address is not supported; use a name that leads to it"};
  }
  limit_threads();
  const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> trial(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  Refusal none;
  if (auto fits = configure_tls(trial.get(), config, none); !fits) return base::Error{fits.error()};
  if (!is_bearer_token(config.token)) return base::Error{"token: holds characters that no token can have"};
  try {
    return std::unique_ptr<HttpClient>(new HttpClient(std::make_shared<Inside>(std::move(config), limits)));
  } catch (const std::exception& error) {
    return base::Error{config.server + ": " + error.what()};
  }
}

HttpClient::HttpClient(std::shared_ptr<Inside> inside) : inside_(std::move(inside)) {}

HttpClient::~HttpClient() {
  inside_.reset();
  // What the SDK still tidies up after the calls is in the queue of its threads, and leads to more. It is seen off: the
  // process may end right after this, and the queue with it.
  const auto soon = base::Clock::now() + std::chrono::seconds(1);
  for (int turn = 0; turn < kLongestTidying; ++turn) {
    if (!Pending<int>(pplx::create_task([] { return 0; })).wait(soon)) return;
  }
}

ApiResult<HttpAnswer> HttpClient::exchange(const HttpRequest& request) {
  const auto deadline = base::Clock::now() + inside_->limits.timeout;
  for (int attempt = 1;; ++attempt) {
    auto out = inside_->to_sdk(request);
    if (!out) return out.error();
    try {
      HttpExchange exchange(inside_->calls, *out, inside_->limits.most_bytes);
      if (!exchange.wait_for_head(deadline)) return inside_->late(inside_->limits.timeout);
      return inside_->rest_of(exchange, deadline);
    } catch (...) {
      const auto thrown = std::current_exception();
      if (attempt == kAttempts || !was_not_sent(thrown)) return inside_->error_of(thrown);
    }
  }
}

ApiResult<HttpAnswer> HttpClient::stream(const HttpRequest& request, const Stream& stream) {
  const auto head_deadline = base::Clock::now() + inside_->limits.timeout;
  auto out = inside_->to_sdk(request);
  if (!out) return out.error();
  try {
    HttpExchange exchange(inside_->streams, *out, inside_->limits.most_bytes);
    while (!exchange.wait_for_head(base::Clock::now() + kTick, stream.stop)) {
      if (stream.stop.stop_requested()) return failed(ApiFailure::cancelled, "stopped");
      if (base::Clock::now() >= head_deadline) return inside_->late(inside_->limits.timeout);
      if (!stream.idle()) return HttpAnswer{};
    }
    const auto answer = answer_of(exchange.head());
    if (answer.status != 200) return inside_->rest_of(exchange, head_deadline);
    if (!stream.on_bytes({})) return answer;
    std::string piece;
    for (;;) {
      const auto next = exchange.next(piece, base::Clock::now() + kTick, stream.stop);
      if (stream.stop.stop_requested()) return failed(ApiFailure::cancelled, "stopped");
      if (next == HttpExchange::Next::end) return answer;
      if (next == HttpExchange::Next::bytes ? !stream.on_bytes(piece) : !stream.idle()) return answer;
      if (base::Clock::now() >= stream.deadline) {
        return failed(ApiFailure::timed_out, inside_->config.server + ": the stream did not end when it should have");
      }
    }
  } catch (...) {
    return inside_->error_of(std::current_exception());
  }
}

}  // namespace adit::kube
