#include "connector/proxy.h"

#include <algorithm>
#include <array>
#include <utility>

namespace adit::connector {
namespace {

constexpr std::uint16_t kHttpPort = 80;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// RFC 3986 §2.1; nothing when a "%" is not followed by two hex digits.
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0) return std::nullopt;
    decoded += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
    i += 2;
  }
  return decoded;
}

/// The value of an environment variable; empty when it is not set.
std::string_view variable(const char* const* environment, std::string_view name) {
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    const std::string_view entry = *environment;
    if (entry.starts_with(name) && entry.substr(name.size()).starts_with('=')) return entry.substr(name.size() + 1);
  }
  return {};
}

base::Result<void> read_environment_proxy(const char* const* environment, ProxySettings& settings) {
  for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    const auto value = variable(environment, name);
    if (value.empty()) continue;
    auto proxy = parse_proxy(value);
    if (!proxy) return base::Error{std::string(name) + ": " + proxy.error() + "; --proxy off ignores the environment"};
    settings.proxy = *std::move(proxy);
    settings.origin = name;
    settings.by_environment = true;
    return {};
  }
  return {};
}

}  // namespace

std::string ProxyAddress::text() const { return "http://" + target.text(); }

base::Result<std::string> check_proxy_credentials(std::string text) {
  const auto colon = text.find(':');
  if (colon == std::string::npos || colon == 0) return base::Error{"no USER:PASSWORD"};
  const bool printable =
      std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (!printable) return base::Error{"control characters or several lines in USER:PASSWORD"};
  return text;
}

base::Result<ProxyAddress> parse_proxy(std::string_view url) {
  constexpr std::string_view kSeparator = "://";
  ProxyAddress proxy;
  if (const auto end = url.find(kSeparator); end != std::string_view::npos) {
    const auto scheme = url.substr(0, end);
    if (scheme == "https") return base::Error{"TLS to the proxy itself is not spoken; only http:// proxies are used"};
    if (scheme != "http") return base::Error{"only http:// proxies are used, which know CONNECT"};
    url.remove_prefix(end + kSeparator.size());
  }
  if (const auto at = url.rfind('@'); at != std::string_view::npos) {
    auto decoded = percent_decoded(url.substr(0, at));
    if (!decoded) return base::Error{"a wrong %-escape in USER:PASSWORD"};
    auto credentials = check_proxy_credentials(*std::move(decoded));
    if (!credentials) return base::Error{credentials.error() + " before the @"};
    proxy.credentials = *std::move(credentials);
    url.remove_prefix(at + 1);
  }
  if (url.ends_with('/')) url.remove_suffix(1);
  // The texts of parse_host_port are not shown: a forgotten "@" would make a password of what it calls a host.
  auto target = net::parse_host_port(url, kHttpPort);
  const bool plain = url.find_first_of("/?# \t") == std::string_view::npos;
  if (!target || !plain) return base::Error{"not of the form http://[USER:PASSWORD@]HOST[:PORT]"};
  proxy.target = *std::move(target);
  return proxy;
}

base::Result<ProxySettings> read_proxy_settings(std::string_view setting, const char* const* environment,
                                                std::vector<std::string>& problems) {
  ProxySettings settings;
  if (setting == "off") {
    settings.origin = "--proxy off";
    return settings;
  }
  if (!setting.empty()) {
    auto proxy = parse_proxy(setting);
    if (!proxy) return base::Error{"--proxy: " + proxy.error()};
    settings.proxy = *std::move(proxy);
    settings.origin = "--proxy";
  } else if (auto read = read_environment_proxy(environment, settings); !read) {
    return base::Error{read.error()};
  }
  if (!settings.proxy) return settings;
  auto exceptions = variable(environment, "no_proxy");
  if (exceptions.empty()) exceptions = variable(environment, "NO_PROXY");
  settings.exceptions = NoProxy::parse(exceptions, problems);
  return settings;
}

ProxyDecision decide_proxy(const ProxySettings& settings, const net::Target& gateway) {
  if (!settings.proxy) return {nullptr, settings.origin};
  if (const auto* item = settings.exceptions.match(gateway.host, gateway.port)) return {nullptr, "NO_PROXY: " + *item};
  if (settings.by_environment && is_loopback(gateway.host)) {
    return {nullptr, "a loopback address is not for the proxy of " + settings.origin};
  }
  return {&*settings.proxy, settings.origin};
}

}  // namespace adit::connector
