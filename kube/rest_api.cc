#include "kube/rest_api.h"

#include "kube/rest_messages.h"

namespace adit::kube {
namespace {

/// "get tunnels.adit.dev team-a/shop".
std::string call_of(const char* verb, const Resource& resource, const Name& name = {}) {
  std::string call = std::string(verb) + " " + resource.plural;
  if (!resource.group.empty()) call += "." + resource.group;
  if (!name.name.empty()) call += " " + name.key();
  return call;
}

ApiError named(ApiError error, std::string call) {
  error.call = std::move(call);
  return error;
}

template <class T>
ApiResult<T> named(ApiResult<T> result, const std::string& call) {
  if (!result) return named(result.error(), call);
  return result;
}

ApiError unfit(std::string why, std::string call) {
  ApiError error;
  error.call = std::move(call);
  error.reason = "Invalid";
  error.message = std::move(why);
  return error;
}

}  // namespace

base::Result<std::unique_ptr<RestApi>> RestApi::create(ClusterConfig config, RestOptions options) {
  auto client = HttpClient::create(std::move(config), options.limits);
  if (!client) return base::Error{client.error()};
  return std::unique_ptr<RestApi>(new RestApi(*std::move(client), std::move(options)));
}

RestApi::RestApi(std::unique_ptr<HttpClient> client, RestOptions options)
    : client_(std::move(client)), options_(std::move(options)) {}

ApiResult<Json> RestApi::get(const Resource& resource, const Name& name) {
  const auto call = call_of("get", resource, name);
  if (auto why = why_unfit(resource, name); !why.empty()) return unfit(std::move(why), call);
  const auto answer = client_->exchange(get_request(resource, name));
  if (!answer) return named(answer.error(), call);
  return named(object_of(*answer), call);
}

ApiResult<Page> RestApi::list(const Selection& selection, const ListOptions& options) {
  const auto call = call_of("list", selection.resource);
  const auto answer = client_->exchange(list_request(selection, options));
  if (!answer) return named(answer.error(), call);
  return named(page_of(*answer, selection), call);
}

ApiResult<void> RestApi::watch(const Selection& selection, const WatchOptions& options,
                               const std::function<bool(std::string_view bytes)>& on_bytes,
                               const std::function<bool()>& idle, std::stop_token stop) {
  const auto call = call_of("watch", selection.resource);
  const HttpClient::Stream stream{.on_bytes = on_bytes,
                                  .idle = idle,
                                  .stop = std::move(stop),
                                  .deadline = base::Clock::now() + options.timeout + options_.limits.timeout};
  const auto answer = client_->stream(watch_request(selection, options), stream);
  if (!answer) return named(answer.error(), call);
  if (answer->status == 200 || answer->status == 0) return {};
  return named(kube::error_of(*answer), call);
}

ApiResult<Json> RestApi::create(const Resource& resource, const Json& object) {
  const auto name = name_of(object);
  const auto call = call_of("create", resource, name);
  if (auto why = why_unfit(resource, name); !why.empty()) return unfit(std::move(why), call);
  const auto answer = client_->exchange(create_request(resource, object));
  if (!answer) return named(answer.error(), call);
  return named(object_of(*answer), call);
}

ApiResult<Json> RestApi::apply(const Resource& resource, const Json& object) { return apply(resource, object, ""); }

ApiResult<Json> RestApi::apply_status(const Resource& resource, const Json& object) {
  return apply(resource, object, "status");
}

ApiResult<Json> RestApi::apply(const Resource& resource, const Json& object, const std::string& subresource) {
  const auto name = name_of(object);
  const auto call = call_of(subresource.empty() ? "apply" : "apply status of", resource, name);
  if (auto why = why_unfit(resource, name); !why.empty()) return unfit(std::move(why), call);
  const auto answer = client_->exchange(apply_request(resource, object, options_.field_manager, subresource));
  if (!answer) return named(answer.error(), call);
  return named(object_of(*answer), call);
}

ApiResult<void> RestApi::remove(const Resource& resource, const Name& name, const std::string& uid) {
  const auto call = call_of("delete", resource, name);
  if (auto why = why_unfit(resource, name); !why.empty()) return unfit(std::move(why), call);
  const auto answer = client_->exchange(remove_request(resource, name, uid));
  if (!answer) return named(answer.error(), call);
  if (answer->status < 200 || answer->status > 299) return named(error_of(*answer), call);
  return {};
}

ApiResult<Api::Review> RestApi::review_token(const std::string& token, const std::vector<std::string>& audiences) {
  const std::string call = "create tokenreviews.authentication.k8s.io";
  const auto answer = client_->exchange(review_request(token, audiences));
  if (!answer) return named(answer.error(), call);
  return named(review_of(*answer), call);
}

}  // namespace adit::kube
