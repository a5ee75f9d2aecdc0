#pragma once
// A plain HTTP server for faults that a real API server cannot be made to show.

#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace adit::kube::test {

/// Accepts connections on a port of its own and lets `serve` do with each what it likes, on a thread of its own. The
/// connections end with the server.
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
  void accept();

  std::function<void(Connection&)> serve_;
  int listener_;
  unsigned port_ = 0;
  std::mutex mutex_;
  std::set<int> sockets_;
  std::vector<std::jthread> serving_;
  std::jthread accepting_;
};

/// An HTTP/1.1 answer with Content-Length.
std::string answer(const std::string& status, const std::string& headers, const std::string& body);

}  // namespace adit::kube::test
