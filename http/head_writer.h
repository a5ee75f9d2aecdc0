#pragma once
// A head written with one reservation and no check per piece.

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/buffer.h"

namespace adit::http {

/// A number as text, without allocation.
class Digits {
 public:
  explicit Digits(std::uint64_t number, int base = 10)
      : end_(std::to_chars(digits_.data(), digits_.data() + digits_.size(), number, base).ptr) {}
  std::string_view view() const { return {digits_.data(), static_cast<std::size_t>(end_ - digits_.data())}; }
  Digits(const Digits&) = delete;
  Digits& operator=(const Digits&) = delete;

 private:
  std::array<char, 20> digits_;
  const char* end_;
};

/// Writes at most the bytes that were announced; they become readable with the last call, done().
class HeadWriter {
 public:
  HeadWriter(base::Buffer& out, std::size_t most)
      : out_(out), begin_(out.reserve(most).data()), at_(begin_), most_(most) {}

  void put(std::string_view text) {
    std::copy(text.begin(), text.end(), at_);
    at_ += text.size();
  }
  void field(std::string_view name, std::string_view value) {
    put(name);
    put(": ");
    put(value);
    put("\r\n");
  }
  void done() {
    const auto written = static_cast<std::size_t>(at_ - begin_);
    assert(written <= most_);
    out_.commit(written);
  }

 private:
  base::Buffer& out_;
  char* begin_;
  char* at_;
  [[maybe_unused]] std::size_t most_;
};

}  // namespace adit::http
