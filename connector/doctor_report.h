#pragma once
// What the doctor found, as text while it goes on or as one JSON document at the end.

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "connector/cause.h"

namespace adit::connector {

enum class Finding : std::uint8_t { ok, failed, skipped };

/// One step that was looked into.
struct Check {
  std::string step;  ///< "token file", "name", "TLS", …
  Finding finding = Finding::ok;
  std::string detail;      ///< how it went, or why it was skipped
  base::Duration took{0};  ///< 0 for what needs no time
  std::string cause = {};  ///< of a failure: the name of its Cause, or empty
  std::string fix = {};    ///< of a failure: one sentence
};

/// One gateway or service, or the settings, with its steps.
struct Subject {
  std::string name;  ///< "gateway edge.test:7443"
  std::vector<Check> checks;
  bool ok = true;
  std::string verdict = {};
};

class DoctorReport {
 public:
  /// With `json` nothing is written before finish(). `out` is borrowed.
  DoctorReport(std::ostream& out, bool json) : out_(out), json_(json) {}

  /// What follows is about `name`.
  void begin(std::string name);
  void add(Check check);
  /// The verdict on the subject; `why` may be empty.
  void end(bool ok, std::string why = {});
  /// Writes the whole verdict; returns the exit code: 0 when every subject is all right, else 1.
  int finish();

 private:
  std::string json() const;

  std::ostream& out_;
  const bool json_;
  std::vector<Subject> subjects_;
};

}  // namespace adit::connector
