#include "base/settings.h"

#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace adit::base {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Texts = std::vector<std::string>;

/// A program with an option of each type, and the three sources that a case gives it.
class Program {
 public:
  std::string link_host = "none";
  std::filesystem::path manifests;
  bool insecure = false;
  unsigned workers = 2;
  int offset = 0;
  milliseconds timeout{30'000};
  ListenAddress http{"", 8080, false};
  Texts gateways{"default:443"};
  Texts services;
  std::string log_level = "info";
  std::string custom;

  ParseOutcome parse(const Texts& arguments, const Texts& environment = {}, const std::string& yaml = "") {
    Settings settings("adit-test", "Tests settings.", "1.2.3");
    describe(settings);
    Texts all{"/usr/bin/adit-test"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    if (!yaml.empty()) all.push_back("--config=" + write(yaml));
    const auto argv = pointers(all);
    return settings.parse(static_cast<int>(all.size()), argv.data(), pointers(environment).data());
  }

  /// The file of the present test; its directory is not what cases are about.
  static std::string path() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    return testing::TempDir() + std::to_string(getpid()) + "settings_" + test->name() + ".yaml";
  }

 private:
  void describe(Settings& settings) {
    settings.group("Listeners");
    settings.add(http, "http", "Where visitors come in");
    settings.add(link_host, "link-host", "Name for connectors");
    settings.group("Others");
    settings.add(manifests, "manifests", "Folder of manifests");
    settings.add(insecure, "insecure", "Allow plaintext links");
    settings.add(workers, "workers", "Threads", {1, 64});
    settings.add(offset, "offset", "Any number");
    settings.add(timeout, "answer-timeout", "Limit", {milliseconds{100}, milliseconds{60'000}});
    settings.add(gateways, "gateway", "Gateways");
    settings.add(services, "service", "Services",
                 {.key = "services", .from_map = name_equals_value, .check = [](std::string_view item) -> Result<void> {
                    if (item.find('=') == std::string_view::npos)
                      return Error{"\"" + std::string(item) + "\" has no ="};
                    return {};
                  }});
    settings.add_choice(log_level, "log-level", "Least level", {"debug", "info"});
    settings.add_custom("custom", "Anything", "THING", "", [this](std::string_view text) -> Result<void> {
      custom = "<" + std::string(text) + ">";
      return {};
    });
  }

  static std::vector<const char*> pointers(const Texts& texts) {
    std::vector<const char*> all;
    for (const auto& text : texts) all.push_back(text.c_str());
    all.push_back(nullptr);
    return all;
  }

  static std::string write(const std::string& yaml) {
    std::ofstream(path()) << yaml;
    return path();
  }
};

TEST(Settings, WithoutSourcesTheDefaultsStay) {
  Program program;
  const auto outcome = program.parse({});
  ASSERT_TRUE(outcome.run()) << outcome.text;
  EXPECT_EQ(program.link_host, "none");
  EXPECT_EQ(program.workers, 2U);
  EXPECT_THAT(program.gateways, ElementsAre("default:443"));
  EXPECT_THAT(outcome.warnings, IsEmpty());
}

TEST(Settings, TheStrongestSourceWins) {
  struct Case {
    Texts arguments;
    Texts environment;
    std::string yaml;
    std::string expected;
  };
  for (const auto& [arguments, environment, yaml, expected] : std::vector<Case>{
           {{"--link-host=flag"}, {"ADIT_LINK_HOST=env"}, "linkHost: file", "flag"},
           {{}, {"ADIT_LINK_HOST=env"}, "linkHost: file", "env"},
           {{}, {}, "linkHost: file", "file"},
           {{"--link-host", "flag"}, {}, "linkHost: file", "flag"},
           {{"--link-host", "flag"}, {"ADIT_LINK_HOST=env"}, "", "flag"},
           {{}, {"ADIT_LINK_HOST="}, "linkHost: file", "file"},
           {{"--link-host", ""}, {"ADIT_LINK_HOST=env"}, "", ""},
       }) {
    Program program;
    const auto outcome = program.parse(arguments, environment, yaml);
    ASSERT_TRUE(outcome.run()) << outcome.text;
    EXPECT_EQ(program.link_host, expected);
  }
}

TEST(Settings, EveryTypeIsReadFromFlags) {
  Program program;
  const auto outcome = program.parse({"--http", "[::1]:80", "--manifests", "/etc/adit", "--insecure", "--workers", "8",
                                      "--offset=-3", "--answer-timeout", "250ms", "--gateway", "a:1", "--gateway=b:2",
                                      "--service", "api=http://a,b", "--log-level", "debug", "--custom", "x y"});
  ASSERT_TRUE(outcome.run()) << outcome.text;
  EXPECT_EQ(program.http, (ListenAddress{"::1", 80, false}));
  EXPECT_EQ(program.manifests, "/etc/adit");
  EXPECT_TRUE(program.insecure);
  EXPECT_EQ(program.workers, 8U);
  EXPECT_EQ(program.offset, -3);
  EXPECT_EQ(program.timeout, milliseconds{250});
  EXPECT_THAT(program.gateways, ElementsAre("a:1", "b:2"));
  EXPECT_THAT(program.services, ElementsAre("api=http://a,b"));
  EXPECT_EQ(program.log_level, "debug");
  EXPECT_EQ(program.custom, "<x y>");
}

TEST(Settings, EveryTypeIsReadFromTheEnvironment) {
  Program program;
  const auto outcome = program.parse(
      {}, {"HOME=/root", "ADIT_HTTP=off", "ADIT_MANIFESTS=/m", "ADIT_INSECURE=true", "ADIT_WORKERS=3", "ADIT_OFFSET=-1",
           "ADIT_ANSWER_TIMEOUT=1m", "ADIT_GATEWAY=a:1, b:2,", "ADIT_SERVICE=x=1,y=2", "ADIT_CUSTOM=a=b"});
  ASSERT_TRUE(outcome.run()) << outcome.text;
  EXPECT_TRUE(program.http.off);
  EXPECT_EQ(program.manifests, "/m");
  EXPECT_TRUE(program.insecure);
  EXPECT_EQ(program.workers, 3U);
  EXPECT_EQ(program.offset, -1);
  EXPECT_EQ(program.timeout, milliseconds{60'000});
  EXPECT_THAT(program.gateways, ElementsAre("a:1", "b:2"));
  EXPECT_THAT(program.services, ElementsAre("x=1", "y=2"));
  EXPECT_EQ(program.custom, "<a=b>");
  EXPECT_THAT(outcome.warnings, IsEmpty());
}

TEST(Settings, EveryTypeIsReadFromTheFile) {
  Program program;
  const auto outcome = program.parse({}, {}, R"(# comment
http: "127.0.0.1:0"
manifests: /m
insecure: true
workers: 5
answerTimeout: 30s
gateway:
- a:1
- "b:2"
services: {api: "http://h:1", web: unix:///s}
logLevel: debug
custom: 7
)");
  ASSERT_TRUE(outcome.run()) << outcome.text;
  EXPECT_EQ(program.http, (ListenAddress{"127.0.0.1", 0, false}));
  EXPECT_TRUE(program.insecure);
  EXPECT_EQ(program.workers, 5U);
  EXPECT_EQ(program.timeout, milliseconds{30'000});
  EXPECT_THAT(program.gateways, ElementsAre("a:1", "b:2"));
  EXPECT_THAT(program.services, ElementsAre("api=http://h:1", "web=unix:///s"));
  EXPECT_EQ(program.log_level, "debug");
  EXPECT_EQ(program.custom, "<7>");
}

TEST(Settings, AStrongerSourceReplacesAListWhole) {
  Program program;
  ASSERT_TRUE(program.parse({"--gateway=flag:1"}, {"ADIT_GATEWAY=env:1,env:2"}, "gateway: [file:1, file:2]").run());
  EXPECT_THAT(program.gateways, ElementsAre("flag:1"));
}

TEST(Settings, AListMayBeOneTextOrEmpty) {
  Program program;
  ASSERT_TRUE(program.parse({}, {}, "gateway: one:1\nservices: []\n").run());
  EXPECT_THAT(program.gateways, ElementsAre("one:1"));
  ASSERT_TRUE(program.parse({}, {}, "gateway: []").run());
  EXPECT_THAT(program.gateways, IsEmpty());
}

TEST(Settings, AFlagCanBeTurnedOffAgain) {
  for (const auto& argument : {"--insecure=false"}) {
    Program program;
    ASSERT_TRUE(program.parse({argument}, {"ADIT_INSECURE=true"}).run());
    EXPECT_FALSE(program.insecure);
  }
}

TEST(Settings, AnEmptyFileSetsNothing) {
  for (const auto* yaml : {"\n", "# only a comment\n", "---\n", "{}\n"}) {
    Program program;
    const auto outcome = program.parse({}, {}, yaml);
    EXPECT_TRUE(outcome.run()) << outcome.text;
  }
}

TEST(Settings, TheEnvironmentCanNameTheFile) {
  Program program;
  std::ofstream(Program::path()) << "linkHost: file\n";
  ASSERT_TRUE(program.parse({}, {"ADIT_CONFIG=" + Program::path()}).run());
  EXPECT_EQ(program.link_host, "file");
}

TEST(Settings, WrongFlagsAreNamedWithTheReason) {
  struct Case {
    Texts arguments;
    std::string message;
  };
  for (const auto& [arguments, message] : std::vector<Case>{
           {{"--workers=0"}, R"(adit-test: --workers: "0" is not a whole number from 1 to 64)"},
           {{"--workers=65"}, R"("65" is not a whole number from 1 to 64)"},
           {{"--workers=-1"}, R"("-1" is not a whole number from 1 to 64)"},
           {{"--workers=two"}, R"("two" is not a whole number)"},
           {{"--workers=2x"}, R"("2x" is not a whole number)"},
           {{"--workers", ""}, R"("" is not a whole number)"},
           {{"--workers=99999999999999999999"}, "is not a whole number"},
           {{"--workers"}, "--workers: 1 required NUMBER missing"},
           {{"--workers="}, "--workers: 1 required NUMBER missing"},
           {{"--workers=1", "--workers=2"}, "--workers: given 2 times; give it once"},
           {{"--offset=3000000000"}, "from -2147483648 to 2147483647"},
           {{"--answer-timeout=30"}, R"(--answer-timeout: "30" is not a duration)"},
           {{"--answer-timeout=99ms"}, R"("99ms" is not from 100ms to 1m)"},
           {{"--answer-timeout=2m"}, R"("2m" is not from 100ms to 1m)"},
           {{"--http=8080"}, R"(--http: "8080" has no port)"},
           {{"--insecure=maybe"}, R"(--insecure: "maybe" is neither true nor false)"},
           {{"--log-level=loud"}, R"(--log-level: "loud" is none of debug, info)"},
           {{"--service=api"}, R"(--service: "api" has no =)"},
           {{"--gateway", ""}, "--gateway: an item is empty"},
           {{"--manifests", ""}, "--manifests: the path is empty"},
           {{"--config=/nowhere/x.yaml"}, "/nowhere/x.yaml: cannot be read: No such file or directory"},
           {{"--config=/"}, "/: cannot be read: Is a directory"},
           {{"--config", ""}, "--config: the path is empty"},
           {{"--worker=1"}, "--worker is not an option (did you mean --workers?)"},
           {{"--linkhost", "x"}, "--linkhost is not an option (did you mean --link-host?)"},
           {{"--token=secret"}, "--token is not an option\n"},
           {{"-x"}, "-x is not an option"},
           {{"stray"}, R"("stray" is unexpected)"},
           {{"--insecure", "true"}, R"("true" is unexpected)"},
       }) {
    Program program;
    const auto outcome = program.parse(arguments);
    ASSERT_FALSE(outcome.run()) << testing::PrintToString(arguments);
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_THAT(outcome.text, HasSubstr(message));
    EXPECT_THAT(outcome.text, HasSubstr("Try: adit-test --help\n"));
  }
}

TEST(Settings, TheValueOfAnUnknownFlagIsNotShown) {
  Program program;
  EXPECT_THAT(program.parse({"--token=hunter2"}).text, Not(HasSubstr("hunter2")));
  EXPECT_THAT(program.parse({"--token", "hunter2"}).text, Not(HasSubstr("hunter2")));
}

TEST(Settings, WrongVariablesAreNamedWithTheReason) {
  struct Case {
    std::string variable;
    std::string message;
  };
  for (const auto& [variable, message] : std::vector<Case>{
           {"ADIT_WORKERS=many", R"(adit-test: ADIT_WORKERS: "many" is not a whole number from 1 to 64)"},
           {"ADIT_INSECURE=1", R"(ADIT_INSECURE: "1" is neither true nor false)"},
           {"ADIT_HTTP=:http", "ADIT_HTTP: "},
           {"ADIT_SERVICE=a=1,b", R"(ADIT_SERVICE: "b" has no =)"},
       }) {
    Program program;
    // Also when a flag would win: a wrong setting is a trap for whoever removes the flag.
    const auto outcome = program.parse({"--workers=1", "--insecure", "--http=:1", "--service=a=b"}, {variable});
    ASSERT_FALSE(outcome.run()) << variable;
    EXPECT_THAT(outcome.text, HasSubstr(message));
  }
}

TEST(Settings, UnknownVariablesAreWarningsUnlessKubernetesMadeThem) {
  Program program;
  const auto outcome =
      program.parse({}, {"ADIT_LINKHOST=x", "ADIT_OTHER_PROGRAM=1", "ADITX=1", "ADIT_GATEWAY_SERVICE_HOST=10.0.0.1",
                         "ADIT_GATEWAY_SERVICE_PORT_HTTPS=443", "ADIT_GATEWAY_PORT=tcp://10.0.0.1:443",
                         "ADIT_GATEWAY_PORT_443_TCP_ADDR=10.0.0.1", "ADIT_BROKEN"});
  ASSERT_TRUE(outcome.run()) << outcome.text;
  EXPECT_THAT(outcome.warnings,
              ElementsAre("ADIT_LINKHOST is not a setting of adit-test (did you mean ADIT_LINK_HOST?)",
                          "ADIT_OTHER_PROGRAM is not a setting of adit-test"));
  EXPECT_THAT(program.gateways, ElementsAre("default:443"));
}

TEST(Settings, WrongFilesAreNamedWithLineAndReason) {
  struct Case {
    std::string yaml;
    std::string message;  // after the file's name
  };
  for (const auto& [yaml, message] : std::vector<Case>{
           {"insecure: true\nworkers: 65\n", ":2: workers: \"65\" is not a whole number from 1 to 64"},
           {"\n\nworkers: 1.5\n", ":3: workers: \"1.5\" is not a whole number"},
           {"workers: [1]\n", ":1: workers: is a list; write one value"},
           {"workers: {a: 1}\n", ":1: workers: is a map; write one value"},
           {"workers:\n", ":1: workers: has no value"},
           {"linkHost: ~\n", ":1: linkHost: has no value"},
           {"insecure: yes\n", ":1: insecure: \"yes\" is neither true nor false"},
           {"answerTimeout: 30\n", ":1: answerTimeout: \"30\" is not a duration"},
           {"http: off\nworker: 3\n", ":2: worker: unknown key (did you mean workers?)"},
           {"link-host: x\n", ":1: link-host: unknown key; its form here is linkHost"},
           {"linkhost: x\n", ":1: linkhost: unknown key (did you mean linkHost?)"},
           {"service: [a=b]\n", ":1: service: unknown key; its form here is services"},
           {"config: x.yaml\n", ":1: config: unknown key"},
           {"workers: 1\nworkers: 2\n", ":2: workers: stands here a second time"},
           {"gateway: {a: 1}\n", ":1: gateway: is a map; write a list"},
           {"gateway:\n- a:1\n- [b]\n", ":3: gateway: an item is not plain text"},
           {"gateway:\n- a:1\n- \"\"\n", ":3: gateway: an item is empty"},
           {"services:\n  a: 1\n  b: {url: x}\n", ":3: services: an item is not plain text"},
           {"services:\n- a=1\n- b\n", ":3: services: \"b\" has no ="},
           {"[a]: 1\n", ":1: a key is not plain text"},
           {"- workers\n", ":1: is not a map of settings"},
           {"workers\n", ":1: is not a map of settings"},
           {"workers: 1\n---\nworkers: 2\n", ": has several YAML documents"},
           {"workers: [1\n", " is not YAML: "},
           {"workers: 1\n bad: : x\n", ":2: is not YAML: "},
           {"workers: *nowhere\n", " is not YAML: "},
       }) {
    Program program;
    const auto outcome = program.parse({}, {}, yaml);
    ASSERT_FALSE(outcome.run()) << yaml;
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_THAT(outcome.text, HasSubstr(message)) << yaml;
    EXPECT_THAT(outcome.text, HasSubstr("adit-test: " + Program::path() + ":")) << yaml;
  }
}

TEST(Settings, AFileLargerThanAnySettingsIsRefused) {
  Program program;
  EXPECT_THAT(program.parse({}, {}, std::string(1024 * 1024 + 1, '#')).text, HasSubstr("is larger than 1 MiB"));
  EXPECT_THAT(program.parse({"--config=/dev/zero"}).text, HasSubstr("is larger than 1 MiB"));
}

TEST(Settings, EveryMistakeIsReportedAtOnce) {
  Program program;
  const auto text = program.parse({"--workers=0", "--nothing"}, {"ADIT_INSECURE=x"}, "offset: a\nhttp: b\n").text;
  for (const auto* part : {"--workers: ", "--nothing is", "ADIT_INSECURE: ", ":1: offset: ", ":2: http: "}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 6);
}

TEST(Settings, HelpNamesEverySourceAndDefault) {
  Program program;
  const auto outcome = program.parse({"--help"});
  EXPECT_EQ(outcome.exit_code, 0);
  for (const auto* part : {"Tests settings.", "Listeners:", "Others:", "--link-host", "ADIT_LINK_HOST",
                           "linkHost:", "default :8080", "default 30s", "--answer-timeout", "services:", "debug|info",
                           "--config", "ADIT_CONFIG", "--version", "THING", "default default:443"}) {
    EXPECT_THAT(outcome.text, HasSubstr(part));
  }
  EXPECT_THAT(outcome.text, Not(HasSubstr("config:")));
}

TEST(Settings, VersionIsPrinted) {
  Program program;
  const auto outcome = program.parse({"--version"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.text, "adit-test 1.2.3\n");
}

TEST(Settings, HelpIsGivenEvenIfOtherSettingsAreWrong) {
  Program program;
  EXPECT_EQ(program.parse({"--help", "--workers=0"}, {"ADIT_INSECURE=x"}).exit_code, 0);
}

}  // namespace
}  // namespace adit::base
