#include "operator/compiler.h"

#include "base/log.h"

namespace adit::controller {
namespace {

using namespace std::chrono_literals;

/// A burst of changes is one compilation.
constexpr auto kGather = 20ms;
/// How long the first compilation of a term waits for Secrets. What is not known then is kept as gateways have it.
constexpr auto kSecretsComeWithin = 10s;
constexpr auto kLook = 250ms;

}  // namespace

Compiler::Compiler(Callbacks callbacks, routing::HostPolicy policy)
    : callbacks_(std::move(callbacks)), catalogue_(std::move(policy)) {}

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
  inbox_.woken = true;
  wake_.notify_one();
}

void Compiler::secret_changed(const std::string& key, const SecretState& state) {
  const std::lock_guard lock(mutex_);
  inbox_.secrets.emplace_back(key, state);
  inbox_.woken = true;
  wake_.notify_one();
}

void Compiler::tunnels_listed() {
  const std::lock_guard lock(mutex_);
  listed_ = true;
  inbox_.woken = true;
  wake_.notify_one();
}

void Compiler::lead(const std::vector<kube::ObjectPtr>& tunnels) {
  std::vector<routing::Claim> claims;
  for (const auto& tunnel : tunnels) claims.push_back(recorded_claim(*tunnel));
  const std::lock_guard lock(mutex_);
  inbox_.claims = std::move(claims);
  leading_ = true;
  inbox_.woken = true;
  wake_.notify_one();
}

void Compiler::resign() {
  const std::lock_guard lock(mutex_);
  leading_ = false;
  inbox_.claims.reset();
  latest_.reset();
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

std::uint64_t Compiler::compilations() const {
  const std::lock_guard lock(mutex_);
  return compilations_;
}

void Compiler::run(const std::stop_token& stop) {
  bool dirty = false;
  while (!stop.stop_requested()) {
    Inbox inbox;
    {
      std::unique_lock lock(mutex_);
      const auto woken = [this] { return inbox_.woken; };
      if (dirty) {
        wake_.wait_for(lock, stop, kLook, woken);
      } else {
        wake_.wait(lock, stop, woken);
      }
      inbox = std::exchange(inbox_, {});
    }
    dirty |= take_in(inbox);
    if (auto named = catalogue_.named_secrets(); named != named_) {
      named_ = named;
      callbacks_.on_named(std::move(named));
    }
    if (!dirty || stop.stop_requested() || !may_compile(base::Clock::now())) continue;
    compile();
    dirty = false;
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, kGather, [] { return false; });
  }
}

bool Compiler::take_in(Inbox& inbox) {
  bool changed = false;
  for (const auto& change : inbox.tunnels) {
    changed |= change.after ? catalogue_.set_tunnel(*change.after) : catalogue_.erase_tunnel(change.key);
  }
  for (const auto& [key, state] : inbox.secrets) {
    catalogue_.set_secret(key, state);
    changed = true;
  }
  if (!inbox.claims) return changed;
  catalogue_.restore(*inbox.claims);
  is_first_ = true;
  first_waits_until_ = base::Clock::now() + kSecretsComeWithin;
  return true;
}

bool Compiler::may_compile(base::TimePoint now) {
  {
    const std::lock_guard lock(mutex_);
    if (!leading_ || !listed_) return false;
  }
  return !is_first_ || !catalogue_.is_waiting() || now >= first_waits_until_;
}

void Compiler::compile() {
  auto compilation = std::make_shared<const Compilation>(catalogue_.compile());
  if (std::exchange(is_first_, false)) {
    base::log::info("first compilation of the term",
                    {{"tunnels", compilation->facts.size()}, {"kept", compilation->keep.size()}});
  }
  {
    const std::lock_guard lock(mutex_);
    if (!leading_) return;
    latest_ = compilation;
    ++compilations_;
  }
  callbacks_.on_compiled(compilation);
}

}  // namespace adit::controller
