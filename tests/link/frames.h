#pragma once
// HTTP/2 frames made by hand (RFC 9113 §4.1).

#include <cstdint>
#include <string>
#include <string_view>

namespace adit::link::test {

inline constexpr char kPreface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum FrameType : unsigned char {
  kData,
  kHeaders,
  kPriority,
  kRst,
  kSettings,
  kPush,
  kPing,
  kGoaway,
  kWindow,
  kContinuation
};
inline constexpr unsigned char kEndStream = 1;
inline constexpr unsigned char kAck = 1;
inline constexpr unsigned char kEndHeaders = 4;

inline std::string number(std::uint32_t value) {
  return {static_cast<char>(value >> 24U), static_cast<char>(value >> 16U), static_cast<char>(value >> 8U),
          static_cast<char>(value)};
}

inline std::string frame(FrameType type, unsigned char flags, std::uint32_t stream, std::string_view payload = {}) {
  std::string bytes = number(static_cast<std::uint32_t>(payload.size())).substr(1);
  bytes += static_cast<char>(type);
  bytes += static_cast<char>(flags);
  return bytes + number(stream) + std::string(payload);
}

/// A literal field without indexing; both lengths below 127 (RFC 7541 §6.2.2).
inline std::string field(std::string_view name, std::string_view value) {
  std::string bytes(1, '\0');
  for (const auto text : {name, value}) bytes += static_cast<char>(text.size()) + std::string(text);
  return bytes;
}

inline std::string connect(std::uint32_t stream, std::string_view service = "default") {
  return frame(kHeaders, kEndHeaders, stream, field(":method", "CONNECT") + field(":authority", service));
}

inline std::string open_control(std::uint32_t stream, std::string_view protocol = "adit-control") {
  return frame(kHeaders, kEndHeaders, stream,
               field(":method", "CONNECT") + field(":protocol", protocol) + field(":scheme", "https") +
                   field(":authority", "control") + field(":path", "/"));
}

/// What a connector says first.
inline const std::string kHello =
    frame(kSettings, 0, 0, std::string("\0\x8", 2) + number(1)) + frame(kSettings, kAck, 0);

}  // namespace adit::link::test
