#pragma once
// Boost.Beast's parser, used for heads only and without its containers: it calls back, it copies and allocates nothing.
// Included by the two parsers alone. Bodies are decoded in body.h, because Beast's chunk parser is lenient.

#include <limits>
#include <string_view>

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "http/parser.h"

namespace adit::http {

namespace beast = boost::beast;

inline std::string_view std_view(beast::string_view text) { return {text.data(), text.size()}; }

inline Parsed refusal(int status, const char* reason) { return {Progress::refused, 0, status, reason}; }

/// One head; basic_parser cannot be reset, so each head takes a new one.
template <bool is_request>
class HeadReader : public beast::http::basic_parser<is_request> {
 public:
  /// Parses a whole head. False: see refused().
  bool read(std::string_view head) {
    this->skip(true);  // the body is not Beast's
    this->header_limit(std::numeric_limits<std::uint32_t>::max());
    beast::error_code error;
    const auto taken = this->put(boost::asio::const_buffer(head.data(), head.size()), error);
    if (refused_.progress == Progress::refused) return false;
    if (error == beast::http::error::bad_version) {
      refused_ = bad_version(head);
    } else if (error) {
      refused_ = refusal(400, fault_text(error));
    } else if (taken != head.size() || !this->is_done()) {
      refused_ = refusal(400, "head that ends twice");
    }
    return refused_.progress != Progress::refused;
  }

  const Parsed& refused() const { return refused_; }

 protected:
  /// False, for `return refuse(…)`.
  bool refuse(int status, const char* reason) {
    refused_ = refusal(status, reason);
    return false;
  }
  /// Ends the reading from within a callback.
  void refuse(int status, const char* reason, beast::error_code& error) {
    refused_ = refusal(status, reason);
    error = beast::http::error::bad_field;
  }

  void on_request_impl(beast::http::verb, beast::string_view, beast::string_view, int, beast::error_code&) override {}
  void on_response_impl(int, beast::string_view, int, beast::error_code&) override {}
  void on_header_impl(beast::error_code&) final {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, beast::error_code&) final {}
  std::size_t on_body_impl(beast::string_view, beast::error_code&) final { return 0; }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, beast::error_code&) final {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view, beast::error_code&) final { return 0; }
  void on_finish_impl(beast::error_code&) final {}

 private:
  /// Beast has one error for "HTTP/2.0" and for "banana".
  static Parsed bad_version(std::string_view head) {
    const auto line = head.substr(0, head.find('\r'));
    const auto version = line.substr(is_request ? line.rfind(' ') + 1 : 0).substr(0, 8);
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    const bool well_formed = version.size() == 8 && version.substr(0, 5) == "HTTP/" && digit(version[5]) &&
                             version[6] == '.' && digit(version[7]);
    const bool ends_there = !is_request || line.size() - (line.rfind(' ') + 1) == 8;
    if (well_formed && ends_there && version != "HTTP/1.1" && version != "HTTP/1.0") {
      return refusal(505, "HTTP version other than 1.0 and 1.1");
    }
    return refusal(400, "malformed HTTP version");
  }

  static const char* fault_text(beast::error_code code) {
    using beast::http::error;
    switch (static_cast<error>(code.value())) {
      case error::bad_line_ending:
        return "carriage return without line feed";
      case error::bad_method:
        return "malformed method";
      case error::bad_target:
        return "malformed target";
      case error::bad_status:
        return "malformed status";
      case error::bad_reason:
        return "control character in the reason phrase";
      case error::bad_field:
        return "malformed field name";
      case error::bad_value:
        return "control character in a field value, or malformed list";
      case error::bad_content_length:
        return "malformed or contradictory Content-Length";
      case error::bad_transfer_encoding:
        return "contradictory Transfer-Encoding";
      default:
        return "malformed head";
    }
  }

  Parsed refused_;
};

}  // namespace adit::http
