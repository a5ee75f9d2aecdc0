#pragma once
// Which certificates a gateway has to have at hand: both ends keep the same account, so nothing is said about it.

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace adit::control {

/// A certificate is at hand from its message on. After each tunnel, keep or remove message, those are forgotten which
/// the latest message of no tunnel names.
class CertificateUse {
 public:
  bool has(std::string_view fingerprint) const { return uses_.find(fingerprint) != uses_.end(); }
  /// A certificate message.
  void add(std::string fingerprint);
  /// The latest message of the tunnel `id` names these, all of which are at hand; none: it is kept or removed. Returns
  /// the fingerprints that are forgotten.
  std::vector<std::string> name(const std::string& id, std::vector<std::string> fingerprints);
  std::size_t size() const { return uses_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  template <class Value>
  using Map = std::unordered_map<std::string, Value, Hash, std::equal_to<>>;

  Map<std::size_t> uses_;  ///< fingerprint → tunnels whose latest message names it
  Map<std::vector<std::string>> named_;
  std::vector<std::string> unnamed_;  ///< added since the last name()
};

}  // namespace adit::control
