#include "control/configuration_copy.h"

#include "routing/digest.h"

namespace adit::control {
namespace {

constexpr std::string_view kFormat = "adit-configuration 1 ";
constexpr std::size_t kDigestSize = 64;

}  // namespace

std::string seal_copy(const std::vector<std::string>& messages) {
  std::size_t size = kFormat.size() + kDigestSize + 1;
  for (const auto& message : messages) size += message.size() + 1;
  std::string text(kFormat);
  text.reserve(size);
  text.append(kDigestSize, '0').append(1, '\n');
  const auto head = text.size();
  for (const auto& message : messages) text.append(message).append(1, '\n');
  const auto digest = routing::hex(routing::sha256({std::string_view(text).substr(head)}));
  text.replace(kFormat.size(), kDigestSize, digest);
  return text;
}

base::Result<std::vector<std::string_view>> open_copy(std::string_view text) {
  if (!text.starts_with(kFormat)) return base::Error{"is not a copy in a format that this version knows"};
  text.remove_prefix(kFormat.size());
  if (text.size() <= kDigestSize || text[kDigestSize] != '\n') return base::Error{"was cut off"};
  const auto digest = text.substr(0, kDigestSize);
  text.remove_prefix(kDigestSize + 1);
  if (routing::hex(routing::sha256({text})) != digest) return base::Error{"was cut off or changed"};
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return base::Error{"ends within a line"};
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace adit::control
