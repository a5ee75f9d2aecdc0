#pragma once
// What a connector offers: names and the local services behind them. Nothing else can be dialled.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/address.h"
#include "net/tls_context.h"

namespace adit::connector {

/// How a service of an https:// URL is verified.
struct ServiceTls {
  std::string ca_file;      ///< trusted instead of the system's roots when not empty
  std::string server_name;  ///< what the certificate must be for; the URL's host if not given
  bool insecure_skip_verify = false;
};

/// One offered service.
struct Service {
  std::string name;
  std::string url;  ///< as the user wrote it, for the status page
  net::Target target;
  std::optional<ServiceTls> tls;  ///< absent: plain bytes
  net::TlsContext context;        ///< filled by load_trust when `tls` is there
};

/// Reads "NAME=URL", or a URL alone for the service "default". URLs: http://HOST[:PORT], https://HOST[:PORT],
/// tcp://HOST:PORT, unix:///PATH. An https:// URL may end with "?caFile=PATH", "insecureSkipVerify=true" and
/// "serverName=NAME", joined by "&"; their values are taken as they stand. The error names what is wrong with the URL.
base::Result<Service> parse_service(std::string_view text);

/// The services of a connector by name. Immutable once the program runs, so any thread may read it.
class ServiceMap {
 public:
  /// Refuses a name that is taken.
  base::Result<void> add(Service service);
  /// Reads the CA files and makes the TLS settings of https:// services.
  base::Result<void> load_trust();

  /// nullptr when no service of that name is offered.
  const Service* find(std::string_view name) const;
  std::size_t index_of(const Service& service) const { return static_cast<std::size_t>(&service - services_.data()); }
  const std::vector<Service>& services() const { return services_; }

 private:
  std::vector<Service> services_;  // a handful: looking through them is the fastest map
};

/// The bytes of a small file, or why it can't be read.
base::Result<std::string> read_small_file(const std::string& path);

}  // namespace adit::connector
