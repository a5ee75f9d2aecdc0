#include <csignal>
#include <iostream>

#include <unistd.h>

#include "base/log.h"
#include "connector/doctor.h"
#include "connector/options.h"
#include "connector/server.h"
#include "net/openssl_memory.h"
#include "telemetry/health_check.h"

int main(int argc, char** argv) {
  using namespace adit;
  if (const auto code = telemetry::health_check_command(argc, argv)) return *code;
  net::recycle_openssl_memory();
  auto parsed = connector::parse_options(argc, argv, environ);
  if (!parsed.outcome.run()) {
    (*parsed.outcome.exit_code == 0 ? std::cout : std::cerr) << parsed.outcome.text;
    return *parsed.outcome.exit_code;
  }
  // The doctor tells its findings itself.
  const auto level = parsed.options.doctor ? base::log::Level::warning : parsed.options.log_level;
  base::log::init("adit-connector", level, parsed.options.insecure);
  for (const auto& warning : parsed.outcome.warnings) base::log::warning(warning);
  std::signal(SIGPIPE, SIG_IGN);  // a write to a closed connection is an error like any other
  std::signal(SIGHUP, SIG_IGN);   // files are read again without being asked

  if (parsed.options.doctor) return connector::Doctor(parsed.options, std::cout).run();
  connector::Server server(std::move(parsed.options));
  if (auto opened = server.open(); !opened) {
    base::log::error("can't start", {{"reason", opened.error()}});
    return 1;
  }
  return server.run();
}
