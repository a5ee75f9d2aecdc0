#pragma once
// The fields of a message, read with their types.

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace adit::control {

/// Reads one JSON object. The first field that is missing or has another type is written into `error`, and what is read
/// then is empty; so a message is read as a whole and the error looked at once. Takes strings out of the object.
class JsonFields {
 public:
  using Json = nlohmann::json;

  /// `where` is what errors call the object: "tunnel", "tunnel: rules[3]".
  JsonFields(Json& object, std::string where, std::string& error);

  bool has(const char* name) const;
  std::string text(const char* name);
  /// Empty when absent.
  std::string text_if_any(const char* name);
  std::uint64_t number(const char* name);
  /// False when absent.
  bool flag(const char* name);
  JsonFields object(const char* name);
  /// Calls `each` for every item of an array of objects, or of texts.
  void objects(const char* name, const std::function<void(JsonFields item)>& each);
  void texts(const char* name, const std::function<void(std::string text)>& each);
  /// Calls `each` for every text of an object of arrays of texts.
  void text_lists(const char* name, const std::function<void(const std::string& key, std::string text)>& each);
  /// The first field that is none of `known`; empty: there is none.
  std::string unknown(std::initializer_list<std::string_view> known) const;

 private:
  Json* find(const char* name, bool (Json::*is)() const noexcept, const char* what);
  void fail(const std::string& what);

  Json& object_;
  std::string where_;
  std::string& error_;
};

}  // namespace adit::control
