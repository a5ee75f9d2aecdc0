#include "kube/object.h"

#include <limits>

namespace adit::kube {
namespace {

/// Is this byte the second or a later one of a UTF-8 character?
bool continues_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

}  // namespace

std::string Resource::api_version() const { return group.empty() ? version : group + "/" + version; }

const Json* find(const Json& object, std::initializer_list<std::string_view> path) {
  const Json* value = &object;
  for (const auto member : path) {
    if (!value->is_object()) return nullptr;
    const auto found = value->find(member);
    if (found == value->end()) return nullptr;
    value = &*found;
  }
  return value;
}

std::string text_at(const Json& object, std::initializer_list<std::string_view> path) {
  const auto* value = find(object, path);
  return value != nullptr && value->is_string() ? value->get_ref<const std::string&>() : std::string();
}

Name name_of(const Json& object) {
  return {text_at(object, {"metadata", "namespace"}), text_at(object, {"metadata", "name"})};
}

std::string uid_of(const Json& object) { return text_at(object, {"metadata", "uid"}); }

std::string resource_version_of(const Json& object) { return text_at(object, {"metadata", "resourceVersion"}); }

std::int64_t generation_of(const Json& object) {
  const auto* value = find(object, {"metadata", "generation"});
  if (value == nullptr || !value->is_number_integer()) return 0;
  // An unsigned number that does not fit would come out negative.
  if (value->is_number_unsigned() && value->get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()) return 0;
  return value->get<std::int64_t>();
}

std::string annotation_of(const Json& object, std::string_view name) {
  return text_at(object, {"metadata", "annotations", name});
}

std::string label_of(const Json& object, std::string_view name) {
  return text_at(object, {"metadata", "labels", name});
}

std::string message_text(std::string_view text, std::size_t most) {
  // Written and read again: the serializer is what replaces bytes that are not UTF-8.
  auto valid = Json::parse(Json(text).dump(-1, ' ', false, Json::error_handler_t::replace)).get<std::string>();
  if (valid.size() <= most) return valid;
  while (most > 0 && continues_character(valid[most])) --most;
  valid.resize(most);
  return valid;
}

}  // namespace adit::kube
