#include "http/target.h"

#include <algorithm>

#include "base/text.h"
#include "http/syntax.h"

namespace adit::http {
namespace {

/// Visible ASCII without "#", which begins a fragment.
constexpr CharTable kTargetChars = chars_of("!\"$%&'()*+,-./:;<=>?@[\\]^_`{|}~");

bool is_target(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return kTargetChars[static_cast<unsigned char>(c)]; });
}

/// The length of "http://" or "https://" at the beginning, or 0.
std::size_t scheme_length(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (base::equals_ignoring_case(text.substr(0, scheme.size()), scheme)) return scheme.size();
  }
  return 0;
}

const char* parse_absolute(std::string_view method, std::string_view text, Target& target) {
  const auto scheme = scheme_length(text);
  if (scheme == 0) return "target is neither a path nor an http URL";
  text.remove_prefix(scheme);
  const auto end = std::min(text.find_first_of("/?"), text.size());
  target.absolute = true;
  target.authority = text.substr(0, end);
  target.origin = text.substr(end);
  // RFC 9112 §3.2.4: the last proxy turns OPTIONS without a path into the asterisk form.
  if (target.origin.empty()) target.origin = method == "OPTIONS" ? "*" : "/";
  if (target.origin.front() == '?') return "absolute target with a query but no path";
  return nullptr;
}

}  // namespace

const char* split_target(std::string_view method, std::string_view text, Target& target) {
  target = Target{text, {}, false};
  if (!is_target(text)) return "target holds a fragment or a forbidden character";
  if (text == "*") return method == "OPTIONS" ? nullptr : "asterisk target without OPTIONS";
  if (text.empty() || text.front() != '/') {
    if (const char* fault = parse_absolute(method, text, target)) return fault;
  }
  const auto path = target.origin.substr(0, target.origin.find('?'));
  return path.find('\\') == std::string_view::npos ? nullptr : "backslash in the path";
}

}  // namespace adit::http
