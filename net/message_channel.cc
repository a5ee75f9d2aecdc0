#include "net/message_channel.h"

namespace adit::net {

base::Result<ChannelUrl> parse_channel_url(std::string_view text) {
  constexpr std::string_view kScheme = "wss://";
  constexpr std::uint16_t kHttpsPort = 443;
  if (!text.starts_with(kScheme)) return base::Error{"does not begin with wss://"};
  text.remove_prefix(kScheme.size());
  for (const char c : text) {
    if (c <= ' ' || c == '\x7f' || c == '#' || c == '@')
      return base::Error{"holds a character that has no place in it"};
  }
  const auto slash = text.find('/');
  auto target = parse_host_port(text.substr(0, slash), kHttpsPort);
  if (!target) return base::Error{target.error()};
  if (target->kind != Target::Kind::tcp || target->port == 0) return base::Error{"needs a host and a port"};
  return ChannelUrl{std::move(*target), slash == std::string_view::npos ? "/" : std::string(text.substr(slash))};
}

std::string ChannelFailure::text() const {
  auto line = address;
  if (!line.empty()) line += ": ";
  if (status != 0) line += std::to_string(status) + " ";
  return line + reason;
}

}  // namespace adit::net
