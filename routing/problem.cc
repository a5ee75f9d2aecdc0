#include "routing/problem.h"

#include "base/text.h"

namespace adit::routing {

std::string Problem::text() const {
  std::string text = file;
  if (line != 0) text.append(text.empty() ? "line " : ":").append(std::to_string(line));
  for (const std::string* part : {&object, &field, &reason}) {
    if (part->empty()) continue;
    if (!text.empty()) text.append(": ");
    text.append(*part);
  }
  return text;
}

std::string in_quotes(std::string_view text) {
  static constexpr std::size_t kShown = 80;
  std::string out = "\"";
  base::append_json_escaped(out, text.substr(0, kShown));
  if (text.size() > kShown) out.append("…");
  out.push_back('"');
  return out;
}

}  // namespace adit::routing
