#include "http/cookies.h"

namespace adit::http {

bool holds_cookie(std::string_view value, std::string_view name) {
  bool found = false;
  for_each_cookie_pair(value, [&](std::string_view pair) { found = found || is_cookie(pair, name); });
  return found;
}

}  // namespace adit::http
