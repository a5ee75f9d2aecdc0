#include <algorithm>

#include "base/text.h"
#include "kube/rest_messages.h"

namespace adit::kube {
namespace {

constexpr std::size_t kMostMessage = 1024;
constexpr std::uint64_t kMostWait = 3600;

std::string first_of(const std::string& text) {
  return text.size() <= kMostMessage ? text : text.substr(0, kMostMessage) + "…";
}

std::optional<std::chrono::seconds> wait_of(const HttpAnswer& answer, const Json& status) {
  auto seconds = base::parse_decimal(answer.retry_after);
  if (!seconds) {
    const auto* wish = find(status, {"details", "retryAfterSeconds"});
    if (wish != nullptr && wish->is_number_unsigned()) seconds = wish->get<std::uint64_t>();
  }
  if (!seconds) return std::nullopt;
  return std::chrono::seconds(std::min(*seconds, kMostWait));
}

ApiError malformed(std::string message) {
  ApiError error;
  error.failure = ApiFailure::malformed;
  error.message = std::move(message);
  return error;
}

}  // namespace

ApiError error_of(const HttpAnswer& answer) {
  ApiError error;
  error.code = answer.status;
  const auto status = Json::parse(answer.body, nullptr, false);
  if (text_at(status, {"kind"}) == "Status") {
    error.reason = first_of(text_at(status, {"reason"}));
    error.message = first_of(text_at(status, {"message"}));
  } else {
    // A proxy on the way, or a server that is still starting.
    error.message = first_of(answer.body);
  }
  error.retry_after = wait_of(answer, status);
  return error;
}

ApiResult<Json> object_of(const HttpAnswer& answer) {
  if (answer.status < 200 || answer.status > 299) return error_of(answer);
  auto object = Json::parse(answer.body, nullptr, false);
  if (object.is_discarded()) return malformed("the answer is no JSON");
  if (!object.is_object()) return malformed("the answer is no object");
  return object;
}

ApiResult<Page> page_of(const HttpAnswer& answer, const Selection& selection) {
  auto list = object_of(answer);
  if (!list) return list.error();
  Page page;
  page.resource_version = text_at(*list, {"metadata", "resourceVersion"});
  page.more = text_at(*list, {"metadata", "continue"});
  if (page.resource_version.empty()) return malformed("the list has no metadata.resourceVersion");
  const auto items = list->find("items");
  if (items == list->end() || items->is_null()) return page;  // Go's empty list
  if (!items->is_array()) return malformed("the list's items are no array");
  for (auto& item : *items) {
    if (!item.is_object()) return malformed("the list holds what is no object");
    item.emplace("apiVersion", selection.resource.api_version());
    item.emplace("kind", selection.resource.kind);
    page.items.push_back(std::move(item));
  }
  return page;
}

ApiResult<Api::Review> review_of(const HttpAnswer& answer) {
  const auto object = object_of(answer);
  if (!object) return object.error();
  Api::Review review;
  const auto* authenticated = find(*object, {"status", "authenticated"});
  review.authenticated = authenticated != nullptr && authenticated->is_boolean() && authenticated->get<bool>();
  review.username = text_at(*object, {"status", "user", "username"});
  review.error = first_of(text_at(*object, {"status", "error"}));
  if (const auto* audiences = find(*object, {"status", "audiences"}); audiences != nullptr && audiences->is_array()) {
    for (const auto& audience : *audiences) {
      if (audience.is_string()) review.audiences.push_back(audience.get<std::string>());
    }
  }
  return review;
}

}  // namespace adit::kube
