#include "control/json_fields.h"

#include <algorithm>
#include <utility>

namespace adit::control {
namespace {

/// Stands for an object that is not there.
nlohmann::json& nothing() {
  static thread_local nlohmann::json empty;
  empty = nlohmann::json::object();
  return empty;
}

}  // namespace

JsonFields::JsonFields(Json& object, std::string where, std::string& error)
    : object_(object), where_(std::move(where)), error_(error) {
  if (!object_.is_object()) fail(where_ + " is not an object");
}

void JsonFields::fail(const std::string& what) {
  if (error_.empty()) error_ = what;
}

bool JsonFields::has(const char* name) const { return object_.is_object() && object_.contains(name); }

JsonFields::Json* JsonFields::find(const char* name, bool (Json::*is)() const noexcept, const char* what) {
  if (!has(name)) {
    fail(where_ + ": " + name + " is missing");
    return nullptr;
  }
  auto& value = object_[name];
  if ((value.*is)()) return &value;
  fail(where_ + ": " + name + " is not " + what);
  return nullptr;
}

std::string JsonFields::text(const char* name) {
  auto* value = find(name, &Json::is_string, "a text");
  return value != nullptr ? std::move(value->get_ref<std::string&>()) : std::string();
}

std::string JsonFields::text_if_any(const char* name) { return has(name) ? text(name) : std::string(); }

std::uint64_t JsonFields::number(const char* name) {
  auto* value = find(name, &Json::is_number_unsigned, "a whole number from 0");
  return value != nullptr ? value->get<std::uint64_t>() : 0;
}

bool JsonFields::flag(const char* name) {
  if (!has(name)) return false;
  auto* value = find(name, &Json::is_boolean, "true or false");
  return value != nullptr && value->get<bool>();
}

JsonFields JsonFields::object(const char* name) {
  auto* value = find(name, &Json::is_object, "an object");
  return {value != nullptr ? *value : nothing(), where_ + ": " + name, error_};
}

void JsonFields::objects(const char* name, const std::function<void(JsonFields item)>& each) {
  auto* value = find(name, &Json::is_array, "an array");
  if (value == nullptr) return;
  std::size_t index = 0;
  for (auto& item : *value) {
    each(JsonFields(item, where_ + ": " + name + "[" + std::to_string(index++) + "]", error_));
    if (!error_.empty()) return;
  }
}

void JsonFields::texts(const char* name, const std::function<void(std::string text)>& each) {
  auto* value = find(name, &Json::is_array, "an array");
  if (value == nullptr) return;
  for (auto& item : *value) {
    if (!item.is_string()) return fail(where_ + ": " + name + " holds what is not a text");
    each(std::move(item.get_ref<std::string&>()));
  }
}

void JsonFields::text_lists(const char* name,
                            const std::function<void(const std::string& key, std::string text)>& each) {
  auto* value = find(name, &Json::is_object, "an object");
  if (value == nullptr) return;
  for (auto& [key, items] : value->items()) {
    if (!items.is_array()) return fail(where_ + ": " + name + " holds what is not an array");
    for (auto& item : items) {
      if (!item.is_string()) return fail(where_ + ": " + name + " holds what is not a text");
      each(key, std::move(item.get_ref<std::string&>()));
    }
  }
}

std::string JsonFields::unknown(std::initializer_list<std::string_view> known) const {
  if (!object_.is_object()) return {};
  for (const auto& [key, value] : object_.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) return key;
  }
  return {};
}

}  // namespace adit::control
