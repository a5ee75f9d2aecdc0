#include "connector/doctor_report.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace adit::connector::test {
namespace {

using testing::HasSubstr;

void tell(DoctorReport& report) {
  report.begin("gateway edge.test:7443");
  report.add({"name", Finding::ok, "192.0.2.1", std::chrono::microseconds(1500)});
  report.add({"connection", Finding::failed, "nobody \xff listens", {}, "connection_refused", "Do this."});
  report.add({"TLS", Finding::skipped, "because"});
  report.end(false, "no link can be had");
  report.begin("service web");
  report.add({"connection", Finding::ok, "connected"});
  report.end(true);
}

TEST(DoctorReport, IsTextLineByLine) {
  std::ostringstream out;
  DoctorReport report(out, false);
  tell(report);
  EXPECT_EQ(report.finish(), 1);
  for (const char* line : {"gateway edge.test:7443\n", "  name            ok           1.5 ms  192.0.2.1\n",
                           "  connection      failed               nobody \xff listens\n", "fix: Do this.\n",
                           "  TLS             skipped              because\n", "=> failed: no link can be had\n",
                           "service web\n", "  => ok\n", "not all right: gateway edge.test:7443\n"}) {
    EXPECT_THAT(out.str(), HasSubstr(line));
  }
}

TEST(DoctorReport, IsOneJsonDocument) {
  std::ostringstream out;
  DoctorReport report(out, true);
  tell(report);
  EXPECT_EQ(out.str(), "") << "nothing but the document";
  EXPECT_EQ(report.finish(), 1);
  const auto json = nlohmann::json::parse(out.str());
  EXPECT_EQ(json["ok"], false);
  const auto& gateway = json["subjects"][0];
  EXPECT_EQ(gateway["name"], "gateway edge.test:7443");
  EXPECT_EQ(gateway["ok"], false);
  EXPECT_EQ(gateway["verdict"], "no link can be had");
  EXPECT_EQ(gateway["steps"][0]["result"], "ok");
  EXPECT_DOUBLE_EQ(gateway["steps"][0]["milliseconds"].get<double>(), 1.5);
  EXPECT_EQ(gateway["steps"][1]["cause"], "connection_refused");
  EXPECT_EQ(gateway["steps"][1]["fix"], "Do this.");
  EXPECT_EQ(gateway["steps"][2]["result"], "skipped");
  EXPECT_EQ(json["subjects"][1]["ok"], true);
}

TEST(DoctorReport, EndsWithNullWhenAllIsRight) {
  std::ostringstream out;
  DoctorReport report(out, false);
  report.begin("settings");
  report.end(true);
  EXPECT_EQ(report.finish(), 0);
  EXPECT_THAT(out.str(), HasSubstr("everything is all right"));
}

}  // namespace
}  // namespace adit::connector::test
