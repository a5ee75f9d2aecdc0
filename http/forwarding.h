#pragma once
// What a proxy writes: heads towards the service and towards the visitor (RFC 9110 §7.6), and chunked framing.

#include <cstdint>
#include <span>
#include <string_view>

#include "base/buffer.h"
#include "http/message.h"

namespace adit::http {

/// What the edge knows of a request beyond its head.
struct Origin {
  std::string_view client;      ///< the peer's IP address, no port; IPv6 without brackets
  std::string_view scheme;      ///< "http" or "https"
  std::string_view port;        ///< the public port, decimal
  std::string_view request_id;  ///< becomes X-Request-Id
  bool trusted = false;         ///< the peer is a proxy whose word on all this counts
};

/// A change to the fields of a head that somebody configured. Never of a field that is written anew here.
struct FieldEdit {
  enum class Kind : std::uint8_t {
    set,     ///< instead of all fields of that name
    add,     ///< beside them
    remove,  ///< `value` means nothing
  };
  Kind kind = Kind::set;
  std::string_view name;
  std::string_view value;
};
using FieldEdits = std::span<const FieldEdit>;

/// What a request's route makes of its head. Empty: as received.
struct RequestEdits {
  std::string_view target;
  std::string_view authority;  ///< the Host that the service sees
  FieldEdits fields;
  std::string_view hidden_cookie = {};  ///< its name: the service does not see it
};

/// Appends the request's head as HTTP/1.1 for the service. Hop-by-hop fields (RFC 9110 §7.6.1: Connection and all it
/// names, Keep-Alive, Proxy-Connection, TE but for "trailers", Trailer is kept, Transfer-Encoding, Upgrade) are
/// removed; framing is written anew from head.framing, Expect from head.expect_continue; an Upgrade that head.upgrade
/// names is passed on with "Connection: Upgrade". Host is head.authority. What is written anew cannot be removed by
/// naming it in Connection. "_" in a field's name counts as "-" here, because services that turn fields into variables
/// cannot tell them apart.
///
/// X-Forwarded-For, -Proto, -Host, -Port, Forwarded (RFC 7239) and X-Request-Id say what `origin` says, and every other
/// X-Forwarded-* and X-Real-IP is removed. From a trusted peer X-Forwarded-For and Forwarded are continued instead, and
/// the others are kept where the peer has sent them. Via (RFC 9110 §7.6.3) is continued from anybody.
void write_request_head(base::Buffer& out, const RequestHead& head, const Origin& origin,
                        const RequestEdits& edits = {});

/// Towards the visitor.
struct ResponseRules {
  int visitor_version = 11;         ///< 10 or 11
  bool close = false;               ///< write "Connection: close"
  Framing framing = Framing::none;  ///< how the body is framed towards the visitor, see response_framing
  FieldEdits edits = {};            ///< not of interim answers but 101
};

/// The framing towards the visitor: as received, but until_close becomes chunked for HTTP/1.1, and chunked becomes
/// until_close for HTTP/1.0.
Framing response_framing(const ResponseHead& head, int visitor_version);

/// Appends the answer's head without its hop-by-hop fields, framed as `rules` say; Framing::until_close implies
/// `close`, and HTTP/1.0 visitors are told of a connection that stays open. For 101 the Upgrade field is kept and
/// "Connection: Upgrade" written. A Content-Length on an answer without body (HEAD, 304) is kept.
void write_response_head(base::Buffer& out, const ResponseHead& head, const ResponseRules& rules);

/// Appends `bytes` as one chunk (RFC 9112 §7.1); nothing when empty, since that would end the body.
void write_chunk(base::Buffer& out, std::span<const char> bytes);
/// Appends the last chunk and the trailers, if any, without those a trailer must not carry (RFC 9110 §6.5.1).
void write_last_chunk(base::Buffer& out, const FieldList* trailers);

/// "Not Found" for 404; "Unknown" for a code that is not registered.
std::string_view reason_phrase(int status);

}  // namespace adit::http
