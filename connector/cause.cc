#include "connector/cause.h"

#include <array>

namespace adit::connector {
namespace {

constexpr std::array<CauseInfo, kCauseCount> kCauses{{
    {Cause::token_file, "token_file", "the token file can't be used",
     "Put the tunnel's connector token into the file that --token-file names, readable by this program."},
    {Cause::ca_file, "ca_file", "the CA file can't be used",
     "Put the PEM certificate of the gateway's CA into the file that --ca-file names, or leave that out if a public CA "
     "issued the gateway's certificate."},
    {Cause::proxy_credentials_file, "proxy_credentials_file", "the proxy's credentials can't be used",
     "Write USER:PASSWORD as the one line of the file that --proxy-credentials-file names."},
    {Cause::name_not_found, "name_not_found", "the name was not found",
     "Check the spelling, and that the name has an A or AAAA record that the name server of this machine knows."},
    {Cause::resolver_failed, "resolver_failed", "the name server gave no answer that counts",
     "Check the name server of this machine (/etc/resolv.conf), or in a cluster its DNS and the network policies."},
    {Cause::resolve_timeout, "resolve_timeout", "the name server did not answer in time",
     "Check the name server of this machine (/etc/resolv.conf), or in a cluster its DNS and the network policies."},
    {Cause::connection_refused, "connection_refused", "nobody listens there",
     "Check the port, and that the gateway runs and listens on it for links (--link)."},
    {Cause::unreachable, "unreachable", "the address can't be reached from here",
     "Check the route, the firewall and the network policies between this machine and the gateway."},
    {Cause::connect_timeout, "connect_timeout", "the address did not answer in time",
     "A firewall probably drops the packets: open the port for outgoing connections, use a gateway on port 443, or "
     "dial "
     "through the site's proxy (--proxy)."},
    {Cause::proxy_unreachable, "proxy_unreachable", "the proxy can't be reached",
     "Check host and port of the proxy, or switch it off with --proxy off or NO_PROXY."},
    {Cause::proxy_timeout, "proxy_timeout", "the proxy did not answer in time",
     "The proxy probably can't reach the gateway: try port 443, or ask who runs the proxy to let this gateway "
     "through."},
    {Cause::proxy_authentication, "proxy_authentication", "the proxy wants other credentials",
     "Give USER:PASSWORD for the proxy in --proxy-credentials-file; only the scheme Basic is spoken."},
    {Cause::proxy_refused, "proxy_refused", "the proxy refused the way to the gateway",
     "Many proxies let CONNECT through to port 443 only: use a gateway on port 443, or ask who runs the proxy to let "
     "this "
     "host and port through."},
    {Cause::proxy_failed, "proxy_failed", "the proxy could not reach the gateway",
     "Check that the gateway's name and port can be reached from the proxy, whose name server is the one that counts."},
    {Cause::not_a_proxy, "not_a_proxy", "what is called the proxy does not answer as one",
     "Check host and port of the proxy; it must be an HTTP proxy that knows CONNECT."},
    {Cause::tls_timeout, "tls_timeout", "the TLS handshake did not end in time",
     "Check that the port speaks TLS; if it does, a firewall on the way may hold back TLS: try port 443 or a proxy."},
    {Cause::tls_closed, "tls_closed", "the connection was closed during the TLS handshake",
     "A firewall or load balancer on the way probably ends what it does not know: check the port, or try port 443 or a "
     "proxy."},
    {Cause::not_tls, "not_tls", "what answers does not speak TLS",
     "Check the port: it is not that of a gateway's links, or the gateway runs with --insecure and this program does "
     "not."},
    {Cause::tls_version, "tls_version", "there is no version of TLS that both sides speak",
     "Links need TLS 1.3: let the load balancer or proxy that ends TLS before the gateway speak it."},
    {Cause::name_not_served, "name_not_served", "the gateway has no certificate for the name that was dialled",
     "Dial the gateway by the name that it has as --link-host."},
    {Cause::tls_alert, "tls_alert", "the other side broke the TLS handshake off",
     "Look into the log of what ends TLS at that address: the gateway, or a load balancer before it."},
    {Cause::tls_broken, "tls_broken", "the TLS handshake went wrong",
     "Check that nothing on the way changes the bytes, such as a firewall that inspects TLS."},
    {Cause::certificate_unknown_authority, "certificate_unknown_authority",
     "the certificate is signed by a CA that is not trusted here",
     "Give the gateway's CA with --ca-file (of a tunnel's connector Secret: ca.crt); if the issuer is a firewall of "
     "your "
     "site that inspects TLS, have the gateway excepted or trust the firewall's CA."},
    {Cause::certificate_self_signed, "certificate_self_signed", "the certificate is self-signed and not trusted here",
     "Give that certificate with --ca-file if it is the gateway's, or give the gateway one that a CA has signed."},
    {Cause::certificate_expired, "certificate_expired", "the certificate has expired, or the clock here is wrong",
     "Renew the gateway's certificate; if its validity looks right, set the clock of this machine."},
    {Cause::certificate_not_yet_valid, "certificate_not_yet_valid",
     "the certificate is not valid yet, or the clock here is wrong",
     "Set the clock of this machine; if it is right, the gateway's certificate was made by a machine whose clock is "
     "not."},
    {Cause::certificate_wrong_name, "certificate_wrong_name",
     "the certificate is for another name than the one dialled",
     "Dial the gateway by one of the names of its certificate, or have that made for the name that is dialled."},
    {Cause::certificate_invalid, "certificate_invalid", "the certificate was refused",
     "Have the gateway's certificate made anew by the CA."},
    {Cause::clock_skew, "clock_skew", "the clock here is probably wrong, so the certificate looks out of its time",
     "Set the clock of this machine (NTP)."},
    {Cause::handshake_timeout, "handshake_timeout", "nothing answered the request for a link in time",
     "Check that the address is a gateway's; something on the way may hold the answer back: try --transport "
     "websocket."},
    {Cause::handshake_closed, "handshake_closed", "the connection was closed before an answer",
     "Check that the address is a gateway's; something on the way may refuse upgrades: try --transport websocket."},
    {Cause::not_a_gateway, "not_a_gateway", "something answers there, but it is not a gateway",
     "Check host, port and path: behind a proxy the path PREFIX/.well-known/adit/link must lead to the gateway's link "
     "port, with Upgrade passed on."},
    {Cause::token_refused, "token_refused", "the gateway refused the token",
     "Check that the token file holds the current connector token of this tunnel, and that --tunnel is the tunnel's "
     "id."},
    {Cause::forbidden, "forbidden", "the gateway does not admit this connector",
     "Ask who runs the gateway; its reason stands before."},
    {Cause::conflict, "conflict", "the gateway has a conflict with this connector",
     "If several tunnels have this token, name one with --tunnel; if there are too many links, use fewer (--links)."},
    {Cause::version_refused, "version_refused", "gateway and connector speak no common version of links",
     "Bring connector and gateway to versions that belong together; a proxy that takes Upgrade away looks alike: try "
     "--transport websocket."},
    {Cause::too_many_attempts, "too_many_attempts", "the gateway asks for fewer attempts",
     "Correct the token if it was refused before, and wait; many connectors behind one address share the limit."},
    {Cause::not_ready, "not_ready", "the gateway can't take links now",
     "Wait: it is dialled again; if that lasts, look into the gateway's log and its /readyz."},
    {Cause::gateway_refused, "gateway_refused", "the gateway refused the link",
     "Its reason stands before; connector and gateway may be of versions that don't belong together."},
    {Cause::front_refused, "front_refused", "something before the gateway refused the link",
     "Check the proxy or load balancer before the gateway: it must let the link's path through without a login of its "
     "own."},
    {Cause::front_failed, "front_failed", "something before the gateway could not reach it",
     "Check that the gateway runs, and that the proxy or load balancer before it leads to its link port."},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kCauseCount; ++i) {
    if (static_cast<std::size_t>(kCauses[i].cause) != i) return false;
  }
  return true;
}
static_assert(in_order());

}  // namespace

const CauseInfo& info_of(Cause cause) { return kCauses[static_cast<std::size_t>(cause)]; }

}  // namespace adit::connector
