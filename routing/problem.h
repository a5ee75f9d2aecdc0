#pragma once
// A problem found in a manifest, in words that tell where it is and what to do.

#include <string>
#include <string_view>

namespace adit::routing {

/// What sort of problem it is, for programs: the words may change, these do not.
enum class ProblemKind {
  invalid,               ///< cannot be read, or breaks a rule of the API
  unsupported,           ///< of the API, but not of this version
  duplicate,             ///< the object, or a rule within it, is there twice
  duplicate_id,          ///< the id is that of another Tunnel: the object is left out
  host_held,             ///< the host is held by another namespace
  host_forbidden,        ///< the host is not for this namespace
  path_held,             ///< the path of a shared host is held by another Tunnel of the namespace
  secret_missing,        ///< a Secret that a Tunnel names does not exist
  secret_invalid,        ///< a Secret that a Tunnel names does not hold what it should
  certificate_mismatch,  ///< a certificate does not cover a host; it is used all the same
  staple_invalid,        ///< an OCSP response cannot be used; its certificate is, without it
};

struct Problem {
  std::string file;    ///< as given; empty when the object did not come from a file
  int line = 0;        ///< from 1; 0 when unknown
  std::string object;  ///< "Tunnel team-a/shop"; empty when the document could not be read so far
  std::string field;   ///< "spec.routes[1].host"; empty when it concerns the whole object
  std::string reason;
  bool warning = false;  ///< nothing was left out, but visitors will hardly get what is meant; --check counts it
  ProblemKind kind = ProblemKind::invalid;

  /// "FILE:LINE: OBJECT: FIELD: REASON", parts that are unknown left out.
  std::string text() const;

  friend bool operator==(const Problem&, const Problem&) = default;
};

/// Text from a manifest made fit for a reason: in quotes, control characters escaped, cut when long.
std::string in_quotes(std::string_view text);

}  // namespace adit::routing
