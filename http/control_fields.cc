#include "http/control_fields.h"

#include "base/text.h"
#include "http/field_kind.h"
#include "http/syntax.h"

namespace adit::http {

const char* ControlFields::on_content_length(std::string_view value) {
  if (length_) return "repeated Content-Length";
  length_ = base::parse_decimal(value);
  return length_ ? nullptr : "Content-Length is not a decimal number";
}

const char* ControlFields::on_transfer_encoding(std::string_view value) {
  if (chunked_) return "repeated Transfer-Encoding";
  chunked_ = base::equals_ignoring_case(value, "chunked");
  return chunked_ ? nullptr : "Transfer-Encoding other than chunked";
}

const char* ControlFields::on_connection(std::string_view value) {
  bool tokens = true;
  base::for_each_item(value, [&](std::string_view option) {
    ++options_;
    tokens = tokens && is_token(option);
    if (base::equals_ignoring_case(option, "keep-alive")) {
      keep_alive_ = true;
    } else if (base::equals_ignoring_case(option, "close")) {
      close_ = true;
    } else if (base::equals_ignoring_case(option, "upgrade")) {
      upgrade_ = true;
    }
  });
  if (!tokens) return "Connection option that is not a token";
  return options_ > kMostOptions ? "too many Connection options" : nullptr;
}

const char* ControlFields::check_spelling(std::string_view name) {
  switch (field_kind(name)) {
    case FieldKind::transfer_encoding:
      return "Transfer-Encoding spelt with \"_\"";
    case FieldKind::content_length:
      return "Content-Length spelt with \"_\"";
    default:
      return nullptr;
  }
}

const char* ControlFields::check(int version) const {
  if (chunked_ && length_) return "both Content-Length and Transfer-Encoding";
  if (chunked_ && version < 11) return "Transfer-Encoding with HTTP/1.0";
  return nullptr;
}

}  // namespace adit::http
