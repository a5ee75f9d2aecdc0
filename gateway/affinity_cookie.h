#pragma once
// What the cookie of affinity says. Pure, and without memory of its own.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "link/instance_key.h"

namespace adit::gateway {

/// A service of a tunnel, and the connector instance that serves this visitor there. `tunnel` and `service` are
/// digests: that two are alike by chance does no harm, since an instance is only looked for in its own tunnel.
struct AffinityEntry {
  std::uint32_t tunnel = 0;
  std::uint32_t service = 0;
  link::InstanceKey instance = 0;

  friend bool operator==(const AffinityEntry&, const AffinityEntry&) = default;
};

/// The same on all gateways.
std::uint32_t affinity_digest(std::string_view text);

/// Several entries, since paths of one host may lead to several tunnels and services, and a visitor has one cookie for
/// all that give it the same name. The text is of entries with "." between them, 32 lower-case hex digits each: 8 for
/// the tunnel, 8 for the service, 16 for the instance.
class AffinityCookie {
 public:
  static constexpr std::size_t kMostEntries = 4;

  /// Nothing for a text of any other form.
  static std::optional<AffinityCookie> parse(std::string_view text);

  /// Those of last first.
  std::span<const AffinityEntry> entries() const { return {entries_.data(), size_}; }
  /// Becomes the first one, in place of that of the same tunnel and service, or, when it is full, of the last one.
  void put(const AffinityEntry& entry);

  /// The text; views `room`.
  using Room = std::array<char, kMostEntries * 33>;
  std::string_view text(Room& room) const;

 private:
  std::array<AffinityEntry, kMostEntries> entries_;
  std::size_t size_ = 0;
};

}  // namespace adit::gateway
