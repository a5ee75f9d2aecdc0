#include "link/control.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace adit::link {
namespace {

using Json = nlohmann::json;
using Decoded = base::Result<std::optional<ControlMessage>>;

constexpr std::size_t kMostNames = 1000;
constexpr std::size_t kMostName = 253;
constexpr std::size_t kMostReason = 200;
constexpr int kMostDepth = 8;

bool is_name(std::string_view text) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == ':' || c == '-';
  };
  return !text.empty() && text.size() <= kMostName && std::all_of(text.begin(), text.end(), is_allowed);
}

/// The string member of that name, or nullptr.
const std::string* text_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : found->get_ptr<const std::string*>();
}

const Json* array_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || !found->is_array() ? nullptr : &*found;
}

Decoded decode_gateways(const Json& object) {
  const Json* ids = array_of(object, "ids");
  if (ids == nullptr) return base::Error{"control line \"gateways\": ids is not an array"};
  if (ids->size() > kMostNames) return base::Error{"control line \"gateways\": ids has more than 1000 items"};
  Gateways gateways;
  for (const Json& id : *ids) {
    const auto* text = id.get_ptr<const std::string*>();
    if (text == nullptr || !is_name(*text)) {
      return base::Error{"control line \"gateways\": ids[" + std::to_string(gateways.ids.size()) + "] is not a name"};
    }
    gateways.ids.push_back(*text);
  }
  return std::optional<ControlMessage>(std::move(gateways));
}

Decoded decode_offers(const Json& object) {
  const Json* services = array_of(object, "services");
  if (services == nullptr) return base::Error{"control line \"offers\": services is not an array"};
  if (services->size() > kMostNames) return base::Error{"control line \"offers\": services has more than 1000 items"};
  Offers offers;
  for (const Json& service : *services) {
    const auto where = [&] {
      return "control line \"offers\": services[" + std::to_string(offers.services.size()) + "]";
    };
    const std::string* name = service.is_object() ? text_of(service, "name") : nullptr;
    if (name == nullptr || !is_name(*name)) return base::Error{where() + ".name is not a name"};
    const std::string* protocol = text_of(service, "protocol");
    if (protocol == nullptr || !is_name(*protocol)) return base::Error{where() + ".protocol is not a name"};
    offers.services.push_back({*name, *protocol});
  }
  return std::optional<ControlMessage>(std::move(offers));
}

Decoded decode_leaving(const Json& object) {
  Leaving leaving;
  if (const std::string* reason = text_of(object, "reason")) leaving.reason = reason->substr(0, kMostReason);
  return std::optional<ControlMessage>(std::move(leaving));
}

bool flag_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

Decoded decode_presence(const Json& object) {
  const std::string* tunnel = text_of(object, "tunnel");
  if (tunnel == nullptr || !is_name(*tunnel)) return base::Error{"control line \"presence\": tunnel is not a name"};
  const Json* services = array_of(object, "services");
  if (services == nullptr) return base::Error{"control line \"presence\": services is not an array"};
  if (services->size() > kMostNames) return base::Error{"control line \"presence\": services has more than 1000 items"};
  Presence presence{*tunnel, {}, flag_of(object, "suspect"), flag_of(object, "adds")};
  for (const Json& service : *services) {
    const auto* name = service.get_ptr<const std::string*>();
    if (name == nullptr || !is_name(*name)) {
      return base::Error{"control line \"presence\": services[" + std::to_string(presence.services.size()) +
                         "] is not a name"};
    }
    presence.services.push_back(*name);
  }
  if (const Json* instances = array_of(object, "instances")) {
    if (instances->size() > kMostNames)
      return base::Error{"control line \"presence\": instances has more than 1000 items"};
    for (const Json& instance : *instances) {
      const auto* text = instance.get_ptr<const std::string*>();
      const auto key = text != nullptr ? parse_instance_key(*text) : std::nullopt;
      if (!key) return base::Error{"control line \"presence\": instances holds what is no instance"};
      presence.instances.push_back(*key);
    }
  }
  return std::optional<ControlMessage>(std::move(presence));
}

