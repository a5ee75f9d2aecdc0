#include "gateway/affinity_cookie.h"

#include <algorithm>

namespace adit::gateway {
namespace {

constexpr std::size_t kDigits = 16;          // of a word
constexpr std::size_t kEntry = 2 * kDigits;  // then "." or the end

/// Nothing unless 16 lower-case hex digits.
std::optional<std::uint64_t> word_of(std::string_view text) {
  if (text == "0000000000000000") return 0;
  return link::parse_instance_key(text);
}

}  // namespace

/// FNV-1a (its published constants), with the halves folded.
std::uint32_t affinity_digest(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return static_cast<std::uint32_t>(hash ^ hash >> 32U);
}

std::optional<AffinityCookie> AffinityCookie::parse(std::string_view text) {
  AffinityCookie cookie;
  if (text.size() % (kEntry + 1) != kEntry || text.size() / kEntry > kMostEntries) return std::nullopt;
  for (; cookie.size_ < kMostEntries; text.remove_prefix(kEntry + 1)) {
    const auto upstream = word_of(text.substr(0, kDigits));
    const auto instance = link::parse_instance_key(text.substr(kDigits, kDigits));
    if (!upstream || !instance) return std::nullopt;
    cookie.entries_[cookie.size_++] = {static_cast<std::uint32_t>(*upstream >> 32U),
                                       static_cast<std::uint32_t>(*upstream), *instance};
    if (text.size() == kEntry) return cookie;
    if (text[kEntry] != '.') return std::nullopt;
  }
  return std::nullopt;
}

void AffinityCookie::put(const AffinityEntry& entry) {
  const auto same = [&](const AffinityEntry& held) {
    return held.tunnel == entry.tunnel && held.service == entry.service;
  };
  const auto end = entries_.begin() + static_cast<std::ptrdiff_t>(size_);
  auto place = std::find_if(entries_.begin(), end, same);
  if (place == end) {
    size_ = std::min(size_ + 1, kMostEntries);
    place = entries_.begin() + static_cast<std::ptrdiff_t>(size_ - 1);
  }
  std::move_backward(entries_.begin(), place, place + 1);
  entries_.front() = entry;
}

std::string_view AffinityCookie::text(Room& room) const {
  auto* to = room.data();
  const auto put = [&](std::uint64_t word) {
    const link::InstanceText digits(word);
    to = std::copy(digits.view().begin(), digits.view().end(), to);
  };
  for (const AffinityEntry& entry : entries()) {
    if (to != room.data()) *to++ = '.';
    put(std::uint64_t{entry.tunnel} << 32U | entry.service);
    put(entry.instance);
  }
  return {room.data(), static_cast<std::size_t>(to - room.data())};
}

}  // namespace adit::gateway
