#pragma once
// By what gateways name one instance of a connector where others can see it: to each other, and in cookies.

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace adit::link {

/// The same on all gateways; says nothing of the instance to who does not know its id, which is 128 random bits. 0:
/// none.
using InstanceKey = std::uint64_t;

/// The first eight bytes of the SHA-256 of "TUNNEL/INSTANCE"; 0 for an instance without id.
InstanceKey instance_key(std::string_view tunnel_id, std::string_view instance);

/// 16 lower-case hex digits.
class InstanceText {
 public:
  explicit InstanceText(InstanceKey key);
  std::string_view view() const { return {text_.data(), text_.size()}; }

 private:
  std::array<char, 16> text_;
};
/// Nothing for any other text, and for 0.
std::optional<InstanceKey> parse_instance_key(std::string_view text);

}  // namespace adit::link
