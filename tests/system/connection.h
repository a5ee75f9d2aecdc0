#pragma once
// Blocking connections for the ends of a system test: visitors, and the service behind the tunnel.

#include <cstdint>
#include <string>
#include <string_view>

#include "net/tls_context.h"

namespace adit::test {

/// A socket that no failure of the system under test keeps waiting for longer than kPatience.
class Connection {
 public:
  /// There to end a test that hangs, never to measure.
  static constexpr int kPatience = 8;  // seconds

  explicit Connection(int descriptor);
  /// Dials a port of loopback; with `tls`, for that server name.
  explicit Connection(std::uint16_t port, const net::TlsContext& tls = nullptr, const std::string& name = {});
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// False when the peer is gone.
  bool send(std::string_view bytes);
  /// Appends what comes to bytes(); false at the end, or on a reset, or when patience is over.
  bool receive();
  /// Receives until `end` is in bytes(); what stands up to and including it is taken out. Empty when it does not come.
  std::string take_until(std::string_view end);
  /// As take_until, by size; less when the peer ends.
  std::string take(std::size_t size);
  void finish();

  const std::string& bytes() const { return bytes_; }
  /// The peer neither answered nor closed.
  bool hung() const { return hung_; }
  int descriptor() const { return descriptor_; }

 private:
  void set_patience() const;

  int descriptor_;
  net::SslPtr ssl_;
  std::string bytes_;
  bool hung_ = false;
};

/// Listens on a port of loopback that the kernel chooses.
int listen_on_loopback(std::uint16_t& port);

}  // namespace adit::test
