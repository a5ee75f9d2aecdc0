#pragma once
// An API server in memory: versions, pages, a watch cache that can be compacted, server-side apply by one manager. For
// tests of what stands on kube::Api; what a real API server does is tested with a real one.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "kube/api.h"
#include "kube/object.h"

namespace adit::kube {

/// "tunnels.adit.dev", as in the names of calls.
std::string subject_of(const Resource& resource);

/// Any thread. Calls are named "VERB SUBJECT": get, list, watch, create, apply, apply_status, delete; "review tokens".
class SimulatedApi : public Api {
 public:
  ApiResult<Json> get(const Resource& resource, const Name& name) override;
  ApiResult<Page> list(const Selection& selection, const ListOptions& options) override;
  ApiResult<void> watch(const Selection& selection, const WatchOptions& options,
                        const std::function<bool(std::string_view bytes)>& on_bytes, const std::function<bool()>& idle,
                        std::stop_token stop) override;
  ApiResult<Json> create(const Resource& resource, const Json& object) override;
  ApiResult<Json> apply(const Resource& resource, const Json& object) override;
  ApiResult<Json> apply_status(const Resource& resource, const Json& object) override;
  ApiResult<void> remove(const Resource& resource, const Name& name, const std::string& uid) override;
  ApiResult<Review> review_token(const std::string& token, const std::vector<std::string>& audiences) override;

  // What another client does. They count as no call.
  /// Creates or replaces; what is stored. uid, generation and version are the server's.
  Json put(const Resource& resource, Json object);
  void erase(const Resource& resource, const Name& name);
  std::optional<Json> peek(const Resource& resource, const Name& name) const;
  std::vector<Json> all(const Resource& resource) const;
  void add_token(const std::string& token, Review review);

  // Faults.
  /// Asked on the caller's thread before a call has an effect, or after it (its answer is lost). It may block; an error
  /// is what the call returns.
  using Intercept = std::function<std::optional<ApiError>(const std::string& call)>;
  void before_calls(Intercept intercept);
  void after_calls(Intercept intercept);
  /// Forgets what was: watches and pages from before now are 410.
  void compact();
  enum class Break { close, cut, corrupt, gone };
  /// Of all watches that are open.
  void break_watches(Break how);

  /// All calls so far, and how many there were of one name.
  std::vector<std::string> calls() const;
  std::size_t count(const std::string& call) const;

  // The parts of a watch, for tests that have no thread.
  struct Cursor {
    Selection selection;
    std::uint64_t version = 0;  ///< all up to here has been read
  };
  ApiResult<Cursor> open_watch(const Selection& selection, const std::string& resource_version) const;
  /// The lines of what has happened since the last call, at most `most` of them.
  std::string read(Cursor& cursor, std::size_t most = ~std::size_t{0}) const;
  std::string bookmark(const Cursor& cursor) const;
  std::uint64_t version() const;

  /// What happened to an object, oldest first; since the last compact().
  struct Entry {
    std::uint64_t version = 0;
    std::string subject;
    Name name;
    std::optional<Json> before;
    std::optional<Json> after;
  };
  std::vector<Entry> history(std::uint64_t after_version) const;

 private:
  using Key = std::pair<std::string, Name>;
  struct Snapshot {
    std::uint64_t version = 0;
    std::vector<Json> items;
  };

  std::optional<ApiError> begin(const std::string& call);
  std::optional<ApiError> lost(const std::string& call);
  Json store(const Key& key, Json object);
  ApiResult<Json> merge(const std::string& verb, const Resource& resource, const Json& wanted, bool status);
  ApiResult<Page> page_of(std::uint64_t id, std::size_t from, std::size_t limit);
  std::string read_locked(Cursor& cursor, std::size_t most) const;

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::uint64_t version_ = 1;
  std::uint64_t compacted_ = 0;  ///< nothing is known of how it was before
  std::map<Key, Json> objects_;
  std::map<std::pair<Key, bool>, Json> applied_;  ///< last by server-side apply, to status or to the rest
  std::deque<Entry> history_;
  std::uint64_t snapshot_ids_ = 0;
  std::map<std::uint64_t, Snapshot> snapshots_;  ///< of lists that have further pages
  std::map<std::string, Review> tokens_;
  std::vector<std::string> calls_;
  Intercept before_;
  Intercept after_;
  std::uint64_t breaks_ = 0;
  Break how_ = Break::close;
};

}  // namespace adit::kube
