#include "operator/compiler.h"

#include <algorithm>

#include "base/log.h"

namespace adit::controller {
namespace {

using namespace std::chrono_literals;

/// A burst of changes is one compilation.
constexpr auto kGather = 20ms;

}  // namespace

Compiler::Compiler(Callbacks callbacks, routing::HostPolicy policy, std::chrono::milliseconds secrets_come_within)
    : callbacks_(std::move(callbacks)), secrets_come_within_(secrets_come_within), catalogue_(std::move(policy)) {}

Compiler::~Compiler() { stop(); }

void Compiler::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Compiler::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void Compiler::tunnels_changed(const std::vector<kube::Change>& changes) {
  const std::lock_guard lock(mutex_);
  inbox_.tunnels.insert(inbox_.tunnels.end(), changes.begin(), changes.end());
  wake();
}

void Compiler::secret_changed(const std::string& key, const SecretState& state) {
  const std::lock_guard lock(mutex_);
  inbox_.secrets.emplace_back(key, state);
  wake();
}

void Compiler::tunnels_listed() {
  const std::lock_guard lock(mutex_);
  listed_ = true;
  wake();
}

void Compiler::lead() {
  const std::lock_guard lock(mutex_);
  term_ = ++terms_;
  wake();
}

void Compiler::resign() {
  const std::lock_guard publishing(publishing_);
  const std::lock_guard lock(mutex_);
  term_ = 0;
  latest_.reset();
}

void Compiler::wake() {
  inbox_.woken = true;
  wake_.notify_one();
}

TunnelFactsPtr Compiler::facts(const std::string& tunnel) const {
  const std::lock_guard lock(mutex_);
  if (!latest_) return nullptr;
  const auto found = latest_->facts.find(tunnel);
  return found == latest_->facts.end() ? nullptr : found->second;
}

std::size_t Compiler::tunnels() const {
  const std::lock_guard lock(mutex_);
  return latest_ ? latest_->facts.size() : 0;
}

std::size_t Compiler::refused() const {
  const auto compilation = [this] {
    const std::lock_guard lock(mutex_);
    return latest_;
  }();
  if (!compilation) return 0;
  const auto& facts = compilation->facts;
  return static_cast<std::size_t>(
      std::count_if(facts.begin(), facts.end(), [](const auto& item) { return !item.second->refused.empty(); }));
}

std::uint64_t Compiler::compilations() const {
  const std::lock_guard lock(mutex_);
  return compilations_;
}

void Compiler::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    wait(stop);
    if (stop.stop_requested()) return;
    Inbox inbox;
    {
      const std::lock_guard lock(mutex_);
      inbox = std::exchange(inbox_, {});
    }
    if (take_in(inbox)) {
      dirty_ = true;
      tell_named();
    }
    const auto term = term_to_compile();
    if (term == 0) continue;
    compile(term);
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, kGather, [] { return false; });
  }
}

void Compiler::wait(const std::stop_token& stop) {
  const auto woken = [this] { return inbox_.woken; };
  std::unique_lock lock(mutex_);
  if (first_waits_until_ == base::kNever) {
    wake_.wait(lock, stop, woken);
  } else {
    wake_.wait_until(lock, stop, first_waits_until_, woken);
  }
}

bool Compiler::take_in(const Inbox& inbox) {
  bool changed = false;
  for (const auto& change : inbox.tunnels) {
    changed |= change.after ? catalogue_.set_tunnel(*change.after) : catalogue_.erase_tunnel(change.key);
  }
  for (const auto& [key, state] : inbox.secrets) {
    catalogue_.set_secret(key, state);
    changed = true;
  }
  return changed;
}

void Compiler::tell_named() {
  auto named = catalogue_.named_secrets();
  if (named == named_) return;
  named_ = named;
  callbacks_.on_named(std::move(named));
}

std::uint64_t Compiler::term_to_compile() {
  std::uint64_t term = 0;
  {
    const std::lock_guard lock(mutex_);
    if (listed_) term = term_;
  }
  if (term == 0) {
    first_waits_until_ = base::kNever;
    return 0;
  }
  if (term != begun_term_) begin_term(term);
  if (!dirty_) return 0;
  if (is_first_ && catalogue_.is_waiting() && base::Clock::now() < first_waits_until_) return 0;
  first_waits_until_ = base::kNever;
  return term;
}

/// Only now, with every Tunnel listed, is it known what each of them held.
void Compiler::begin_term(std::uint64_t term) {
  std::vector<routing::Claim> claims;
  for (const auto& tunnel : callbacks_.recorded()) claims.push_back(recorded_claim(*tunnel));
  catalogue_.restore(claims);
  begun_term_ = term;
  dirty_ = true;
  is_first_ = true;
  first_waits_until_ = base::Clock::now() + secrets_come_within_;
}

void Compiler::compile(std::uint64_t term) {
  auto compilation = std::make_shared<const Compilation>(catalogue_.compile());
  dirty_ = false;
  if (std::exchange(is_first_, false)) {
    base::log::info("first compilation of the term",
                    {{"tunnels", compilation->facts.size()}, {"kept", compilation->keep.size()}});
  }
  const std::lock_guard publishing(publishing_);
  {
    const std::lock_guard lock(mutex_);
    if (term_ != term) return;
    latest_ = compilation;
    ++compilations_;
  }
  callbacks_.on_compiled(compilation);
}

}  // namespace adit::controller
