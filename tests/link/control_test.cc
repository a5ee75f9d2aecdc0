#include "link/control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "link/control_stream.h"

namespace adit::link {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// What a line says after one trip through the codec.
std::string round(const ControlMessage& message) {
  std::string line = encode_control(message);
  EXPECT_EQ(line.back(), '\n');
  line.pop_back();
  const auto decoded = decode_control(line);
  EXPECT_TRUE(decoded && *decoded) << line;
  return encode_control(**decoded);
}

TEST(Control, LinesAreAsDocumented) {
  EXPECT_EQ(encode_control(Gateways{{"a", "b-1"}}), "{\"type\":\"gateways\",\"ids\":[\"a\",\"b-1\"],\"count\":2}\n");
  EXPECT_EQ(encode_control(Offers{{{"api", "tcp"}, {"web:80", "tcp"}}}),
            "{\"type\":\"offers\",\"services\":[{\"name\":\"api\",\"protocol\":\"tcp\"},"
            "{\"name\":\"web:80\",\"protocol\":\"tcp\"}]}\n");
  EXPECT_EQ(
      encode_control(Presence{"t", {"api", "web:80"}, true, false}),
      "{\"type\":\"presence\",\"tunnel\":\"t\",\"services\":[\"api\",\"web:80\"],\"suspect\":true,\"adds\":false}\n");
  EXPECT_EQ(encode_control(Replica{true, false}), "{\"type\":\"replica\",\"ready\":true,\"leaving\":false}\n");
  EXPECT_EQ(encode_control(Health{{{"api", false, "no\n"}}}),
            "{\"type\":\"health\",\"services\":[{\"name\":\"api\",\"healthy\":false,\"reason\":\"no?\"}]}\n");
  EXPECT_EQ(encode_control(Leaving{"a \"b\"\n"}), "{\"type\":\"leaving\",\"reason\":\"a \\\"b\\\"\\u000a\"}\n");
}

TEST(Control, EveryMessageSurvivesTheTrip) {
  const ControlMessage messages[] = {Gateways{},
                                     Gateways{{"x"}},
                                     Offers{},
                                     Offers{{{"default", "tcp"}}},
                                     Leaving{},
                                     Leaving{"caf\xc3\xa9 \\ \x01"},
                                     Health{},
                                     Health{{{"api", false, "refused \"\\"}, {"web", true, ""}}},
                                     Presence{"t", {}, false, false},
                                     Presence{"t", {"a", "b"}, true, true},
                                     Presence{"t", {"a"}, false, false, {1, ~0ULL}},
                                     Replica{},
                                     Replica{true, true}};
  for (const auto& message : messages) EXPECT_EQ(round(message), encode_control(message));
}

TEST(Control, UnknownTypesAndMembersAreIgnored) {
  const char* const unknown[] = {R"({"type":"weather"})", R"({"type":""})", R"({"type":"offers2","services":7})"};
  for (const auto* line : unknown) {
    const auto decoded = decode_control(line);
    ASSERT_TRUE(decoded) << line;
    EXPECT_FALSE(decoded->has_value()) << line;
  }
  const auto decoded = decode_control(R"( {"x":[1,{"y":null}],"type":"gateways","ids":["a"],"count":"?"} )");
  ASSERT_TRUE(decoded && *decoded);
  EXPECT_THAT(std::get<Gateways>(**decoded).ids, ElementsAre("a"));
}

TEST(Control, HealthOfMoreServicesThanFitIsCut) {
  Health health;
  for (int i = 0; i < 1000; ++i) health.services.push_back({std::string(250, 'n'), false, std::string(300, '"')});
  const auto line = encode_control(health);
  EXPECT_LE(line.size(), kMostControlLine);
  EXPECT_GT(line.size(), kMostControlLine - 1000);
  const auto decoded = decode_control(std::string_view(line).substr(0, line.size() - 1));
  ASSERT_TRUE(decoded && *decoded);
  EXPECT_EQ(std::get<Health>(**decoded).services.at(0).reason, std::string(200, '"'));
}

TEST(Control, BadLinesAreToldWithTheirMember) {
  std::string many = R"({"type":"gateways","ids":["a")";
  for (int i = 0; i < 1000; ++i) many += ",\"a\"";
  const std::pair<std::string, const char*> cases[] = {
      {"", "not a JSON object"},
      {"[]", "not a JSON object"},
      {"{", "not a JSON object"},
      {R"({"type":"leaving"} x)", "not a JSON object"},
      {"\"text\"", "not a JSON object"},
      {"{}", "type is not a string"},
      {R"({"type":7})", "type is not a string"},
      {R"({"type":"gateways"})", "ids is not an array"},
      {R"({"type":"gateways","ids":{}})", "ids is not an array"},
      {R"({"type":"gateways","ids":["a",1]})", "ids[1] is not a name"},
      {R"({"type":"gateways","ids":[""]})", "ids[0] is not a name"},
      {R"({"type":"gateways","ids":["a b"]})", "ids[0] is not a name"},
      {R"({"type":"gateways","ids":[")" + std::string(254, 'a') + "\"]}", "ids[0] is not a name"},
      {many + "]}", "more than 1000"},
      {R"({"type":"offers","services":1})", "services is not an array"},
      {R"({"type":"offers","services":[1]})", "services[0].name is not a name"},
      {R"({"type":"offers","services":[{"name":"a/b","protocol":"tcp"}]})", "services[0].name is not a name"},
      {R"({"type":"offers","services":[{"name":"a","protocol":"tcp"},{"name":"b"}]})", "services[1].protocol"},
      {R"({"type":"presence","services":[]})", "tunnel is not a name"},
      {R"({"type":"presence","tunnel":"a b","services":[]})", "tunnel is not a name"},
      {R"({"type":"presence","tunnel":"t"})", "services is not an array"},
      {R"({"type":"presence","tunnel":"t","services":["a",""]})", "services[1] is not a name"},
      {R"({"type":"health"})", "services is not an array"},
      {R"({"type":"health","services":[{"name":"a","healthy":"no"}]})", "services[0].healthy is not a boolean"},
      {R"({"type":"health","services":[{"name":"a","healthy":true},{"healthy":true}]})", "services[1].name"},
      {R"({"type":"leaving","x":[[[[[[[[[[]]]]]]]]]]})", "nested"},
      {std::string(60'000, '['), "nested"},
      {std::string(70'000, ' '), "longer"},
      {"{\"type\":\"leaving\",\"reason\":\"\xff\"}", "not a JSON object"},
  };
  for (const auto& [line, reason] : cases) {
    const auto decoded = decode_control(line);
    ASSERT_FALSE(decoded) << line.substr(0, 100);
    EXPECT_THAT(decoded.error(), HasSubstr(reason)) << line.substr(0, 100);
  }
}

/// Notes what a ControlStream tells.
struct Owner final : ControlStream::Owner {
  std::vector<std::string> lines;
  std::string failure;
  void on_control_answer(int, std::string_view) override {}
  void on_control_message(const ControlMessage& message) override { lines.push_back(encode_control(message)); }
  void on_control_failed(std::string reason) override {
    EXPECT_EQ(failure, "") << "told twice";
    failure = reason;
  }
};

TEST(ControlStream, LinesMayBeCutAnywhere) {
  const std::string first = encode_control(Gateways{{"a"}});
  const std::string second = encode_control(Leaving{"b"});
  const std::string both = first + second;
  for (std::size_t cut = 0; cut <= both.size(); ++cut) {
    Owner owner;
    ControlStream stream(owner);
    stream.on_data(std::string_view(both).substr(0, cut));
    stream.on_data(std::string_view(both).substr(cut));
    EXPECT_THAT(owner.lines, ElementsAre(first, second)) << cut;
    EXPECT_EQ(owner.failure, "");
  }
}

TEST(ControlStream, LongestLineIsTakenAndALongerOneIsNot) {
  const std::string line = R"({"type":"leaving","reason":"x"})";
  for (const bool too_long : {false, true}) {
    std::string bytes = line + std::string(kMostControlLine - 1 - line.size() + (too_long ? 1 : 0), ' ') + "\n";
    for (const std::size_t piece : {bytes.size(), std::size_t{1000}}) {
      Owner owner;
      ControlStream stream(owner);
      for (std::size_t at = 0; at < bytes.size(); at += piece)
        stream.on_data(std::string_view(bytes).substr(at, piece));
      EXPECT_EQ(owner.lines.size(), too_long ? 0U : 1U);
      EXPECT_EQ(owner.failure.empty(), !too_long) << owner.failure;
    }
  }
}

TEST(ControlStream, GiantLineIsGivenUpBeforeItIsKept) {
  Owner owner;
  ControlStream stream(owner);
  const std::string piece(1000, 'x');
  std::size_t taken = 0;
  while (owner.failure.empty() && taken < 10'000'000) {
    stream.on_data(piece);
    taken += piece.size();
  }
  EXPECT_LE(taken, kMostControlLine + piece.size());
  EXPECT_THAT(owner.failure, HasSubstr("longer than 65536"));
}

TEST(ControlStream, NothingIsHeardAfterAFailure) {
  Owner owner;
  ControlStream stream(owner);
  stream.on_data(std::string_view("bad\n{\"type\":\"leaving\"}\n"));
  stream.on_data(std::string_view("{\"type\":\"leaving\"}\n"));
  stream.on_end();
  EXPECT_TRUE(owner.lines.empty());
}

TEST(ControlStream, PeerThatDoesNotReadIsGivenUp) {
  Owner owner;
  ControlStream stream(owner);
  Offers offers;
  for (int i = 0; i < 1000; ++i) offers.services.push_back({"service-" + std::to_string(i), "tcp"});
  for (int i = 0; i < 100; ++i) stream.send(offers);
  EXPECT_THAT(owner.failure, HasSubstr("does not read"));
  EXPECT_LE(stream.to_send().size(), ControlStream::kMostWaiting);
}

}  // namespace
}  // namespace adit::link
