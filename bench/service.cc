// A service for bulk, since nginx's way with large uploads is slower than what is measured: bench_service ADDRESS PORT.
// "GET /bytes/N" is answered with N bytes; one with Upgrade with 101, then
// it is quiet; any other with 200 once its body (Content-Length) has come.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

constexpr std::size_t kPiece = 256 * 1024;
constexpr std::string_view kSwitch = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: idle\r\n\r\n";

bool send_all(int fd, std::string_view bytes, std::uint64_t times = 1) {
  for (; times != 0; --times) {
    for (std::string_view left = bytes; !left.empty();) {
      const auto count = send(fd, left.data(), left.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      left.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  return true;
}

std::uint64_t number_after(std::string_view text, std::string_view name) {
  const auto at = text.find(name);
  return at == text.npos ? 0 : std::strtoull(text.data() + at + name.size(), nullptr, 10);
}

bool answer_bytes(int fd, std::uint64_t count) {
  static const std::string piece(kPiece, 'x');
  return send_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(count) + "\r\n\r\n") &&
         send_all(fd, piece, count / kPiece) && send_all(fd, std::string_view(piece).substr(0, count % kPiece));
}

/// One connection, until it ends.
void serve(int fd) {
  std::vector<char> buffer(kPiece);
  std::string in;
  while (true) {
    const auto end = in.find("\r\n\r\n");
    if (end == in.npos) {
      const auto count = recv(fd, buffer.data(), buffer.size(), 0);
      if (count <= 0) break;
      in.append(buffer.data(), static_cast<std::size_t>(count));
      continue;
    }
    const std::string head = in.substr(0, end + 2);
    in.erase(0, end + 4);
    if (head.find("\r\nUpgrade: ") != head.npos) {
      if (!send_all(fd, kSwitch)) break;
      std::vector<char>(1024).swap(buffer);
      while (recv(fd, buffer.data(), buffer.size(), 0) > 0) {
      }
      break;
    }
    auto body = number_after(head, "Content-Length: ");
    const auto had = std::min<std::uint64_t>(body, in.size());
    in.erase(0, had);
    for (body -= had; body != 0;) {
      const auto count = recv(fd, buffer.data(), std::min<std::uint64_t>(body, buffer.size()), 0);
      if (count <= 0) return void(close(fd));
      body -= static_cast<std::uint64_t>(count);
    }
    const bool download = head.starts_with("GET /bytes/");
    const bool sent = download ? answer_bytes(fd, number_after(head, "GET /bytes/"))
                               : send_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    if (!sent) break;
  }
  close(fd);
}

}  // namespace

int main(int count, char** words) {
  if (count != 3) return 2;
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(words[2])));
  if (inet_pton(AF_INET, words[1], &address.sin_addr) != 1) return 2;
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return 1;
  listen(listener, 4096);
  while (true) {
    const int fd = accept(listener, nullptr, nullptr);
    if (fd < 0) return 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::thread(serve, fd).detach();
  }
}
