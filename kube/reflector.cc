#include "kube/reflector.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <utility>
#include <variant>

#include "base/log.h"
#include "base/random.h"
#include "kube/watch_machine.h"

namespace adit::kube {
namespace {

std::string subject_of(const Resource& resource) {
  return resource.group.empty() ? resource.plural : resource.plural + "." + resource.group;
}

WatchMachineOptions machine_options(const ReflectorOptions& options) {
  WatchMachineOptions machine;
  machine.subject = subject_of(options.selection.resource);
  machine.page_size = options.page_size;
  machine.watch_timeout = options.watch_timeout;
  machine.backoff = options.backoff;
  return machine;
}

std::string text_of(const std::optional<ApiError>& failure) { return failure ? failure->text() : std::string(); }

}  // namespace

/// The shell: does what the machine asks for.
struct Reflector::Running {
  explicit Running(Reflector& of) : reflector(of), machine(machine_options(of.options_), random) {}

  void run(const std::stop_token& stop);
  void perform(const ListPage& list);
  void perform(const StartWatch& watch, const std::stop_token& stop);
  void perform(const WaitUntil& wait, const std::stop_token& stop);
  /// Takes the machine's updates into the store and tells of them.
  void deliver();
  void apply(WatchUpdate update);
  void tell_failure();

  Reflector& reflector;
  base::Random random;
  WatchMachine machine;

  std::atomic<std::uint64_t> lists = 0;
  std::atomic<std::uint64_t> watches = 0;
  std::atomic<std::uint64_t> failures = 0;
  std::atomic<std::uint64_t> events = 0;

  std::mutex mutex;  ///< of the wait alone
  std::condition_variable_any never;
  std::jthread thread;  ///< the last member: it ends before the others do
};

void Reflector::Running::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto action = machine.next(base::Clock::now());
    if (const auto* list = std::get_if<ListPage>(&action)) perform(*list);
    if (const auto* watch = std::get_if<StartWatch>(&action)) perform(*watch, stop);
    if (const auto* wait = std::get_if<WaitUntil>(&action)) perform(*wait, stop);
  }
}

void Reflector::Running::perform(const ListPage& list) {
  ++lists;
  auto page = reflector.api_.list(reflector.options_.selection, list.options);
  const auto now = base::Clock::now();
  if (page) {
    machine.listed(now, *std::move(page));
  } else {
    machine.list_failed(now, page.error());
  }
  deliver();
}

void Reflector::Running::perform(const StartWatch& watch, const std::stop_token& stop) {
  ++watches;
  const auto on_bytes = [this](std::string_view bytes) {
    const bool more = machine.received(base::Clock::now(), bytes);
    deliver();
    return more;
  };
  const auto idle = [this] {
    const bool more = machine.idle(base::Clock::now());
    deliver();
    return more;
  };
  const auto result = reflector.api_.watch(reflector.options_.selection, watch.options, on_bytes, idle, stop);
  if (stop.stop_requested()) return;
  machine.watch_ended(base::Clock::now(), result);
  deliver();
}

void Reflector::Running::perform(const WaitUntil& wait, const std::stop_token& stop) {
  std::unique_lock lock(mutex);
  never.wait_until(lock, stop, wait.time, [] { return false; });
}

void Reflector::Running::deliver() {
  for (auto& update : machine.take_updates()) apply(std::move(update));
  failures = machine.failures();
  tell_failure();
}

void Reflector::Running::apply(WatchUpdate update) {
  auto& store = reflector.store_;
  if (auto* all = std::get_if<AllReplaced>(&update)) {
    const bool first = !store.is_synced();
    const auto changes = store.replace(std::move(all->objects));
    if (first || !changes.empty()) reflector.on_changes_(changes);
    return;
  }
  ++events;
  std::optional<Change> change;
  if (auto* set = std::get_if<ObjectSet>(&update)) change = store.set(std::move(set->object));
  if (const auto* erased = std::get_if<ObjectErased>(&update)) change = store.erase(erased->key);
  if (change) reflector.on_changes_({*std::move(change)});
}

void Reflector::Running::tell_failure() {
  const auto before = text_of(reflector.store_.failure());
  const auto after = text_of(machine.failure());
  if (before == after) return;
  reflector.store_.set_failure(machine.failure());
  if (after.empty()) {
    base::log::info("the API server is followed again", {{"reflector", reflector.options_.name}});
  } else {
    base::log::warning("cannot follow the API server; what is known is kept and it is tried again, with growing pauses",
                       {{"reflector", reflector.options_.name}, {"error", after}});
  }
  if (reflector.on_failure_) reflector.on_failure_();
}

Reflector::Reflector(Api& api, ReflectorOptions options, OnChanges on_changes, OnFailure on_failure)
    : api_(api),
      options_(std::move(options)),
      on_changes_(std::move(on_changes)),
      on_failure_(std::move(on_failure)),
      running_(std::make_unique<Running>(*this)) {}

Reflector::~Reflector() { stop(); }

void Reflector::start() {
  if (running_->thread.joinable()) return;
  running_->thread = std::jthread([running = running_.get()](const std::stop_token& stop) { running->run(stop); });
}

void Reflector::stop() {
  if (!running_->thread.joinable()) return;
  running_->thread.request_stop();
  running_->thread.join();
}

Reflector::Counts Reflector::counts() const {
  return {running_->lists, running_->watches, running_->failures, running_->events};
}

}  // namespace adit::kube
