#include "tests/kube_api/faulty_proxy.h"

#include <memory>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kube/server_tls.h"
#include "tests/kube_api/fake_server.h"

namespace adit::kube::test {
namespace {

constexpr const char* kAccepted = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
constexpr const char* kEnd = "0\r\n\r\n";
constexpr const char* kGone = R"({"kind":"Status","code":410,"reason":"Expired","message":"too old"})";

std::string chunk(const std::string& text) {
  char size[16];
  std::snprintf(size, sizeof size, "%zx\r\n", text.size());
  return size + text + "\r\n";
}

sockaddr_in loopback(unsigned port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

unsigned port_of(const std::string& server) {
  return static_cast<unsigned>(std::stoul(server.substr(server.rfind(':') + 1)));
}

/// The connection to the real server, plain or by TLS.
class Upstream {
 public:
  Upstream(const ClusterConfig& config, bool tls) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const auto address = loopback(port_of(config.server));
    good_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    if (!tls || !good_) return;
    context_.reset(SSL_CTX_new(TLS_client_method()));
    good_ = static_cast<bool>(configure_tls(context_.get(), config, refusal_));
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    tls_.reset(SSL_new(context_.get()));
    SSL_set_fd(tls_.get(), socket_);
    good_ = good_ && SSL_connect(tls_.get()) == 1;
  }
  ~Upstream() {
    tls_.reset();
    ::close(socket_);
  }
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

  bool good() const { return good_; }
  int socket() const { return socket_; }
  bool has_more() const { return tls_ && SSL_pending(tls_.get()) > 0; }
  /// Blocks; 0 or less at the end.
  long read(char* out, std::size_t size) {
    return tls_ ? SSL_read(tls_.get(), out, static_cast<int>(size)) : ::recv(socket_, out, size, 0);
  }
  bool write(std::string_view bytes) {
    if (tls_) return SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
    return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<long>(bytes.size());
  }

 private:
  int socket_;
  bool good_ = false;
  Refusal refusal_;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_{nullptr, SSL_CTX_free};
  std::unique_ptr<SSL, void (*)(SSL*)> tls_{nullptr, SSL_free};
};

}  // namespace

/// One connection, on a thread of its own.
class FaultyProxy::Connection {
 public:
  Connection(FaultyProxy& proxy, int client, Fate fate)
      : proxy_(proxy), client_(client), fate_(fate), upstream_(proxy.real_, proxy.tls_ == Tls::ended) {}

  void run() {
    while (upstream_.good()) {
      pollfd ready[] = {{client_, POLLIN, 0}, {upstream_.socket(), POLLIN, 0}};
      if (!upstream_.has_more() && ::poll(ready, 2, -1) < 0) return;
      if (ready[0].revents != 0 && !from_client()) return;
      if ((ready[1].revents != 0 || upstream_.has_more()) && !from_server()) return;
    }
  }

 private:
  bool from_client() {
    const auto count = ::recv(client_, buffer_, sizeof buffer_, 0);
    if (count <= 0) return false;
    const std::string_view request(buffer_, static_cast<std::size_t>(count));
    if (request.starts_with("GET ") && request.find("watch=1") != std::string_view::npos && answered()) return false;
    return upstream_.write(request);
  }

  /// Whether the watch got its answer from here; the connection ends with it.
  bool answered() {
    switch (fate_.fault) {
      case Fault::gone:
        return happens() && to_client(answer("410 Gone", "", kGone));
      case Fault::gone_in_stream:
        return happens() &&
               to_client(kAccepted + chunk(R"({"type":"ERROR","object":)" + std::string(kGone) + "}\n") + kEnd);
      case Fault::closed_at_once:
        return happens() && to_client(std::string(kAccepted) + kEnd);
      default:
        return false;
    }
  }

  bool from_server() {
    const auto count = upstream_.read(buffer_, sizeof buffer_);
    if (count <= 0) return false;
    const auto size = static_cast<std::size_t>(count);
    const bool due = passed_ + size > fate_.after;
    const auto at = due && fate_.after > passed_ ? fate_.after - passed_ : 0;
    passed_ += size;
    if (!due) return to_client({buffer_, size});
    switch (fate_.fault) {
      case Fault::cut:
        if (!happens()) break;
        to_client({buffer_, at});
        return false;
      case Fault::stall:
        if (!happens()) break;
        to_client({buffer_, at});
        while (::recv(client_, buffer_, sizeof buffer_, 0) > 0) {
        }
        return false;
      case Fault::corrupt:
        if (happens()) buffer_[at] = '\x01';
        break;
      case Fault::small_pieces:
        happens();
        return in_pieces(size);
      default:
        break;
    }
    return to_client({buffer_, size});
  }

  bool in_pieces(std::size_t size) {
    for (std::size_t from = 0; from < size; from += 7) {
      if (!to_client({buffer_ + from, std::min<std::size_t>(7, size - from)})) return false;
    }
    return true;
  }

  bool to_client(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto count = ::send(client_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  /// Counts the fault, once a connection; false when it is not to happen any more.
  bool happens() {
    if (!proxy_.faults_) fate_.fault = Fault::none;
    if (fate_.fault == Fault::none) return false;
    if (!counted_) ++proxy_.happened_[static_cast<std::size_t>(fate_.fault)];
    counted_ = true;
    if (fate_.fault == Fault::corrupt) fate_.fault = Fault::none;
    return true;
  }

  FaultyProxy& proxy_;
  int client_;
  Fate fate_;
  Upstream upstream_;
  std::size_t passed_ = 0;
  bool counted_ = false;
  char buffer_[16 << 10];
};

FaultyProxy::FaultyProxy(const ClusterConfig& config, Tls tls)
    : real_(config), tls_(tls), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
  auto address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("cannot listen");
  }
  port_ = ntohs(address.sin_port);
  accepting_ = std::jthread([this] { accept(); });
}

FaultyProxy::~FaultyProxy() {
  ::shutdown(listener_, SHUT_RDWR);
  accepting_.join();
  cut_all();
  serving_.clear();
  ::close(listener_);
}

ClusterConfig FaultyProxy::config() const {
  const auto authority = "127.0.0.1:" + std::to_string(port_);
  ClusterConfig config;
  if (tls_ == Tls::passed_through) config = real_;
  config.server = (tls_ == Tls::passed_through ? "https://" : "http://") + authority;
  return config;
}

void FaultyProxy::begin(unsigned seed) {
  const std::lock_guard lock(mutex_);
  random_.seed(seed);
  faults_ = true;
}

void FaultyProxy::cut_all() {
  const std::lock_guard lock(mutex_);
  for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
}

FaultyProxy::Fate FaultyProxy::draw() {
  if (!faults_) return {};
  const auto pick = [this](unsigned most) { return std::uniform_int_distribution<unsigned>(0, most)(random_); };
  const auto faults = tls_ == Tls::ended ? 7U : 4U;
  return {static_cast<Fault>(pick(faults)), pick(3) == 0 ? pick(200) : pick(6'000)};
}

void FaultyProxy::accept() {
  for (;;) {
    const int client = ::accept(listener_, nullptr, nullptr);
    if (client < 0) return;
    const int on = 1;
    ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const std::lock_guard lock(mutex_);
    sockets_.insert(client);
    serving_.emplace_back([this, client, fate = draw()] {
      Connection(*this, client, fate).run();
      const std::lock_guard done(mutex_);
      sockets_.erase(client);
      ::close(client);
    });
  }
}

}  // namespace adit::kube::test
