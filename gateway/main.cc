#include <iostream>

#include <unistd.h>

#include "gateway/options.h"
#include "gateway/server.h"
#include "net/openssl_memory.h"
#include "telemetry/health_check.h"

int main(int argc, char** argv) {
  if (const auto code = adit::telemetry::health_check_command(argc, argv)) return *code;
  adit::net::recycle_openssl_memory();
  adit::gateway::Options options;
  const auto outcome = adit::gateway::parse_options(options, argc, argv, environ);
  if (!outcome.run()) {
    (*outcome.exit_code == 0 ? std::cout : std::cerr) << outcome.text;
    return *outcome.exit_code;
  }
  adit::base::log::init("adit-gateway", adit::base::log::parse_level(options.log_level), options.insecure);
  for (const auto& warning : outcome.warnings) adit::base::log::warning(warning);
  return options.check ? adit::gateway::check(options) : adit::gateway::serve(options);
}
