#pragma once
// The service behind the tunnel: blocking, a thread for each connection.

#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace adit::test {

/// Answers GET with kBody, POST with the size of the body, and an Upgrade by echoing what comes.
class Service {
 public:
  static const std::string kBody;

  Service();
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  std::uint16_t port() const { return port_; }

 private:
  void accept();
  void serve(int descriptor);

  std::uint16_t port_ = 0;
  int listener_;
  std::mutex mutex_;
  std::vector<int> open_;  ///< descriptors of the connections, to end them
  std::vector<std::jthread> connections_;
  std::jthread acceptor_;
};

}  // namespace adit::test
