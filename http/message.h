#pragma once
// HTTP messages as every codec produces them and the forwarding path reads them (RFC 9110). Views only: nothing is
// copied.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace adit::http {

/// One header or trailer field: views into the buffer that was parsed. The value is without surrounding white space.
struct Field {
  std::string_view name;
  std::string_view value;
};

/// The fields of one head in their order, at most kMost of them; no memory of its own.
class FieldList {
 public:
  static constexpr std::size_t kMost = 1000;

  FieldList() {}  // not defaulted, because of the union

  /// False when the list is full.
  bool add(std::string_view name, std::string_view value) {
    if (size_ == kMost) return false;
    std::construct_at(&fields_[size_++], Field{name, value});
    return true;
  }
  void clear() { size_ = 0; }
  std::size_t size() const { return size_; }
  const Field* begin() const { return fields_.data(); }
  const Field* end() const { return fields_.data() + size_; }
  /// The value of the first field of that name (any case), or nullptr.
  const std::string_view* find(std::string_view name) const;

 private:
  // In a union, since it need not be cleared: that costs ten times what the trailers cost that such a list is made for.
  union {
    std::array<Field, kMost> fields_;
  };
  std::size_t size_ = 0;
};

/// How the end of a body is found (RFC 9112 §6.3).
enum class Framing : std::uint8_t {
  none,         ///< there is no body
  length,       ///< Content-Length
  chunked,      ///< Transfer-Encoding: chunked
  until_close,  ///< an answer that ends with its connection
};

/// A request's head. All views point into the bytes handed to the parser.
struct RequestHead {
  std::string_view method;     ///< as sent; case matters
  std::string_view target;     ///< origin form ("/a?b", original bytes) or "*"; an absolute form is reduced to this
  std::string_view path;       ///< the target up to "?"
  std::string_view authority;  ///< host and port as sent; of the absolute form if there was one
  std::string_view
      host;          ///< the authority without port and without one trailing dot; an IPv6 literal keeps its brackets
  int version = 11;  ///< 10 or 11
  Framing framing = Framing::none;
  std::uint64_t content_length = 0;  ///< of Framing::length
  bool keep_alive = false;           ///< the visitor wants the connection kept
  bool expect_continue = false;      ///< Expect: 100-continue
  std::string_view upgrade;          ///< value of Upgrade if Connection names it, else empty; never HTTP itself
  FieldList fields;                  ///< every field as received, Host included
};

/// An answer's head.
struct ResponseHead {
  int version = 11;
  int status = 0;
  std::string_view reason;
  Framing framing = Framing::none;
  std::uint64_t content_length = 0;
  bool keep_alive = false;  ///< the connection may carry another request after this answer
  FieldList fields;
};

}  // namespace adit::http
