#include "tests/system/connection.h"

#include <array>
#include <cerrno>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

namespace adit::test {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

Connection::Connection(int descriptor) : descriptor_(descriptor) { set_patience(); }

Connection::Connection(std::uint16_t port, const net::TlsContext& tls, const std::string& name)
    : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  set_patience();
  const auto address = loopback(port);
  if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
  if (!tls) return;
  ssl_ = net::new_client(tls, name);
  SSL_set_fd(ssl_.get(), descriptor_);
}

Connection::~Connection() {
  ssl_.reset();
  ::close(descriptor_);
}

void Connection::set_patience() const {
  const timeval limit{kPatience, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

bool Connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    errno = 0;
    ERR_clear_error();
    const auto sent = ssl_ ? SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()))
                           : ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      hung_ = errno == EAGAIN;
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool Connection::receive() {
  std::array<char, 16384> room;
  errno = 0;
  ERR_clear_error();
  const auto count = ssl_ ? SSL_read(ssl_.get(), room.data(), static_cast<int>(room.size()))
                          : ::recv(descriptor_, room.data(), room.size(), 0);
  if (count <= 0) {
    hung_ = errno == EAGAIN;
    return false;
  }
  bytes_.append(room.data(), static_cast<std::size_t>(count));
  return true;
}

std::string Connection::take_until(std::string_view end) {
  auto at = bytes_.find(end);
  while (at == std::string::npos) {
    if (!receive()) return {};
    at = bytes_.find(end);
  }
  auto taken = bytes_.substr(0, at + end.size());
  bytes_.erase(0, taken.size());
  return taken;
}

std::string Connection::take(std::size_t size) {
  while (bytes_.size() < size && receive()) {
  }
  auto taken = bytes_.substr(0, size);
  bytes_.erase(0, taken.size());
  return taken;
}

void Connection::finish() { ::shutdown(descriptor_, SHUT_WR); }

int listen_on_loopback(std::uint16_t& port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(0);
  socklen_t size = sizeof address;
  ::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), size);
  ::listen(descriptor, SOMAXCONN);
  ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(address.sin_port);
  return descriptor;
}

}  // namespace adit::test
