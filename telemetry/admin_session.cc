#include "telemetry/admin_session.h"

#include <exception>

#include "base/log.h"

namespace adit::telemetry {
namespace {

constexpr std::size_t kLingerRead = 4096;
constexpr std::size_t kMostLingered = 64 * 1024;

constexpr const char* kIndex =
    "<!doctype html><title>Adit</title><h1>Adit</h1><ul>"
    "<li><a href=\"/healthz\">/healthz</a>: the process lives"
    "<li><a href=\"/readyz\">/readyz</a>: it can serve"
    "<li><a href=\"/metrics\">/metrics</a>: for Prometheus"
    "<li><a href=\"/status\">/status</a>: what it sees, as JSON</ul>\n";

AdminAnswer readiness(const AdminHandlers& handlers) {
  const auto ready = handlers.ready ? handlers.ready() : base::Result<void>();
  if (ready) return {.body = "ok\n"};
  return {.status = http::status::service_unavailable, .body = ready.error() + "\n"};
}

AdminAnswer answer_or_500(const AdminHandlers& handlers, http::verb method, std::string_view target) {
  try {
    return answer_admin_request(handlers, method, target);
  } catch (const std::exception& error) {
    base::log::error("an admin page failed", {{"target", target}, {"reason", error.what()}});
    return {.status = http::status::internal_server_error, .body = "this page failed; the log says why\n"};
  }
}

}  // namespace

AdminAnswer answer_admin_request(const AdminHandlers& handlers, http::verb method, std::string_view target) {
  if (method != http::verb::get && method != http::verb::head) {
    return {.status = http::status::method_not_allowed, .body = "only GET and HEAD\n"};
  }
  const auto path = target.substr(0, target.find('?'));
  if (path == "/") return {.type = "text/html; charset=utf-8", .body = kIndex};
  if (path == "/healthz") return {.body = "ok\n"};
  if (path == "/readyz") return readiness(handlers);
  if (path == "/metrics" && handlers.metrics) {
    return {.type = "text/plain; version=0.0.4; charset=utf-8", .body = handlers.metrics()};
  }
  if (path == "/status" && handlers.status) return {.type = "application/json", .body = handlers.status()};
  return {.status = http::status::not_found, .body = "not found\n"};
}

void AdminSession::finish() {
  last_ = true;
  if (!answering_) close();
}

void AdminSession::read() {
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(limits_.head_bytes));
  stream_.expires_after(limits_.timeout);
  http::async_read(stream_, buffer_, *parser_,
                   [self = shared_from_this()](beast::error_code error, std::size_t) { self->on_read(error); });
}

void AdminSession::on_read(beast::error_code error) {
  if (error == http::error::header_limit) {
    return refuse(http::status::request_header_fields_too_large, "the request's head is too large\n");
  }
  if (error == http::error::unexpected_body) {
    return refuse(http::status::payload_too_large, "requests have no body here\n");
  }
  const bool malformed = error.category() == http::make_error_code(http::error::bad_method).category();
  if (malformed && error != http::error::end_of_stream && error != http::error::partial_message) {
    return refuse(http::status::bad_request, "this is not HTTP/1.1: " + error.message() + "\n");
  }
  if (error) return;
  const auto& request = parser_->get();
  if (!request.keep_alive()) last_ = true;
  const std::string_view target(request.target().data(), request.target().size());
  write(answer_or_500(handlers_, request.method(), target), request.method() == http::verb::head);
}

void AdminSession::refuse(http::status status, std::string reason) {
  last_ = true;
  write({.status = status, .body = std::move(reason)}, false);
}

void AdminSession::write(AdminAnswer answer, bool head_only) {
  answering_ = true;
  response_ = http::response<http::string_body>(answer.status, 11);
  response_.set(http::field::content_type, answer.type);
  response_.set(http::field::cache_control, "no-store");
  if (answer.status == http::status::method_not_allowed) response_.set(http::field::allow, "GET, HEAD");
  response_.body() = std::move(answer.body);
  response_.prepare_payload();
  response_.keep_alive(!last_);
  serializer_.emplace(response_);
  stream_.expires_after(limits_.timeout);
  const auto written = [self = shared_from_this()](beast::error_code error, std::size_t) { self->on_written(error); };
  if (head_only) {
    // The same fields as for GET, with the length of the body that is not sent (RFC 9110 §9.3.2).
    http::async_write_header(stream_, *serializer_, written);
  } else {
    http::async_write(stream_, *serializer_, written);
  }
}

void AdminSession::on_written(beast::error_code error) {
  answering_ = false;
  if (error) return;
  if (!last_) return read();
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, error);
  stream_.expires_after(limits_.timeout);
  linger();
}

void AdminSession::linger() {
  // Closing with unread bytes would send a reset, which may overtake the answer (RFC 9112 §9.6).
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(kLingerRead),
                          [self = shared_from_this()](beast::error_code error, std::size_t size) {
                            self->lingered_ += size;
                            if (!error && self->lingered_ < kMostLingered) self->linger();
                          });
}

}  // namespace adit::telemetry
