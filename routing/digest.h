#pragma once
// SHA-256 of what manifests hold, and the base64 in which Secrets hold it.

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace adit::routing {

using Sha256 = std::array<std::uint8_t, 32>;

/// Over the parts with their lengths, so that no two lists of parts share a digest. One part: of its bytes alone.
Sha256 sha256(std::initializer_list<std::string_view> parts);

/// Lower-case hex.
std::string hex(const Sha256& digest);

/// RFC 4648 §4 with padding; line breaks are skipped as Kubernetes does. Nothing for any other character or length.
std::optional<std::string> decode_base64(std::string_view text);
/// RFC 4648 §4, with padding.
std::string encode_base64(std::string_view bytes);

}  // namespace adit::routing
