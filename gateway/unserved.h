#pragma once
// Why there is no link for a request: the reason of a 503, for logs and metrics.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace adit::gateway {

enum class Unserved : std::uint8_t {
  never_connected,  ///< no connector of the tunnel has been here since the gateway began
  left,             ///< the last one has left in good order
  lost,             ///< the last one was lost
  revoked,          ///< the last one's token is no longer valid
  not_offered,      ///< there are some, but none offers the service
  links_failed,     ///< links were there, but ended before a byte of the request had left
};
inline constexpr std::array<std::string_view, 6> kUnservedNames = {"never_connected", "left",        "lost",
                                                                   "revoked",         "not_offered", "links_failed"};
inline std::string_view name_of(Unserved why) { return kUnservedNames[static_cast<std::size_t>(why)]; }

/// In words, for the access log.
inline constexpr std::array<std::string_view, 6> kUnservedTexts = {
    "no connector has connected yet",
    "no connector is left: the last one has left in good order",
    "no connector is left: the last one was lost",
    "no connector is left: the last one's token was revoked",
    "no connector offers the service",
    "the links ended before the request had left"};
inline std::string_view text_of(Unserved why) { return kUnservedTexts[static_cast<std::size_t>(why)]; }

}  // namespace adit::gateway
