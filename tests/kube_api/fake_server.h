#pragma once
// A plain HTTP server for faults that a real API server cannot be made to show.

#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace adit::kube::test {

/// Accepts connections on a port of its own, one at a time, and lets `serve` do with each what it likes.
class FakeServer {
 public:
  class Connection {
   public:
    explicit Connection(int socket) : socket_(socket) {}
    /// The head and body of the next request; empty when the client has gone.
    std::string read_request();
    void write(std::string_view bytes) const;
    /// Returns when the client has gone.
    void wait_for_end() const;

   private:
    int socket_;
    std::string read_;
  };

  explicit FakeServer(std::function<void(Connection&)> serve);
  ~FakeServer();
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  int listener_;
  unsigned port_ = 0;
  std::jthread thread_;
};

/// An HTTP/1.1 answer with Content-Length.
std::string answer(const std::string& status, const std::string& headers, const std::string& body);

}  // namespace adit::kube::test
