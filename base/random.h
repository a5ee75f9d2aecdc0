#pragma once
// Random numbers for jitter and identifiers. Not for keys and tokens: those come from OpenSSL.

#include <array>
#include <cstdint>

namespace adit::base {

/// xoshiro256** (Blackman, Vigna), seeded by getrandom(2). One per thread or test; not safe to share.
/// Meets std::uniform_random_bit_generator.
class Random {
 public:
  using result_type = std::uint64_t;

  Random();                             ///< seeded by the kernel
  explicit Random(std::uint64_t seed);  ///< repeatable, for tests

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return ~result_type{0}; }
  result_type operator()();

  /// Uniform in [0, bound]; 0 when bound is 0.
  std::uint64_t up_to(std::uint64_t bound);

 private:
  std::array<std::uint64_t, 4> state_;
};

/// 128 random bits as 32 lower-case hex digits: a request id or an instance id.
std::array<char, 32> random_id(Random& random);

}  // namespace adit::base
