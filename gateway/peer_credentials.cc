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

base::Result<net::MutualTls> make(std::string_view chain, std::string_view key, std::string_view ca) {
  auto made = net::make_mutual_tls({chain, key, ca});
  if (!made) return base::Error{"--peer-cert, --peer-key, --peer-ca: " + made.error()};
  return made;
}

}  // namespace

base::Result<PeerCredentials::Texts> PeerCredentials::read() const {
  auto chain = read_text("--peer-cert", files_.chain);
  if (!chain) return base::Error{chain.error()};
  auto key = read_text("--peer-key", files_.key);
  if (!key) return base::Error{key.error()};
  auto ca = read_text("--peer-ca", files_.ca);
  if (!ca) return base::Error{ca.error()};
  return Texts{*std::move(chain), *std::move(key), *std::move(ca)};
}

base::Result<void> PeerCredentials::load() {
  if (!encrypted()) return {};
  auto texts = read();
  if (!texts) return base::Error{texts.error()};
  auto made = make(texts->chain, texts->key, texts->ca);
  if (!made) return base::Error{made.error()};
  texts_ = *std::move(texts);
  tls_ = *std::move(made);
  return {};
}

const net::MutualTls& PeerCredentials::tls(base::TimePoint now) {
  if (now - looked_ < kEvery) return tls_;
  looked_ = now;
  auto texts = read();
  if (texts && *texts == texts_) {
    fault_.clear();
    return tls_;
  }
  auto made = texts ? make(texts->chain, texts->key, texts->ca) : base::Error{texts.error()};
  if (!made) {
    // Three files are not replaced at once, so what is bad only once is not told.
    const bool again = std::exchange(fault_, made.error()) == made.error();
    if (!again) told_ = false;
    if (again && !std::exchange(told_, true)) {
      base::log::error("peer certificate cannot be used; the last good one serves", {{"reason", fault_}});
    }
    return tls_;
  }
  fault_.clear();
  texts_ = *std::move(texts);
  tls_ = *std::move(made);
  base::log::info("peer certificate read again", {{"file", files_.chain.string()}});
  return tls_;
}

}  // namespace adit::gateway
