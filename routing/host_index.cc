#include "routing/host_index.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/random.h"
#include "base/text.h"

namespace adit::routing {
namespace {

std::uint64_t word_at(const char* from) {
  std::uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// The letters A to Z among eight ASCII characters to lower case; other bytes stay.
std::uint64_t lower_case(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  const std::uint64_t seven_bits = word & (0x7f * kOnes);
  // The high bit of each byte tells: at least 'A'; beyond 'Z'.
  const std::uint64_t from_a = seven_bits + (0x80 - 'A') * kOnes;
  const std::uint64_t beyond_z = seven_bits + (0x7f - 'Z') * kOnes;
  const std::uint64_t upper = (from_a ^ beyond_z) & ~word & (0x80 * kOnes);
  return word | upper >> 2U;  // 0x80 becomes 0x20
}

/// Every bit of the product's middle depends on all of `word`.
std::uint64_t mix(std::uint64_t word) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(word) * 0x9e3779b97f4a7c15U;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

}  // namespace

HostKey::HostKey(std::string_view host) {
  LiteralRoom room;
  if (host.starts_with('[')) {
    // One address has many spellings; what is none stays as it is, and no rule has it.
    if (const auto literal = canonical_literal(host, room); !literal.empty()) host = literal;
  }
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.size() > kLongestHost) return;
  fits_ = true;
  size_ = host.size();
  char* to = room_.data();
  for (; host.size() >= kWord; host.remove_prefix(kWord), to += kWord) {
    const auto word = lower_case(word_at(host.data()));
    std::memcpy(to, &word, kWord);
  }
  std::memset(to, 0, 2 * kWord);
  std::transform(host.begin(), host.end(), to, base::to_lower);
}

std::string_view HostKey::to_wildcard(std::size_t suffix) {
  room_[suffix - 1] = '*';
  return text().substr(suffix - 1);
}

HostIndex::HostIndex() : seed_(base::Random()()) {}

void HostIndex::reset(std::size_t count) {
  slots_.assign(std::bit_ceil(2 * count + 1), Slot{});
  mask_ = slots_.size() - 1;
}

void HostIndex::add(std::string_view name, std::uint32_t number) {
  const auto hash = this->hash(name);
  auto at = hash & mask_;
  while (slots_[at].number != kNone) at = (at + 1) & mask_;
  slots_[at] = {tag_of(hash), number};
}

std::uint64_t HostIndex::hash(std::string_view name) const {
  std::uint64_t hash = seed_ ^ name.size();
  for (std::size_t i = 0; i < name.size(); i += sizeof hash) hash = mix(hash ^ word_at(name.data() + i));
  return hash;
}

}  // namespace adit::routing
