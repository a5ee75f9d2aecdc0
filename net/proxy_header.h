#pragma once
// The PROXY protocol, versions 1 and 2: the line or block by which a trusted proxy tells whose connection it forwards
// (HAProxy's proxy-protocol.txt). Sans-io.

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "net/asio.h"

namespace adit::net {

/// What a proxy says of the connection that it accepted.
struct ProxiedConnection {
  asio::ip::tcp::endpoint source;       ///< the visitor
  asio::ip::tcp::endpoint destination;  ///< where the visitor connected to
};

struct ProxyHeader {
  enum class Progress {
    need_more,  ///< a prefix of one; parse again with more bytes
    complete,
    refused,  ///< none, or one that is not exactly as the protocol has it
  };

  Progress progress = Progress::need_more;
  std::size_t consumed = 0;                     ///< complete: its size; what follows is the visitor's
  std::optional<ProxiedConnection> connection;  ///< absent: LOCAL or UNKNOWN, the addresses are those of the socket
  std::string_view reason;                      ///< refused; a literal
};

/// The most bytes that a header may have: version 1 ends within 107, version 2 says its size. It never needs more.
inline constexpr std::size_t kMostProxyHeader = 16 + 4096;

/// Reads the header at the beginning of all the bytes that have come. A checksum (PP2_TYPE_CRC32C) is verified when
/// there is one; other TLVs are passed over.
ProxyHeader parse_proxy_header(std::span<const char> bytes);

}  // namespace adit::net
