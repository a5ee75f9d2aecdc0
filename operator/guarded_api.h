#pragma once
// The API server for parts that only a leader may run: writes of anybody else are refused before they leave.

#include <chrono>
#include <functional>
#include <mutex>
#include <utility>

#include "base/clock.h"
#include "kube/api.h"

namespace adit::controller {

/// Passes reads on; a write only while `may_write` says so, and is otherwise ApiFailure::cancelled.
class GuardedApi final : public kube::Api {
 public:
  GuardedApi(kube::Api& api, std::function<bool()> may_write) : api_(api), may_write_(std::move(may_write)) {}

  kube::ApiResult<kube::Json> get(const kube::Resource& resource, const kube::Name& name) override {
    return api_.get(resource, name);
  }
  kube::ApiResult<kube::Page> list(const kube::Selection& selection, const kube::ListOptions& options) override {
    return api_.list(selection, options);
  }
  kube::ApiResult<void> watch(const kube::Selection& selection, const kube::WatchOptions& options,
                              const std::function<bool(std::string_view bytes)>& on_bytes,
                              const std::function<bool()>& idle, std::stop_token stop) override {
    return api_.watch(selection, options, on_bytes, idle, std::move(stop));
  }
  kube::ApiResult<Review> review_token(const std::string& token, const std::vector<std::string>& audiences) override {
    return api_.review_token(token, audiences);
  }

  kube::ApiResult<kube::Json> create(const kube::Resource& resource, const kube::Json& object) override {
    if (!may_write_()) return refused("create " + resource.plural);
    return api_.create(resource, object);
  }
  kube::ApiResult<kube::Json> apply(const kube::Resource& resource, const kube::Json& object) override {
    if (!may_write_()) return refused("apply " + resource.plural);
    return api_.apply(resource, object);
  }
  kube::ApiResult<kube::Json> apply_status(const kube::Resource& resource, const kube::Json& object) override {
    if (!may_write_()) return refused("apply " + resource.plural + "/status");
    return api_.apply_status(resource, object);
  }
  kube::ApiResult<void> remove(const kube::Resource& resource, const kube::Name& name,
                               const std::string& uid) override {
    if (!may_write_()) return refused("delete " + resource.plural);
    return api_.remove(resource, name, uid);
  }

 private:
  static kube::ApiError refused(std::string call) {
    kube::ApiError error;
    error.failure = kube::ApiFailure::cancelled;
    error.call = std::move(call);
    error.message = "this process does not lead";
    return error;
  }

  kube::Api& api_;
  std::function<bool()> may_write_;
};

}  // namespace adit::controller
