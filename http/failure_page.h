#pragma once
// The answers that the edge gives itself: small, and without a word about the inside.

#include <string_view>

#include "base/buffer.h"

namespace adit::http {

struct FailurePage {
  int status = 500;
  std::string_view request_id;  ///< for the page and as X-Request-Id; empty: there is none
  std::string_view fields;      ///< further whole field lines: "Retry-After: 1\r\n"
  std::string_view html;        ///< instead of the page of our own, for those who take HTML
  bool json = false;            ///< see prefers_json()
  bool close = false;           ///< write "Connection: close"
  bool to_head = false;         ///< the request was HEAD: no body
};

/// Appends the whole answer: JSON (RFC 9457) or HTML. Not to be stored by caches.
void write_failure(base::Buffer& out, const FailurePage& page);

/// Whether Accept prefers JSON ("application/json", "application/problem+json") to HTML (RFC 9110 §12.5.1).
bool prefers_json(std::string_view accept);

}  // namespace adit::http
