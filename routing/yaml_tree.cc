#include "routing/yaml_tree.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "base/text.h"

namespace adit::routing {
namespace {

constexpr std::size_t kLongestText = 4U << 20U;
constexpr std::size_t kMostNodes = 500'000;
constexpr std::size_t kDeepest = 64;

/// Leaves the parser: yaml-cpp's handlers have no other way to say "stop".
struct Refused {
  YamlError error;
};

/// Builds the tree without recursion: open lists and maps stand on a stack.
class TreeBuilder : public YAML::EventHandler {
 public:
  Node take() { return std::exchange(root_, {}); }

  void OnDocumentStart(const YAML::Mark&) override { root_ = {}; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    check(mark, "", anchor);
    add({.kind = Node::Kind::null, .line = mark.line + 1});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Refused{{mark.line + 1, "aliases (*name) are not supported: write the value out"}};
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const bool is_text_tag = tag == "tag:yaml.org,2002:str" || tag == "!";
    check(mark, is_text_tag ? "" : tag, anchor);
    add({.kind = Node::Kind::scalar, .is_plain = !is_text_tag, .line = mark.line + 1, .text = value});
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::list, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::map, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node node;
    bool has_key = false;  ///< of a map: the next node is the value of `key`
    std::string key = {};
    int key_line = 0;
  };

  void check(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) throw Refused{{mark.line + 1, "anchors (&name) are not supported"}};
    if (!tag.empty() && tag != "?") throw Refused{{mark.line + 1, "tags (!name) are not supported"}};
    if (++nodes_ > kMostNodes) throw Refused{{mark.line + 1, "has too many values: split the file"}};
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    check(mark, tag, anchor);
    if (open_.size() == kDeepest) throw Refused{{mark.line + 1, "is nested more than 64 levels deep"}};
    expect_key_is_scalar(mark.line + 1);
    open_.push_back({.node = {.kind = kind, .line = mark.line + 1}});
  }

  void close() {
    Node node = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(node));
  }

  void add(Node&& node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Node::Kind::map) {
      if (!parent.has_key) {
        take_key(parent, std::move(node));
        return;
      }
      node.key = std::exchange(parent.key, {});
      node.key_line = parent.key_line;
      parent.has_key = false;
    }
    parent.node.items.push_back(std::move(node));
  }

  static void take_key(Open& parent, Node&& key) {
    if (key.kind != Node::Kind::scalar) throw Refused{{key.line, "has a key that is not text"}};
    parent.has_key = true;
    parent.key = std::move(key.text);
    parent.key_line = key.line;
  }

  void expect_key_is_scalar(int line) const {
    if (open_.empty() || open_.back().node.kind != Node::Kind::map || open_.back().has_key) return;
    throw Refused{{line, "has a key that is not text"}};
  }

  Node root_;
  std::vector<Open> open_;
  std::size_t nodes_ = 0;
};

bool is_control(unsigned char c) { return (c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f; }

/// What is wrong with the text before it is YAML at all. The NUL bytes of UTF-16 and UTF-32, which yaml-cpp would read,
/// fall under it; every field has a syntax of its own that is ASCII, so UTF-8 needs no check.
std::optional<YamlError> text_fault(std::string_view text) {
  if (text.size() > kLongestText) return YamlError{0, "is larger than 4 MiB: split the file"};
  int line = 1;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_control(byte)) return YamlError{line, "has a control character (byte " + std::to_string(byte) + ")"};
    if (c == '\n') ++line;
  }
  return std::nullopt;
}

bool is_boolean(std::string_view text) {
  static constexpr std::array kWords{"true", "false", "yes", "no", "on", "off", "y", "n"};
  return text.size() <= 5 &&
         std::any_of(kWords.begin(), kWords.end(), [&](auto word) { return base::equals_ignoring_case(word, text); });
}

bool is_number(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  if (text.empty()) return false;
  if (text == ".inf" || text == ".nan") return true;
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'o' || text[1] == 'b')) {
    return text.find_first_not_of("0123456789abcdefABCDEF_", 2) == std::string_view::npos;
  }
  std::string digits(text);
  std::erase(digits, '_');
  if (digits.find_first_not_of("0123456789.eE+-") != std::string::npos) return false;
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return error != std::errc::invalid_argument && end == digits.data() + digits.size();
}

void read_documents(std::string_view text, YamlText& out) {
  std::istringstream stream{std::string(text)};
  YAML::Parser parser(stream);
  TreeBuilder builder;
  while (parser.HandleNextDocument(builder)) {
    Node document = builder.take();
    if (document.kind != Node::Kind::null) out.documents.push_back(std::move(document));
  }
}

}  // namespace

bool Node::is_string() const { return kind == Kind::scalar && !(is_plain && (is_boolean(text) || is_number(text))); }

YamlText read_yaml(std::string_view text) {
  YamlText out;
  out.error = text_fault(text);
  if (out.error) return out;
  try {
    read_documents(text, out);
  } catch (const Refused& refused) {
    out.error = refused.error;
  } catch (const YAML::Exception& error) {
    out.error = YamlError{error.mark.is_null() ? 0 : error.mark.line + 1, "is not valid YAML: " + error.msg};
  }
  return out;
}

}  // namespace adit::routing
