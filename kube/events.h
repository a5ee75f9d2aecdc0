#pragma once
// Events (core/v1) about objects, for `kubectl describe`.

#include <functional>
#include <memory>
#include <string>

#include "kube/api.h"
#include "kube/object.h"

namespace adit::kube {

enum class EventType { normal, warning };

/// Writes events on a thread of its own, so that who records one never waits. What is equal (object, type, reason,
/// message) within ten minutes is one Event whose count rises, written at most once in ten seconds; the queue is
/// bounded and what does not fit is counted. Any thread.
class EventRecorder {
 public:
  /// `component` is the source: "adit-operator". `may_write` is asked before each write.
  EventRecorder(Api& api, std::string component, std::function<bool()> may_write);
  ~EventRecorder();

  /// Ends the thread; what is not written yet is dropped. Before what `may_write` uses ends.
  void stop();

  /// `regarding` is the object with apiVersion, kind and metadata. `reason` is UpperCamelCase. Messages are cut at
  /// 1,024 bytes.
  void record(const Json& regarding, EventType type, const std::string& reason, const std::string& message);

  std::uint64_t dropped() const;

 private:
  struct Running;
  std::unique_ptr<Running> running_;
};

}  // namespace adit::kube
