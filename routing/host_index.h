#pragma once
// How a table finds a host among many thousands with few cache misses.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "routing/host_name.h"

namespace adit::routing {

/// A host in lower case and without final dot, on the stack, in a form that is hashed by whole words.
class HostKey {
 public:
  /// A host that is too long does not fit; the key is then empty.
  explicit HostKey(std::string_view host);

  bool fits() const { return fits_; }
  std::string_view text() const { return {room_.data(), size_}; }

  /// Cuts the front off so that "shop.example.com" becomes "*.example.com"; `suffix` is where ".example.com" begins,
  /// never 0.
  std::string_view to_wildcard(std::size_t suffix);

 private:
  static constexpr std::size_t kWord = sizeof(std::uint64_t);

  // HostIndex reads behind a text up to a whole word, so the last word is filled with zeros.
  std::array<char, kLongestHost + 2 * kWord> room_;
  std::size_t size_ = 0;
  bool fits_ = false;
};

/// Numbers by name; made once. Open addressing with linear probing, at most half full: a look-up reads one cache line
/// of slots, and then only the name that it looks for. Safe to share once it is filled.
class HostIndex {
 public:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  HostIndex();

  /// Forgets all; makes room for `count` names.
  void reset(std::size_t count);
  /// `name` is the text of a HostKey, new here.
  void add(std::string_view name, std::uint32_t number);
  /// The number of `name`, which is the text of a HostKey, or kNone. `is_it(number)` compares the names.
  template <class IsIt>
  std::uint32_t find(std::string_view name, IsIt is_it) const {
    const auto wanted = hash(name);
    for (auto at = wanted & mask_;; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.number == kNone) return kNone;
      if (slot.tag == tag_of(wanted) && is_it(slot.number)) return slot.number;
    }
  }

 private:
  struct Slot {
    std::uint32_t tag = 0;
    std::uint32_t number = kNone;
  };

  static std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32U); }
  std::uint64_t hash(std::string_view name) const;

  std::uint64_t seed_;  ///< secret, or tenants could choose hosts that all collide
  std::uint64_t mask_ = 0;
  std::vector<Slot> slots_ = std::vector<Slot>(1);
};

}  // namespace adit::routing
