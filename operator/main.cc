#include <iostream>

#include <unistd.h>

#include "base/log.h"
#include "operator/options.h"
#include "operator/server.h"
#include "telemetry/health_check.h"

int main(int argc, char** argv) {
  if (const auto code = adit::telemetry::health_check_command(argc, argv)) return *code;
  adit::controller::Options options;
  const auto outcome = adit::controller::parse_options(options, argc, argv, environ);
  if (!outcome.run()) {
    (*outcome.exit_code == 0 ? std::cout : std::cerr) << outcome.text;
    return *outcome.exit_code;
  }
  adit::base::log::init("adit-operator", adit::base::log::parse_level(options.log_level), false);
  for (const auto& warning : outcome.warnings) adit::base::log::warning(warning);
  return adit::controller::serve(options);
}
