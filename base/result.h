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

namespace detail {
template <class E>
const E& what(const E& error) {
  return error;
}
inline const std::string& what(const Error& error) { return error.message; }
}  // namespace detail

/// A value or the reason why there is none. Reading the side that is not held is a programming error. A folder whose
/// callers must tell failures apart has an error type E of its own.
template <class T, class E = Error>
class [[nodiscard]] Result {
 public:
  Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}
  Result(E error) : held_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return held_.index() == 0; }
  T& operator*() & { return std::get<0>(held_); }
  const T& operator*() const& { return std::get<0>(held_); }
  T&& operator*() && { return std::get<0>(std::move(held_)); }
  T* operator->() { return &std::get<0>(held_); }
  const T* operator->() const { return &std::get<0>(held_); }
  /// The words of an Error, or the E.
  const auto& error() const { return detail::what(std::get<1>(held_)); }

 private:
  std::variant<T, E> held_;
};

template <class E>
class [[nodiscard]] Result<void, E> {
 public:
  Result() = default;
  Result(E error) : failed_(true), error_(std::move(error)) {}

  explicit operator bool() const { return !failed_; }
  const auto& error() const { return detail::what(error_); }

 private:
  bool failed_ = false;
  E error_;
};

}  // namespace adit::base
