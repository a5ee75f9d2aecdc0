#pragma once
// Passwords of visitors against bcrypt hashes, which takes a CPU tens of milliseconds: never on a worker.

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>

#include "base/clock.h"
#include "routing/filters.h"

namespace adit::gateway {

/// User and password as a request gives them (RFC 7617).
struct Credentials {
  std::string user;
  std::string password;
};
/// From the value of Authorization; absent: none of scheme Basic, or malformed.
std::optional<Credentials> parse_basic(std::string_view authorization);

/// Stands for a user, a password and the hash that they were held against, and cannot be turned back.
using PasswordKey = std::array<std::uint8_t, 32>;

/// One thread that compares. Any thread may ask.
class PasswordChecker {
 public:
  static constexpr std::size_t kMostWaiting = 64;

  PasswordChecker();
  PasswordChecker(const PasswordChecker&) = delete;
  PasswordChecker& operator=(const PasswordChecker&) = delete;

  PasswordKey key_of(const Credentials& credentials, const std::string& bcrypt) const;
  /// Calls `done` on the checker's thread; false when too many wait. An empty `bcrypt` takes as long as any and matches
  /// nothing, so that the time does not tell which users there are.
  bool check(std::string password, std::string bcrypt, std::function<void(bool right)> done);
  /// Ends the thread; what waits is dropped.
  void stop();

 private:
  struct Question {
    std::string password;
    std::string bcrypt;
    std::function<void(bool)> done;
  };
  void run(const std::stop_token& stop);

  std::array<std::uint8_t, 32> secret_;  ///< of this process, so that keys cannot be tried out elsewhere
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Question> waiting_;
  std::jthread thread_;  ///< last: it uses the others
};

/// What one worker knows of passwords that were checked. Bounded; a right one is kept kRight, a wrong one kWrong long.
class PasswordCache {
 public:
  static constexpr auto kRight = std::chrono::minutes(5);
  static constexpr auto kWrong = std::chrono::seconds(2);
  static constexpr std::size_t kMost = 10'000;

  std::optional<bool> find(const PasswordKey& key, base::TimePoint now) const;
  void store(const PasswordKey& key, bool right, base::TimePoint now);

 private:
  struct Hash {
    std::size_t operator()(const PasswordKey& key) const;
  };
  struct Entry {
    bool right;
    base::TimePoint until;
  };
  std::unordered_map<PasswordKey, Entry, Hash> entries_;
};

}  // namespace adit::gateway
