#include "routing/affinity.h"

#include "routing/filter_values.h"

namespace adit::routing {

std::string_view name_of(Affinity::Mode mode) {
  switch (mode) {
    case Affinity::Mode::cookie:
      return "Cookie";
    case Affinity::Mode::address:
      return "Address";
    default:
      return {};
  }
}

std::string_view cookie_name_fault(std::string_view name) {
  const bool fits = name.size() <= kLongestCookieName && is_token(name);
  return fits ? "" : "must be 1 to 64 letters, digits and !#$%&'*+-.^_`|~";
}

}  // namespace adit::routing
