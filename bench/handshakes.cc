// What "make bench" loads with where every request makes a connection with a whole TLS 1.3 handshake (wrk resumes
// sessions). bench_handshakes PORT CONNECTIONS SECONDS prints a line as report.lua does.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>
#include <vector>

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kRequest = "GET /small HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
constexpr std::string_view kAnswer = "HTTP/1.1 200";

/// What one thread saw. Microseconds from connect() to the connection's end.
struct Seen {
  std::vector<std::uint32_t> took;
  std::uint64_t bytes = 0;
  std::uint64_t errors = 0;
};

int connect_to(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd >= 0 && connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  if (fd >= 0) close(fd);
  return -1;
}

/// The bytes of a whole answer over a whole handshake, or 0.
std::uint64_t ask(SSL* ssl) {
  SSL_set_tlsext_host_name(ssl, "localhost");
  if (SSL_connect(ssl) != 1 || SSL_session_reused(ssl) != 0) return 0;
  if (SSL_write(ssl, kRequest.data(), static_cast<int>(kRequest.size())) <= 0) return 0;
  std::array<char, 4096> answer;
  std::uint64_t size = 0;
  bool right = false;
  int count = 0;
  while ((count = SSL_read(ssl, answer.data(), answer.size())) > 0) {
    if (size == 0) right = std::string_view(answer.data(), static_cast<std::size_t>(count)).starts_with(kAnswer);
    size += static_cast<std::uint64_t>(count);
  }
  if (SSL_get_error(ssl, count) != SSL_ERROR_ZERO_RETURN) return 0;
  SSL_shutdown(ssl);
  return right ? size : 0;
}

void visit(SSL_CTX* context, std::uint16_t port, Clock::time_point end, Seen& seen) {
  while (Clock::now() < end) {
    const auto begin = Clock::now();
    const int fd = connect_to(port);
    if (fd < 0) {
      ++seen.errors;
      continue;
    }
    SSL* ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    const auto size = ask(ssl);
    SSL_free(ssl);
    close(fd);
    if (size == 0) {
      ++seen.errors;
      continue;
    }
    seen.bytes += size;
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin);
    seen.took.push_back(static_cast<std::uint32_t>(took.count()));
  }
}

void report(const std::vector<Seen>& all, double seconds) {
  std::vector<std::uint32_t> took;
  std::uint64_t bytes = 0;
  std::uint64_t errors = 0;
  for (const auto& seen : all) {
    took.insert(took.end(), seen.took.begin(), seen.took.end());
    bytes += seen.bytes;
    errors += seen.errors;
  }
  std::sort(took.begin(), took.end());
  const auto percentile = [&](std::size_t part) { return took.empty() ? 0U : took[(took.size() - 1) * part / 100]; };
  std::printf(R"(RESULT {"requests":%zu,"bytes":%ju,"seconds":%.6f,"p50_us":%u,"p99_us":%u,"errors":%ju})"
              "\n",
              took.size(), static_cast<std::uintmax_t>(bytes), seconds, percentile(50), percentile(99),
              static_cast<std::uintmax_t>(errors));
}

}  // namespace

int main(int count, char** words) {
  if (count != 4) return 2;
  const auto port = static_cast<std::uint16_t>(std::atoi(words[1]));
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  std::vector<Seen> all(static_cast<std::size_t>(std::atoi(words[2])));
  const auto begin = Clock::now();
  {
    std::vector<std::jthread> threads;
    const auto end = begin + std::chrono::seconds(std::atoi(words[3]));
    for (auto& seen : all) threads.emplace_back([&] { visit(context, port, end, seen); });
  }
  report(all, std::chrono::duration<double>(Clock::now() - begin).count());
  SSL_CTX_free(context);
  return 0;
}
