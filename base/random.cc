#include "base/random.h"

#include <algorithm>
#include <bit>
#include <cstdlib>

#include <sys/random.h>

namespace adit::base {

Random::Random() {
  // getrandom cannot fail for 32 bytes once the pool is initialised, and blocks until it is.
  if (getrandom(state_.data(), sizeof state_, 0) != static_cast<ssize_t>(sizeof state_)) std::abort();
}

Random::Random(std::uint64_t seed) {
  // splitmix64, as the authors advise for seeding.
  for (auto& word : state_) {
    seed += 0x9e3779b97f4a7c15U;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    word = z ^ (z >> 31U);
  }
}

Random::result_type Random::operator()() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17U;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

std::uint64_t Random::up_to(std::uint64_t bound) {
  if (bound == max()) return (*this)();
  // Multiply-shift; its bias is below 2^-32 for the bounds in use (milliseconds, list lengths).
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>((*this)()) * (bound + 1)) >> 64U);
}

std::array<char, 32> random_id(Random& random) {
  static constexpr auto kDigits = [] {
    std::array<std::array<char, 2>, 256> digits{};
    for (unsigned byte = 0; byte < digits.size(); ++byte) {
      digits[byte] = {"0123456789abcdef"[byte & 0xfU], "0123456789abcdef"[byte >> 4U]};
    }
    return digits;
  }();
  std::array<char, 32> id;
  auto at = id.begin();
  for (int half = 0; half < 2; ++half) {
    std::uint64_t bits = random();
    for (int byte = 0; byte < 8; ++byte, bits >>= 8U) at = std::copy_n(kDigits[bits & 0xffU].begin(), 2, at);
  }
  return id;
}

}  // namespace adit::base
