#include "gateway/peer_credentials.h"

#include <fstream>
#include <utility>

#include "base/log.h"

namespace adit::gateway {
namespace {

constexpr auto kEvery = std::chrono::seconds(1);
constexpr std::size_t kMostBytes = std::size_t{1} << 20U;

base::Result<std::string> read_text(const char* flag, const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(kMostBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.eof()) {
    return base::Error{std::string(flag) + " " + path.string() + (in.fail() ? ": cannot be read" : ": is too large")};
  }
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

base::Result<net::MutualTls> make(const PeerKeys& keys) {
  auto made = net::make_mutual_tls({keys.chain, keys.key, keys.ca});
  if (!made) return base::Error{"peer certificate, key and CA: " + made.error()};
  return made;
}

}  // namespace

base::Result<PeerKeys> PeerCredentials::read() const {
  auto chain = read_text("--peer-cert", files_.chain);
  if (!chain) return base::Error{chain.error()};
  auto key = read_text("--peer-key", files_.key);
  if (!key) return base::Error{key.error()};
  auto ca = read_text("--peer-ca", files_.ca);
  if (!ca) return base::Error{ca.error()};
  return PeerKeys{*std::move(chain), *std::move(key), *std::move(ca)};
}

base::Result<void> PeerCredentials::load() {
  if (files_.chain.empty()) return {};
  const auto keys = read();
  if (!keys) return base::Error{keys.error()};
  auto made = make(*keys);
  if (!made) return base::Error{made.error()};
  use(*keys, *std::move(made));
  return {};
}

const net::MutualTls* PeerCredentials::tls(base::TimePoint now) {
  if (files_.chain.empty()) {
    look_at_given();
  } else if (now - looked_ >= kEvery) {
    looked_ = now;
    look_at_files();
  }
  return tls_.server ? &tls_ : nullptr;
}

void PeerCredentials::look_at_files() {
  const auto keys = read();
  if (keys && *keys == keys_) {
    fault_.clear();
    return;
  }
  auto made = keys ? make(*keys) : base::Error{keys.error()};
  if (made) {
    use(*keys, *std::move(made));
    return base::log::info("peer certificate read again", {{"file", files_.chain.string()}});
  }
  // Three files are not replaced at once, so what is bad only once is not told.
  const bool again = std::exchange(fault_, made.error()) == made.error();
  if (!again) told_ = false;
  if (!again || std::exchange(told_, true)) return;
  base::log::error("peer certificate cannot be used; the last good one serves", {{"reason", fault_}});
}

void PeerCredentials::look_at_given() {
  const auto version = given_.version();
  if (version == std::exchange(given_seen_, version)) return;
  const auto keys = given_.get();
  if (!keys || *keys == keys_) return;
  auto made = make(*keys);
  if (made) return use(*keys, *std::move(made));
  base::log::error("peer certificate cannot be used", {{"reason", made.error()}});
}

void PeerCredentials::use(const PeerKeys& keys, net::MutualTls tls) {
  keys_ = keys;
  tls_ = std::move(tls);
  fault_.clear();
}

}  // namespace adit::gateway
