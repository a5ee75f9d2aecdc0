#pragma once
// Expected failures as values. A Result<T> holds a T or an Error; it stands in for std::expected, which g++ 12 lacks in
// C++20.

#include <string>
#include <utility>
#include <variant>

namespace adit::base {

/// Why something expected failed, in words for a log line or a condition: lower case, no final stop, never a secret.
struct Error {
  std::string message;
};

/// A value or the reason why there is none. Reading the side that is not held is a programming error.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : held_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return held_.index() == 0; }
  T& operator*() & { return std::get<0>(held_); }
  const T& operator*() const& { return std::get<0>(held_); }
  T&& operator*() && { return std::get<0>(std::move(held_)); }
  T* operator->() { return &std::get<0>(held_); }
  const T* operator->() const { return &std::get<0>(held_); }
  const std::string& error() const { return std::get<1>(held_).message; }

 private:
  std::variant<T, Error> held_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : failed_(true), error_(std::move(error)) {}

  explicit operator bool() const { return !failed_; }
  const std::string& error() const { return error_.message; }

 private:
  bool failed_ = false;
  Error error_;
};

}  // namespace adit::base
