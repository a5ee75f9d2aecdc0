#include "kube/leader_election.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "kube/elector.h"
#include "kube/timestamp.h"

namespace adit::kube {
namespace {

std::string wall_time() { return micro_timestamp(std::chrono::system_clock::now()); }

/// "No term": before every time.
constexpr base::TimePoint kNoTerm = base::TimePoint::min();

}  // namespace

/// The shell: does what the elector asks for.
struct LeaderElection::Running {
  Running(Api& server, LeaderElectionOptions election_options, OnLeading leading, OnStopped stopped)
      : api(server),
        options(std::move(election_options)),
        on_leading(std::move(leading)),
        on_stopped(std::move(stopped)),
        elector(options, random) {}

  void run(const std::stop_token& stop);
  ApiResult<Json> perform(const Elector::Action& action);
  void give_back();
  /// Tells the other threads and the owner what has become of the elector.
  void publish();
  void publish_leading();
  void publish_holder();
  void publish_failure();

  Api& api;
  const LeaderElectionOptions options;
  const OnLeading on_leading;
  const OnStopped on_stopped;

  base::Random random;
  Elector elector;
  std::uint64_t told_term = 0;  ///< 0: not leading
  std::string told_failure;

  std::atomic<base::TimePoint> deadline{kNoTerm};
  mutable std::mutex mutex;  ///< for the holder, and of the wait
  std::string holder;
  std::condition_variable_any never;
  std::jthread thread;  ///< the last member: it ends before the others do
};

void LeaderElection::Running::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto action = elector.next(base::Clock::now(), wall_time());
    publish();
    if (action.kind == Elector::Action::Kind::wait) {
      std::unique_lock lock(mutex);
      never.wait_until(lock, stop, action.until, [] { return false; });
    } else {
      const auto answer = perform(action);
      elector.answered(base::Clock::now(), answer);
      publish();
    }
  }
  give_back();
}

ApiResult<Json> LeaderElection::Running::perform(const Elector::Action& action) {
  if (action.kind == Elector::Action::Kind::create) return api.create(lease_resource(), action.lease);
  if (action.kind == Elector::Action::Kind::apply) return api.apply(lease_resource(), action.lease);
  return api.get(lease_resource(), {options.space, options.name});
}

void LeaderElection::Running::give_back() {
  const auto lease = elector.release(base::Clock::now(), wall_time());
  // First all writing ends, then the next leader may begin.
  publish();
  if (!lease) return;
  if (const auto answer = api.apply(lease_resource(), *lease); !answer) {
    base::log::warning("could not give the lease back; the next leader waits until it ends",
                       {{"lease", options.name}, {"error", answer.error().text()}});
  }
}

void LeaderElection::Running::publish() {
  publish_holder();
  publish_failure();
  publish_leading();
}

void LeaderElection::Running::publish_leading() {
  const auto& leading = elector.leading();
  const std::uint64_t term = leading ? leading->term : 0;
  if (told_term != 0 && term != told_term) {
    deadline = kNoTerm;
    base::log::info("leads no more", {{"lease", options.name}, {"term", told_term}});
    told_term = 0;
    on_stopped();
  }
  deadline = leading ? leading->deadline : kNoTerm;
  if (term != 0 && told_term == 0) {
    base::log::info("leads", {{"lease", options.name}, {"term", term}});
    told_term = term;
    on_leading(term);
  }
}

void LeaderElection::Running::publish_holder() {
  if (holder == elector.holder()) return;  // only this thread writes it
  {
    const std::lock_guard lock(mutex);
    holder = elector.holder();
  }
  base::log::info("the lease has changed hands", {{"lease", options.name}, {"holder", elector.holder()}});
}

void LeaderElection::Running::publish_failure() {
  const auto failure = elector.failure() ? elector.failure()->text() : std::string();
  if (failure == told_failure) return;
  told_failure = failure;
  if (failure.empty()) {
    base::log::info("the lease can be read and written again", {{"lease", options.name}});
  } else {
    base::log::warning("cannot read or write the lease; it is tried again",
                       {{"lease", options.name}, {"error", failure}});
  }
}

LeaderElection::LeaderElection(Api& api, LeaderElectionOptions options, OnLeading on_leading, OnStopped on_stopped)
    : running_(std::make_unique<Running>(api, std::move(options), std::move(on_leading), std::move(on_stopped))) {}

LeaderElection::~LeaderElection() { stop(); }

void LeaderElection::start() {
  if (running_->thread.joinable()) return;
  running_->thread = std::jthread([running = running_.get()](const std::stop_token& stop) { running->run(stop); });
}

void LeaderElection::stop() {
  if (!running_->thread.joinable()) return;
  running_->thread.request_stop();
  running_->thread.join();
}

bool LeaderElection::may_write() const { return base::Clock::now() < running_->deadline.load(); }

std::string LeaderElection::holder() const {
  const std::lock_guard lock(running_->mutex);
  return running_->holder;
}

}  // namespace adit::kube
