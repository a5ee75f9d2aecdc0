#include "connector/doctor_report.h"

#include <algorithm>
#include <array>
#include <ostream>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace adit::connector {
namespace {

std::string_view name_of(Finding finding) {
  static constexpr std::array<std::string_view, 3> kNames = {"ok", "failed", "skipped"};
  return kNames[static_cast<std::size_t>(finding)];
}

double milliseconds(base::Duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

std::string line_of(const Check& check) {
  const auto took = check.took.count() == 0 ? std::string() : fmt::format("{:.1f} ms", milliseconds(check.took));
  auto line = fmt::format("  {:<15} {:<8} {:>10}  {}", check.step, name_of(check.finding), took, check.detail);
  line.erase(line.find_last_not_of(' ') + 1);
  if (!check.fix.empty()) line += fmt::format("\n  {:<15} fix: {}", "", check.fix);
  return line + "\n";
}

}  // namespace

void DoctorReport::begin(std::string name) {
  if (!json_) out_ << name << "\n" << std::flush;
  subjects_.push_back({std::move(name), {}});
}

void DoctorReport::add(Check check) {
  // Whoever waits for a step that hangs shall see which one is under way.
  if (!json_) out_ << line_of(check) << std::flush;
  subjects_.back().checks.push_back(std::move(check));
}

void DoctorReport::end(bool ok, std::string why) {
  auto& subject = subjects_.back();
  subject.ok = ok;
  subject.verdict = std::move(why);
  if (json_) return;
  out_ << "  => " << (ok ? "ok" : "failed");
  if (!subject.verdict.empty()) out_ << ": " << subject.verdict;
  out_ << "\n\n" << std::flush;
}

int DoctorReport::finish() {
  const auto failed = std::count_if(subjects_.begin(), subjects_.end(), [](const auto& one) { return !one.ok; });
  if (json_) {
    out_ << json();
  } else if (failed == 0) {
    out_ << "everything is all right\n";
  } else {
    out_ << "not all right:";
    const char* separator = " ";
    for (const auto& subject : subjects_) {
      if (!subject.ok) out_ << std::exchange(separator, ", ") << subject.name;
    }
    out_ << "\n";
  }
  return failed == 0 ? 0 : 1;
}

std::string DoctorReport::json() const {
  using Json = nlohmann::ordered_json;
  Json subjects = Json::array();
  bool all = true;
  for (const auto& subject : subjects_) {
    all = all && subject.ok;
    Json steps = Json::array();
    for (const auto& check : subject.checks) {
      Json step{{"step", check.step}, {"result", name_of(check.finding)}, {"detail", check.detail}};
      step["milliseconds"] = milliseconds(check.took);
      if (!check.cause.empty()) step["cause"] = check.cause;
      if (!check.fix.empty()) step["fix"] = check.fix;
      steps.push_back(std::move(step));
    }
    subjects.push_back({{"name", subject.name}, {"ok", subject.ok}, {"verdict", subject.verdict}, {"steps", steps}});
  }
  // Reasons and names of others may not be UTF-8.
  const Json whole{{"ok", all}, {"subjects", std::move(subjects)}};
  return whole.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace adit::connector
