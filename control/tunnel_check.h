#pragma once
// Looks at a tunnel that the operator sent as at anything that comes from outside.

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "control/messages.h"

namespace adit::control {

/// A certificate that the operator sent, or why it cannot be used.
struct CheckedCertificate {
  std::shared_ptr<const routing::Certificate> certificate;  ///< nullptr: cannot be used
  std::string reason;
};

/// Checks that chain and key are a key pair that a listener can use, and that the fingerprint is theirs.
CheckedCertificate check_certificate(const routing::Certificate& certificate);

/// The same for one that was checked before: the fingerprint only, which is a hundred times cheaper.
CheckedCertificate trust_certificate(std::shared_ptr<const routing::Certificate> certificate);

/// nullptr for a fingerprint that was not sent.
using FindCertificate = std::function<const CheckedCertificate*(const std::string& fingerprint)>;

/// The configuration that a message stands for: the id a UUID, hosts and paths canonical, rules that differ in host or
/// path, names of services as connectors can offer them, filters that this version knows with values as a manifest may
/// have them, usable certificates, at most four, for hosts that have a rule.
base::Result<routing::TunnelConfigurationPtr> check_tunnel(TunnelMessage message, const FindCertificate& find);

}  // namespace adit::control
