#include "connector/identity.h"

#include "base/random.h"
#include "base/text.h"

namespace adit::connector {

Identity new_identity(std::string_view tunnel, std::string_view name) {
  base::Random random;
  const auto instance = base::random_id(random);
  return {base::lower_case(tunnel), std::string(name), std::string(instance.data(), instance.size())};
}

}  // namespace adit::connector
