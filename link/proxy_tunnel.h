#pragma once
// The way through a corporate proxy: CONNECT (RFC 9110 §9.3.6) before everything else. Sans-io.

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/buffer.h"
#include "http/parser.h"

namespace adit::link {

/// Appends "CONNECT host:port"; `credentials` is "user:password" for Basic authentication (RFC 7617), or empty.
void write_connect(base::Buffer& out, std::string_view host, std::uint16_t port, std::string_view credentials);

/// Reads the proxy's answer.
class ProxyAnswerReader {
 public:
  struct Outcome {
    std::size_t consumed = 0;  ///< bytes of the head; what follows comes from the other side of the proxy
    bool connected = false;    ///< 2xx: the tunnel stands
    int status = 0;            ///< a refusal: 407, 403, 502, …
    std::string authenticate;  ///< of a 407: the schemes that Proxy-Authenticate names, as "Basic, Negotiate"
    std::string broken;        ///< the answer is not one of an HTTP proxy; why
    /// The answer's Date, for a suspicion of clock skew.
    std::optional<std::chrono::system_clock::time_point> date = {};
  };  ///< not connected, no status and not broken: more bytes are needed
  /// `bytes` are all so far.
  Outcome read(std::span<const char> bytes);

 private:
  http::ResponseParser parser_{http::HeadLimits{std::size_t{16} * 1024, 1024}};
  std::size_t interim_ = 0;  // bytes of 1xx answers at the front
};

}  // namespace adit::link
