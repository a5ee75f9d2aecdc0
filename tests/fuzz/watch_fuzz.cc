// The answer to a watch: what becomes of it must not depend on how the bytes were split, and no object without a name
// or a version may come of it.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <variant>

#include "kube/watch_machine.h"

namespace kube = adit::kube;

namespace {

using std::chrono::seconds;

/// All that the machine tells, as text.
class Follower {
 public:
  Follower() {
    machine_.next(now_);
    machine_.listed(now_, {{}, "1", ""});
    machine_.next(now_);
  }

  void receive(std::string_view bytes) {
    if (ended_) return;
    ended_ = !machine_.received(now_, bytes);
    for (const auto& update : machine_.take_updates()) add(update);
  }

  std::string outcome() const {
    return told_ + (ended_ ? "ended " : "goes on ") + (machine_.failure() ? machine_.failure()->text() : "");
  }

 private:
  void add(const kube::WatchUpdate& update) {
    if (const auto* erased = std::get_if<kube::ObjectErased>(&update)) told_ += "-" + erased->key + "\n";
    const auto* set = std::get_if<kube::ObjectSet>(&update);
    if (set == nullptr) return;
    if (kube::name_of(*set->object).name.empty() || kube::resource_version_of(*set->object).empty()) std::abort();
    told_ += "+" + set->object->dump() + "\n";
  }

  adit::base::Random random_{1};
  kube::WatchMachine machine_{{.subject = "x", .most_line_bytes = 1'024}, random_};
  adit::base::TimePoint now_{seconds(1)};
  std::string told_;
  bool ended_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::size_t split = (data[0] + 256U * data[1]) % (bytes.size() + 1);
  Follower whole;
  whole.receive(bytes);
  Follower parts;
  parts.receive(bytes.substr(0, split));
  parts.receive(bytes.substr(split));
  if (whole.outcome() == parts.outcome()) return 0;
  std::fprintf(stderr, "whole:\n%s\nsplit:\n%s\n", whole.outcome().c_str(), parts.outcome().c_str());
  std::abort();
}
