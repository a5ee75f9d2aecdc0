#pragma once
// Whether a visitor's requests stay with one instance of a Tunnel's connectors, and how the visitor is known again.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace adit::routing {

inline constexpr std::string_view kDefaultAffinityCookie = "adit-affinity";
inline constexpr std::size_t kLongestCookieName = 64;
/// A leap year; clients keep none for more than 400 days.
inline constexpr std::chrono::seconds kLongestCookieAge = std::chrono::hours(366 * 24);

/// spec.affinity of a Tunnel.
struct Affinity {
  enum class Mode : std::uint8_t {
    none,
    cookie,   ///< by a cookie that the gateway gives
    address,  ///< by the visitor's IP address
  };
  Mode mode = Mode::none;
  std::string cookie_name = {};     ///< of Mode::cookie
  std::chrono::seconds max_age{0};  ///< of Mode::cookie; 0: until the visitor's program ends

  friend bool operator==(const Affinity&, const Affinity&) = default;
};

/// The mode as it is written, "Cookie"; empty for none.
std::string_view name_of(Affinity::Mode mode);
/// What is wrong with the name of a cookie (RFC 6265 §4.1.1), as a predicate: "must be ..."; empty: nothing.
std::string_view cookie_name_fault(std::string_view name);

}  // namespace adit::routing
