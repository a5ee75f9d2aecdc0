#pragma once
// Certificates made for a test.

#include <string>

namespace adit::net::test {

struct Issued {
  std::string chain_pem;
  std::string key_pem;
};

/// A self-signed authority that issues server certificates; valid for a day from an hour ago.
class Authority {
 public:
  Authority();
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  const std::string& pem() const { return pem_; }
  /// `names` as OpenSSL writes them: "DNS:localhost,IP:127.0.0.1". `days`: negative for one that has expired.
  Issued issue(const std::string& names, int days = 1) const;

 private:
  struct Pair;
  Pair* pair_;
  std::string pem_;
};

}  // namespace adit::net::test