/// Shows no one's terminal what it should not.
std::string plain(std::string_view text) {
  std::string kept(text.substr(0, kMostReason));
  std::replace_if(
      kept.begin(), kept.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return kept;
}

Decoded decode_health(const Json& object) {
  const Json* services = array_of(object, "services");
  if (services == nullptr) return base::Error{"control line \"health\": services is not an array"};
  if (services->size() > kMostNames) return base::Error{"control line \"health\": services has more than 1000 items"};
  Health health;
  for (const Json& service : *services) {
    const auto where = [&] {
      return "control line \"health\": services[" + std::to_string(health.services.size()) + "]";
    };
    const std::string* name = service.is_object() ? text_of(service, "name") : nullptr;
    if (name == nullptr || !is_name(*name)) return base::Error{where() + ".name is not a name"};
    const auto healthy = service.find("healthy");
    if (healthy == service.end() || !healthy->is_boolean()) return base::Error{where() + ".healthy is not a boolean"};
    const std::string* reason = text_of(service, "reason");
    health.services.push_back({*name, healthy->get<bool>(), reason != nullptr ? plain(*reason) : std::string()});
  }
  return std::optional<ControlMessage>(std::move(health));
}

void append_text(std::string& out, std::string_view text) {
  out.push_back('"');
  base::append_json_escaped(out, text);
  out.push_back('"');
}

/// Writes each kind of message.
struct Encoder {
  std::string& out;

  void operator()(const Gateways& gateways) const {
    out += R"({"type":"gateways","ids":[)";
    for (const auto& id : gateways.ids) {
      if (&id != &gateways.ids.front()) out.push_back(',');
      append_text(out, id);
    }
    out += R"(],"count":)" + std::to_string(gateways.ids.size()) + "}";
  }

  void operator()(const Offers& offers) const {
    out += R"({"type":"offers","services":[)";
    for (const auto& service : offers.services) {
      if (&service != &offers.services.front()) out.push_back(',');
      out += R"({"name":)";
      append_text(out, service.name);
      out += R"(,"protocol":)";
      append_text(out, service.protocol);
      out.push_back('}');
    }
    out += "]}";
  }

  void operator()(const Leaving& leaving) const {
    out += R"({"type":"leaving","reason":)";
    append_text(out, std::string_view(leaving.reason).substr(0, kMostReason));
    out.push_back('}');
  }

  void operator()(const Presence& presence) const {
    out += R"({"type":"presence","tunnel":)";
    append_text(out, presence.tunnel);
    out += R"(,"services":[)";
    for (const auto& service : presence.services) {
      if (&service != &presence.services.front()) out.push_back(',');
      append_text(out, service);
    }
    if (!presence.instances.empty()) out += R"(],"instances":[)";
    for (const auto& instance : presence.instances) {
      if (&instance != &presence.instances.front()) out.push_back(',');
      append_text(out, InstanceText(instance).view());
    }
    out += std::string(R"(],"suspect":)") + text_of_flag(presence.suspect) + R"(,"adds":)" +
           text_of_flag(presence.adds) + "}";
  }

  void operator()(const Replica& replica) const {
    out += std::string(R"({"type":"replica","ready":)") + text_of_flag(replica.ready) + R"(,"leaving":)" +
           text_of_flag(replica.leaving) + "}";
  }

  void operator()(const Health& health) const {
    constexpr std::string_view kEnd = "]}";
    out += R"({"type":"health","services":[)";
    bool first = true;
    for (const auto& service : health.services) {
      const auto before = out.size();
      if (!std::exchange(first, false)) out.push_back(',');
      out += R"({"name":)";
      append_text(out, service.name);
      out += service.healthy ? R"(,"healthy":true)" : R"(,"healthy":false)";
      if (!service.reason.empty()) {
        out += R"(,"reason":)";
        append_text(out, plain(service.reason));
      }
      out.push_back('}');
      if (out.size() + kEnd.size() >= kMostControlLine) {  // with the newline
        out.resize(before);
        break;
      }
    }
    out += kEnd;
  }

 private:
  static const char* text_of_flag(bool flag) { return flag ? "true" : "false"; }
};

/// False when objects or arrays are nested deeper than kMostDepth. The parser itself keeps no stack, but the
/// destructor of a deep value would.
bool shallow(std::string_view line) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMostDepth) return false;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return true;
}

}  // namespace

std::string encode_control(const ControlMessage& message) {
  std::string line;
  std::visit(Encoder{line}, message);
  line.push_back('\n');
  return line;
}

Decoded decode_control(std::string_view line) {
  if (line.size() > kMostControlLine) return base::Error{"control line is longer than 65536 bytes"};
  if (!shallow(line)) return base::Error{"control line is nested deeper than 8"};
  const Json object = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return base::Error{"control line is not a JSON object"};
  const std::string* type = text_of(object, "type");
  if (type == nullptr) return base::Error{"control line: type is not a string"};
  if (*type == "gateways") return decode_gateways(object);
  if (*type == "offers") return decode_offers(object);
  if (*type == "leaving") return decode_leaving(object);
  if (*type == "presence") return decode_presence(object);
  if (*type == "replica")
    return std::optional<ControlMessage>(Replica{flag_of(object, "ready"), flag_of(object, "leaving")});
  if (*type == "health") return decode_health(object);
  return std::optional<ControlMessage>();
}

}  // namespace adit::link
