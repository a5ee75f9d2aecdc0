#include "connector/no_proxy.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace adit::connector {
namespace {

/// Without the dot at the end of a fully qualified name.
std::string plain_name(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  return base::lower_case(text);
}

std::optional<base::IpAddress> address_of(std::string_view text) {
  auto address = base::IpAddress::parse(text);
  return address ? std::optional(*address) : std::nullopt;
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 253 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

/// Takes ":PORT" off the end; "[2001:db8::1]" loses its brackets. False when what follows the colon is no port.
bool split_port(std::string_view& text, std::optional<std::uint16_t>& port) {
  const auto bracket = text.starts_with('[') ? text.find(']') : std::string_view::npos;
  std::string_view rest;
  if (bracket != std::string_view::npos) {
    rest = text.substr(bracket + 1);
    text = text.substr(1, bracket - 1);
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    rest = text.substr(text.find(':'));
    text = text.substr(0, text.find(':'));
  }
  if (rest.empty()) return true;
  const auto number = rest.starts_with(':') ? base::parse_decimal(rest.substr(1)) : std::nullopt;
  if (!number || *number == 0 || *number > 65535) return false;
  port = static_cast<std::uint16_t>(*number);
  return true;
}

}  // namespace

base::Result<NoProxy::Item> NoProxy::parse_item(std::string_view text) {
  const base::Error wrong{"\"" + std::string(text) + "\" is no host name, address or network"};
  Item item;
  item.text = text;
  if (text.find('/') != std::string_view::npos) {
    auto network = base::IpNetwork::parse(text);
    if (!network) return base::Error{network.error()};
    item.network = *network;
    return item;
  }
  if (!split_port(text, item.port)) return wrong;
  if (address_of(text)) {
    auto network = base::IpNetwork::parse(text);
    if (!network) return base::Error{network.error()};
    item.network = *network;
    return item;
  }
  item.any = text == "*";
  if (item.any) return item;
  item.below_only = text.starts_with('.') || text.starts_with("*.");
  if (item.below_only) text.remove_prefix(text.find('.') + 1);
  item.name = plain_name(text);
  if (!is_name(item.name)) return wrong;
  return item;
}

NoProxy NoProxy::parse(std::string_view list, std::vector<std::string>& problems) {
  std::string commas(list);
  std::replace_if(
      commas.begin(), commas.end(), [](char c) { return c == ' ' || c == '\t' || c == '\n'; }, ',');
  NoProxy made;
  base::for_each_item(commas, [&](std::string_view text) {
    auto item = parse_item(text);
    if (item) {
      made.items_.push_back(*std::move(item));
    } else {
      problems.push_back(item.error());
    }
  });
  return made;
}

bool NoProxy::matches(const Item& item, std::string_view name, const std::optional<base::IpAddress>& address) {
  if (item.any) return true;
  if (item.network) return address && item.network->contains(*address);
  if (address) return false;
  if (name == item.name) return !item.below_only;
  return name.size() > item.name.size() + 1 && name.ends_with(item.name) &&
         name[name.size() - item.name.size() - 1] == '.';
}

const std::string* NoProxy::match(std::string_view host, std::uint16_t port) const {
  const auto address = address_of(host);
  const auto name = plain_name(host);
  const auto found = std::find_if(items_.begin(), items_.end(), [&](const Item& item) {
    return (!item.port || *item.port == port) && matches(item, name, address);
  });
  return found != items_.end() ? &found->text : nullptr;
}

bool is_loopback(std::string_view host) {
  static const auto v4 = *base::IpNetwork::parse("127.0.0.0/8");
  static const auto v6 = *base::IpNetwork::parse("::1");
  if (const auto address = address_of(host)) return v4.contains(*address) || v6.contains(*address);
  const auto name = plain_name(host);
  return name == "localhost" || name.ends_with(".localhost");
}

}  // namespace adit::connector
