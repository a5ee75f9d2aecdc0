#include "tests/kube_api/fake_server.h"

#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace adit::kube::test {

std::string FakeServer::Connection::read_request() {
  char part[4096];
  for (;;) {
    if (const auto head = read_.find("\r\n\r\n"); head != std::string::npos) {
      const auto field = read_.find("Content-Length:");
      const auto length = field < head ? std::stoul(read_.substr(field + 15)) : 0UL;
      if (const auto size = head + 4 + length; read_.size() >= size) {
        auto request = read_.substr(0, size);
        read_.erase(0, size);
        return request;
      }
    }
    const auto count = ::recv(socket_, part, sizeof part, 0);
    if (count <= 0) return {};
    read_.append(part, static_cast<std::size_t>(count));
  }
}

void FakeServer::Connection::write(std::string_view bytes) const {
  while (!bytes.empty()) {
    const auto count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void FakeServer::Connection::wait_for_end() const {
  char part[4096];
  while (::recv(socket_, part, sizeof part, 0) > 0) {
  }
}

FakeServer::FakeServer(std::function<void(Connection&)> serve)
    : serve_(std::move(serve)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("cannot listen");
  }
  port_ = ntohs(address.sin_port);
  accepting_ = std::jthread([this] { accept(); });
}

void FakeServer::accept() {
  for (;;) {
    const int socket = ::accept(listener_, nullptr, nullptr);
    if (socket < 0) return;
    const std::lock_guard lock(mutex_);
    sockets_.insert(socket);
    serving_.emplace_back([this, socket] {
      Connection connection(socket);
      serve_(connection);
      const std::lock_guard done(mutex_);
      sockets_.erase(socket);
      ::close(socket);
    });
  }
}

FakeServer::~FakeServer() {
  ::shutdown(listener_, SHUT_RDWR);
  accepting_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
  }
  serving_.clear();
  ::close(listener_);
}

std::string answer(const std::string& status, const std::string& headers, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\n" + headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace adit::kube::test
