#include "tests/system/service.h"

#include <algorithm>
#include <cstdlib>

#include <sys/socket.h>
#include <unistd.h>

#include "tests/system/connection.h"
#include "tests/system/faults.h"

namespace adit::test {
namespace {

std::string body() {
  std::string text;
  for (int line = 0; line < 200; ++line) text += "line " + std::to_string(line) + " of the service's answer\n";
  return text;
}

std::string answer(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::size_t content_length(const std::string& head) {
  const auto at = head.find("Content-Length: ");
  return at == std::string::npos ? 0 : std::strtoul(head.c_str() + at + 16, nullptr, 10);
}

/// False when the connection is over.
bool serve_one(Connection& connection) {
  const auto head = connection.take_until("\r\n\r\n");
  if (head.empty()) return false;
  if (head.find("Upgrade: echo") != std::string::npos) {
    connection.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
    while (!connection.bytes().empty() || connection.receive()) {
      if (!connection.send(connection.take(connection.bytes().size()))) break;
    }
    return false;
  }
  if (head.starts_with("GET ")) return connection.send(answer(Service::kBody));
  const auto size = content_length(head);
  if (connection.take(size).size() != size) return false;
  return connection.send(answer(std::to_string(size)));
}

}  // namespace

const std::string Service::kBody = body();

Service::Service() : listener_(listen_on_loopback(port_)), acceptor_([this] { accept(); }) {}

Service::~Service() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  const std::lock_guard lock(mutex_);
  for (const int descriptor : open_) ::shutdown(descriptor, SHUT_RDWR);
}

void Service::accept() {
  const Exempt exempt;
  while (true) {
    const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0) return;
    const std::lock_guard lock(mutex_);
    open_.push_back(descriptor);
    connections_.emplace_back([this, descriptor] { serve(descriptor); });
  }
}

void Service::serve(int descriptor) {
  const Exempt exempt;
  Connection connection(descriptor);
  while (serve_one(connection)) {
  }
  const std::lock_guard lock(mutex_);
  std::erase(open_, descriptor);  // before it is closed, since its number may be used again then
}

}  // namespace adit::test
