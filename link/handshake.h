#pragma once
// The opening of a link: one HTTP/1.1 request and its answer, with "Upgrade: adit-link/1" or as a WebSocket handshake
// (docs/link.md). Sans-io.

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/buffer.h"
#include "base/random.h"
#include "base/result.h"
#include "http/message.h"
#include "http/parser.h"

namespace adit::link {

inline constexpr std::string_view kLinkPath = "/.well-known/adit/link";
inline constexpr std::string_view kUpgradeToken = "adit-link/1";
inline constexpr std::string_view kSubprotocol = "adit-link.v1";  ///< Sec-WebSocket-Protocol

/// How a link begins, and so what its bytes travel in.
enum class Transport : std::uint8_t {
  upgrade,    ///< bare bytes after 101
  websocket,  ///< the payload of binary messages (RFC 6455): what any L7 proxy lets through
};
inline constexpr std::string_view name_of(Transport transport) {
  return transport == Transport::upgrade ? "upgrade" : "websocket";
}

/// What a connector says of itself.
struct Hello {
  std::string token;      ///< never logged
  std::string tunnel_id;  ///< UUID; empty: the one tunnel that has this token
  std::string connector;  ///< name, the same for all replicas of one Deployment
  std::string instance;   ///< unique per process
  std::string version;    ///< of the program
  /// Which of the instance's links this is: a new one with the same number puts one that the gateway still believes
  /// alive in doubt. Absent: it replaces none.
  std::optional<std::uint32_t> slot = {};
};

/// How a Hello is sent.
struct HelloForm {
  std::string_view host;         ///< the gateway's name, with its port unless that is the default
  std::string_view prefix = {};  ///< "/edge" or nothing: goes before kLinkPath
  Transport transport = Transport::upgrade;
  std::string_view key = {};  ///< Sec-WebSocket-Key, for websocket; from new_web_socket_key()
};

/// A plain HTTP answer instead of 101.
struct Refusal {
  int status = 400;                     ///< 400, 401, 403, 404, 409, 426, 429, 503
  std::string reason;                   ///< one sentence for the connector's user
  std::chrono::seconds retry_after{0};  ///< written when not 0
  /// Filled by WelcomeReader: the answer is a gateway's own and not one of a proxy on the way.
  bool by_gateway = false;
  /// The answer's Date: written when it is there; filled by WelcomeReader, for a suspicion of clock skew.
  std::optional<std::chrono::system_clock::time_point> date = {};
};

/// True when a request asks for a link in any of our forms, that between gateways included; such a request is never forwarded (docs/security.md).
bool asks_for_link(const http::RequestHead& head);

/// 16 random bytes in base64 (RFC 6455 §4.1).
std::string new_web_socket_key(base::Random& random);
/// Appends the connector's request.
void write_hello(base::Buffer& out, const Hello& hello, const HelloForm& form);
/// Appends "101 Switching Protocols" with the gateway's id; `key` is the hello's Sec-WebSocket-Key, empty for upgrade.
void write_welcome(base::Buffer& out, std::string_view gateway_id, std::string_view key = {});
/// Appends a refusal as application/problem+json (RFC 9457) with Connection: close and the gateway's id.
void write_refusal(base::Buffer& out, const Refusal& refusal, std::string_view gateway_id);

/// The gateway's side: takes bytes until the request's head is complete.
class HelloReader {
 public:
  struct Outcome {
    std::size_t consumed = 0;    ///< bytes of the head; what follows belongs to the session
    std::optional<Hello> hello;  ///< the request is well-formed; credentials are not checked yet
    Transport transport = Transport::upgrade;
    std::string key;                 ///< Sec-WebSocket-Key, for websocket
    std::optional<Refusal> refusal;  ///< answer with this and close
  };                                 ///< neither: more bytes are needed
  /// `bytes` are all so far, the head at their start.
  Outcome read(std::span<const char> bytes);

 private:
  http::RequestParser parser_{http::HeadLimits{std::size_t{16} * 1024, 1024}};
};

/// The same for a head that another parser has read, as on the listeners of visitors. `consumed` stays 0.
HelloReader::Outcome check_hello(const http::RequestHead& head);

/// The connector's side.
class WelcomeReader {
 public:
  /// `key` is what the hello's form gave.
  explicit WelcomeReader(Transport transport = Transport::upgrade, std::string_view key = {});
  /// Of another protocol whose answers have the same form, such as kPeerUpgradeToken; it must outlive the reader.
  explicit WelcomeReader(std::string_view upgrade_token);

  struct Outcome {
    std::size_t consumed = 0;
    std::optional<std::string> gateway_id;  ///< 101: the link stands
    std::optional<Refusal> refusal;         ///< a plain answer, with the reason that its problem+json or status gives
    std::string broken;                     ///< the answer is not one that a gateway gives; why
  };
  /// `bytes` are all so far, the head at their start.
  Outcome read(std::span<const char> bytes);

 private:
  class Body;
  void read_welcome(const http::ResponseHead& head, Outcome& outcome) const;
  void begin_refusal(const http::ResponseHead& head, std::size_t head_size);
  Outcome read_problem(std::span<const char> bytes);

  http::ResponseParser parser_{http::HeadLimits{std::size_t{16} * 1024, 1024}};
  Transport transport_;
  std::string_view upgrade_token_ = kUpgradeToken;
  std::string accept_;              // Sec-WebSocket-Accept that a gateway gives
  std::optional<Refusal> refusal_;  // its head is read
  bool body_ends_ = false;          // nothing more is to be read
  std::size_t read_ = 0;            // bytes of head and body so far
  std::string problem_;
};

}  // namespace adit::link
