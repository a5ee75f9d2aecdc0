#include "kube/http_client.h"

#include <pplx/threadpool.h>

#include "kube/http_exchange.h"
#include "kube/server_tls.h"
#include "kube/text_file.h"

namespace adit::kube {
namespace {

namespace sdk = web::http;

constexpr std::size_t kThreads = 2;  // enough: none of them ever waits
constexpr int kAttempts = 4;         // each uses up one connection that has died while it was kept
constexpr int kLongestTidying = 8;   // tasks that follow from each other; fewer do
constexpr std::size_t kMostToken = 64 << 10;
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

/// A token that fits into a header; empty if it does not.
std::string clean_token(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  const bool visible =
      text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=:") ==
      std::string_view::npos;
  return visible ? std::string(text) : std::string();
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

  /// The bearer token as of now; a file that cannot be read for a moment leaves the token that was read before.
  ApiResult<std::string> token();
  ApiResult<sdk::http_request> to_sdk(const HttpRequest& request);
  ApiError error_of(const std::exception_ptr& thrown) const;
  ApiError late(std::chrono::milliseconds after) const;
  /// The answer whose head has come, with its body.
  ApiResult<HttpAnswer> rest_of(HttpExchange& exchange, base::TimePoint deadline) const;

  const ClusterConfig config;
  const HttpLimits limits;
  const std::shared_ptr<Refusal> refusal;
  std::mutex token_mutex;
  std::string last_token;
  sdk::client::http_client calls;
  sdk::client::http_client streams;
};

ApiResult<std::string> HttpClient::Inside::token() {
  if (config.token_file.empty()) return config.token;
  const auto text = read_text_file(config.token_file, kMostToken);
  auto fresh = text ? clean_token(*text) : std::string();
  const std::lock_guard lock(token_mutex);
  if (!fresh.empty()) last_token = std::move(fresh);
  if (last_token.empty()) {
    return failed(ApiFailure::unreachable, text ? config.token_file + ": holds no token" : text.error());
  }
  return last_token;
}

ApiResult<sdk::http_request> HttpClient::Inside::to_sdk(const HttpRequest& request) {
  const auto bearer = token();
  if (!bearer) return bearer.error();
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
  if (!config.token.empty() && clean_token(config.token) != config.token) {
    return base::Error{"token: holds characters that no token can have"};
  }
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
