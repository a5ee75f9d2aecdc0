#include "operator/edge_certificates.h"

#include <utility>

namespace adit::controller {
namespace {

constexpr std::string_view kPemEnd = "-----END CERTIFICATE-----\n";

bool is_alive(std::string_view pem, WallTime now) {
  const auto validity = validity_of(pem);
  return validity && now < validity->until;
}

/// Two thirds of its life are over.
bool is_old(std::string_view pem, WallTime now) {
  const auto validity = validity_of(pem);
  return !validity || now > validity->until - (validity->until - validity->from) / 3;
}

bool can_sign(const KeyCertificate& pair, WallTime now) { return is_pair(pair) && is_alive(pair.certificate, now); }

/// The certificates of a bundle one by one.
std::vector<std::string> split(std::string_view bundle) {
  std::vector<std::string> parts;
  for (auto end = bundle.find(kPemEnd); end != std::string_view::npos; end = bundle.find(kPemEnd)) {
    parts.emplace_back(bundle.substr(0, end + kPemEnd.size()));
    bundle.remove_prefix(end + kPemEnd.size());
  }
  return parts;
}

class Planning {
 public:
  Planning(const StoredCertificates& stored, const EdgeNames& names, WallTime now)
      : stored_(stored), names_(names), now_(now) {}

  base::Result<EdgeCertificates> run() {
    if (auto done = plan_authority(); !done) return base::Error{done.error()};
    if (auto done = plan_server("operator", stored_.serving, names_.serving, plan_.serving, plan_.serving_changed);
        !done) {
      return base::Error{done.error()};
    }
    if (auto done = plan_server("peer", stored_.peer, {std::string(kPeerName)}, plan_.peer, plan_.peer_changed,
                                CertificateUse::server_and_client);
        !done) {
      return base::Error{done.error()};
    }
    if (names_.link.empty()) return std::move(plan_);
    if (auto done = plan_server("link", stored_.link, names_.link, plan_.link.emplace(), plan_.link_changed); !done) {
      return base::Error{done.error()};
    }
    return std::move(plan_);
  }

 private:
  base::Result<void> plan_authority() {
    auto& authority = plan_.authority;
    if (stored_.authority) authority = *stored_.authority;
    if (!stored_.authority || !can_sign(authority.signer, now_)) {
      const std::string why = stored_.authority ? "the authority is unusable or expired" : "there was no authority";
      authority.next.reset();
      if (auto made = make(authority.signer, why); !made) return made;
    } else if (authority.next && !can_sign(*authority.next, now_)) {
      authority.next.reset();
      changed("the next authority is unusable");
    }
    if (is_old(authority.signer.certificate, now_) && !authority.next) {
      if (auto made = make(authority.next.emplace(), "the authority gets old: the next one is announced"); !made) {
        return made;
      }
    } else if (authority.next && was_announced(*authority.next)) {
      authority.signer = *std::exchange(authority.next, std::nullopt);
      changed("the announced authority signs from now on");
    }
    refresh_bundle();
    return {};
  }

  base::Result<void> make(KeyCertificate& place, const std::string& why) {
    auto made = issue_authority("Adit authority", now_, kAuthorityLife);
    if (!made) return base::Error{made.error()};
    place = std::move(*made);
    changed(why);
    return {};
  }

  void changed(const std::string& why) {
    plan_.authority_changed = true;
    plan_.reasons.push_back(why);
  }

  bool was_announced(const KeyCertificate& next) const {
    const auto validity = validity_of(next.certificate);
    return validity && now_ > validity->from + kAnnounced;
  }

  /// What is trusted already stays so for as long as it lives.
  void refresh_bundle() {
    auto& authority = plan_.authority;
    std::string bundle = authority.signer.certificate;
    if (authority.next) bundle += authority.next->certificate;
    for (const auto& former : split(authority.trusted)) {
      if (bundle.find(former) == std::string::npos && is_alive(former, now_)) bundle += former;
    }
    if (bundle == authority.trusted) return;
    authority.trusted = std::move(bundle);
    plan_.authority_changed = true;
  }

  base::Result<void> plan_server(const std::string& what, const std::optional<KeyCertificate>& stored,
                                 const std::vector<std::string>& names, KeyCertificate& place, bool& is_changed,
                                 CertificateUse use = CertificateUse::server) {
    const std::string why = reason_to_issue(stored, names);
    if (why.empty()) {
      place = *stored;
      return {};
    }
    auto issued = issue_server(plan_.authority.signer, names, now_, kServerLife, use);
    if (!issued) return base::Error{what + " certificate: " + issued.error()};
    place = std::move(*issued);
    is_changed = true;
    plan_.reasons.push_back(what + " certificate: " + why);
    return {};
  }

  std::string reason_to_issue(const std::optional<KeyCertificate>& stored,
                              const std::vector<std::string>& names) const {
    if (!stored) return "there was none";
    if (!is_issued_by(*stored, plan_.authority.signer.certificate)) return "it is not of the authority that signs";
    if (!is_for(stored->certificate, names)) return "it is for other names";
    if (is_old(stored->certificate, now_)) return "it gets old";
    return {};
  }

  const StoredCertificates& stored_;
  const EdgeNames& names_;
  WallTime now_;
  EdgeCertificates plan_;
};

}  // namespace

base::Result<EdgeCertificates> plan_certificates(const StoredCertificates& stored, const EdgeNames& names,
                                                 WallTime now) {
  return Planning(stored, names, now).run();
}

}  // namespace adit::controller
