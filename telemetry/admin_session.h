#pragma once
// One client of the admin server.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "telemetry/admin_asio.h"
#include "telemetry/admin_server.h"

namespace adit::telemetry {

/// The answer to a request, without what only a connection knows.
struct AdminAnswer {
  http::status status = http::status::ok;
  const char* type = "text/plain; charset=utf-8";
  std::string body = {};
};

/// Runs the handler of `target`, whose query is ignored. Throws what the handler throws.
AdminAnswer answer_admin_request(const AdminHandlers& handlers, http::verb method, std::string_view target);

/// Reads requests and writes answers, one after the other, on the server's thread. Kept alive by its own pending
/// operation; `handlers` must outlive that.
class AdminSession : public std::enable_shared_from_this<AdminSession> {
 public:
  using Socket = AdminStream::socket_type;

  /// `ended` is called once, when the session is destroyed.
  AdminSession(Socket socket, const AdminHandlers& handlers, const AdminLimits& limits, std::function<void()> ended)
      : stream_(std::move(socket)), handlers_(handlers), limits_(limits), ended_(std::move(ended)) {}
  AdminSession(const AdminSession&) = delete;
  AdminSession& operator=(const AdminSession&) = delete;
  ~AdminSession() { ended_(); }

  void start() { read(); }
  /// At once, whatever is on its way.
  void close() { stream_.close(); }
  /// After the answer that is on its way, if there is one.
  void finish();

 private:
  void read();
  void on_read(beast::error_code error);
  void refuse(http::status status, std::string reason);
  void write(AdminAnswer answer, bool head_only);
  void on_written(beast::error_code error);
  void linger();

  AdminStream stream_;
  const AdminHandlers& handlers_;
  const AdminLimits& limits_;
  std::function<void()> ended_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::empty_body>> parser_;  // made anew for each request, as Beast wants it
  http::response<http::string_body> response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  std::size_t lingered_ = 0;
  bool answering_ = false;
  bool last_ = false;  // the connection ends with the present answer
};

}  // namespace adit::telemetry
