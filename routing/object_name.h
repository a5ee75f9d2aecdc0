#pragma once
// The syntax of names in manifests.

#include <string_view>

namespace adit::routing {

/// RFC 1123 label: lower-case letters, digits and inner hyphens, at most 63: a namespace.
bool is_dns_label(std::string_view text);

/// The name of an object as Kubernetes takes it: as dot-separated RFC 1123 labels, at most 253 in all, but with labels
/// of any length.
bool is_dns_subdomain(std::string_view text);

/// A name that connectors offer: letters, digits and ".", "_", ":", "-" after a letter or digit; at most 253.
/// The colon is there for offers such as "api:8080" that stand for a Kubernetes Service and its port.
bool is_service_name(std::string_view text);

/// What to say of a name of a Secret that is no is_dns_subdomain().
inline constexpr const char* kSecretNameFault =
    "must be the name of a Secret in the Tunnel's namespace: lower-case letters, digits, \"-\" and \".\"";

/// A key of a Secret: letters, digits, "-", "_" and "."; at most 253.
bool is_secret_key(std::string_view text);

}  // namespace adit::routing
