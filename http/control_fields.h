#pragma once
// The fields that say where a message ends and what becomes of its connection, under one strict reading for both
// directions (RFC 9112 §6 and §9.3, RFC 9110 §7.6.1).

#include <cstdint>
#include <optional>
#include <string_view>

namespace adit::http {

/// Gathered field by field while a head is read; each call returns nullptr, or why the head is refused.
class ControlFields {
 public:
  /// The most options that the Connection fields of one head may list: each is compared with each field later.
  static constexpr unsigned kMostOptions = 32;

  const char* on_content_length(std::string_view value);
  const char* on_transfer_encoding(std::string_view value);
  const char* on_connection(std::string_view value);
  /// The name of a field that is none of these. "Transfer_Encoding" and "Content_Length" frame nothing here, but do for
  /// a peer that cannot tell "_" from "-".
  static const char* on_other(std::string_view name) {
    const bool suspect = (name.size() == kTransferEncoding.size() && name[kTransferEncoding.find('-')] == '_') ||
                         (name.size() == kContentLength.size() && name[kContentLength.find('-')] == '_');
    return suspect ? check_spelling(name) : nullptr;  // asked for every field that is not well known
  }
  /// After the last field: what contradicts what.
  const char* check(int version) const;

  bool chunked() const { return chunked_; }
  const std::optional<std::uint64_t>& length() const { return length_; }
  bool upgrade() const { return upgrade_; }
  /// RFC 9112 §9.3, as far as the fields decide.
  bool persistent(int version) const { return !close_ && (version >= 11 || keep_alive_); }

 private:
  static constexpr std::string_view kTransferEncoding = "Transfer-Encoding";
  static constexpr std::string_view kContentLength = "Content-Length";
  static const char* check_spelling(std::string_view name);

  std::optional<std::uint64_t> length_;
  unsigned options_ = 0;
  bool chunked_ = false;
  bool close_ = false;
  bool keep_alive_ = false;
  bool upgrade_ = false;
};

}  // namespace adit::http
