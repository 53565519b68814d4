// SPDX-License-Identifier: Apache-2.0
#include <nono/json/reader.hpp>

#include <cstdint>
#include <ctime>
#include <random>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

using namespace std::string_literals;
using namespace std::string_view_literals;
using kind = nono::json_value::kind;
using nono::errc;
using nono::json_options;
using nono::json_value;
using nono::read_json;

namespace {

constexpr json_options strict{};
constexpr json_options relaxed{.relaxed = true};

/// The tree as a text that shows all but keys' positions.
std::string shown(const json_value& v) {
  switch (v.is) {
    case kind::null:
      return "null";
    case kind::boolean:
      return v.truth ? "true" : "false";
    case kind::natural:
      return std::to_string(v.natural);
    case kind::number:
      return "number";
    case kind::text:
      return '"' + v.text + '"';
    default:
      break;
  }
  const bool object = v.is == kind::object;
  std::string out(object ? "{" : "[");
  for (const json_value& item : v.items) {
    if (out.size() > 1) out += ' ';
    if (object) out += item.key + ':';
    out += shown(item);
  }
  return out += object ? '}' : ']';
}

std::string read(std::string_view text, const json_options& options = relaxed) {
  const auto got = read_json(text, "x", options);
  return got ? shown(*got) : got.error().message();
}

std::string place(nono::json_position at) {
  return std::to_string(at.line) + ':' + std::to_string(at.column);
}

}  // namespace

TEST_CASE("json reader: values") {
  CHECK(read(R"({"a": [1, true, false, null, "b\"\u00e4\n", 1.5, -3, 0], "": {}, "c": []})") ==
        "{a:[1 true false null \"b\"\xC3\xA4\n\" number number 0] :{} c:[]}");
  CHECK(read("18446744073709551615") == "18446744073709551615");
  CHECK(read("18446744073709551616") == "number");
  CHECK(read("\"x\"") == "\"x\"");
  CHECK(read("\xEF\xBB\xBF{}") == "{}");
  CHECK(read(" \t\r\n[ ] \n") == "[]");
  CHECK(read_json("\"\\u0000\"", "x")->text == "\0"s);
}

TEST_CASE("json reader: where keys and values stand, in lines and characters") {
  const auto got = read_json(
      "\xEF\xBB\xBF{\n  \"\xC3\xA4\": 1, \"b\" /* \xC3\xA4 */ : [12,\n true ],\n\"c\":{\"d\":\"e\"}}", "x",
      relaxed);
  REQUIRE(got.has_value());
  const auto& items = got->items;
  CHECK(place(got->at) == "1:1");
  CHECK(place(items[0].key_at) == "2:3");
  CHECK(place(items[0].at) == "2:8");
  CHECK(place(items[1].key_at) == "2:11");
  CHECK(place(items[1].at) == "2:25");
  CHECK(place(items[1].items[0].at) == "2:26");
  CHECK(place(items[1].items[1].at) == "3:2");
  CHECK(place(items[2].key_at) == "4:1");
  CHECK(place(items[2].items[0].at) == "4:10");
}

TEST_CASE("json reader: comments and trailing commas where they are welcome") {
  CHECK(read("// a\n{ /* \" */ \"a\": [1, 2, /* , */ ], // }\n \"b\": {\"c\": 3,}, }// end") ==
        "{a:[1 2] b:{c:3}}");
  CHECK(read(R"({"//": "/* no comment */", "a": "\"//\\", "b": ",]"})") ==
        "{//:\"/* no comment */\" a:\"\"//\\\" b:\",]\"}");
  CHECK(read("[1,\n]") == "[1]");
  for (const char* wrong :
       {"[,]", "{,}", "[1,,]", "{\"a\":,}", "{\"a\",}", ",", "[],", "[/]", "[1 /* 2]", "/", "/*/"}) {
    CAPTURE(wrong);
    CHECK_FALSE(read_json(wrong, "x", relaxed).has_value());
  }
  for (const char* wrong : {"[1,]", "{\"a\":1,}", "// a\n1", "[/* */]"}) {
    CAPTURE(wrong);
    CHECK(read_json(wrong, "x", relaxed).has_value());
    CHECK_FALSE(read_json(wrong, "x", strict).has_value());
  }
}

TEST_CASE("json reader: what is wrong is said with its line and column") {
  CHECK(read("") == "x: the text ends too early at line 1 column 1");
  CHECK(read("{\"a\": [1, 2") == "x: the text ends too early at line 1 column 12");
  CHECK(read("{\n  \"a\": 1\n  \"b\": 2\n}") ==
        "x: unexpected string literal; expected '}' at line 3 column 5");
  CHECK(read("[1, nul]") == "x: invalid literal at line 1 column 8");
  CHECK(read("[01]") == "x: unexpected number literal; expected ']' at line 1 column 3");
  CHECK(read("[\"a\nb\"]").starts_with("x: invalid string: control character U+000A"));
  CHECK(read("[\"\xFF\"]") == "x: invalid string: ill-formed UTF-8 byte at line 1 column 3");
  CHECK(read("[\"\xED\xA0\x80\"]").starts_with("x: invalid string: ill-formed UTF-8 byte"));
  CHECK(read("[\"\\ud800\"]").starts_with("x: invalid string: surrogate"));
  CHECK(read("[1e999]") == "x: the number is out of range at line 1 column 6");
  CHECK(read("{} {}") == "x: unexpected '{'; expected end of input at line 1 column 4");
  CHECK(read("\n /* a") == "x: a comment that does not end at line 2 column 2");
  CHECK(read("{}\n\0}"sv) == "x: a NUL byte at line 2 column 1");
  CHECK(read("\xFF\xFE{\0}\0"sv) == "x: the text is UTF-16, not UTF-8 at line 1 column 1");
  CHECK(read("{\"a\": 1,\n \"b\": 2, \"a\": 3}") ==
        "x: the key 'a' stands twice at line 2 column 10; to change that, keep one of the two");
  CHECK(read("{\"a\": 1, \"\\u0061\": 3}").starts_with("x: the key 'a' stands twice at line 1 column 10"));
  CHECK(read("{\"a\": 1, \"a\": 3}", {.repeated_keys = true}) == "{a:1 a:3}");
  CHECK(read("[[1]]", {.depth = 1}) ==
        "x: too deep: more than 1 arrays and objects in each other at line 1 column 2; to change that, nest "
        "less");
  CHECK(read("[[1]]", {.depth = 2}) == "[[1]]");
  CHECK(read("[1, 2]", {.values = 2}).starts_with("x: too large: more than 2 values at line 1 column 5"));
  CHECK(read("[1]", {.bytes = 2}).starts_with("x: too large: more than 2 bytes"));
  CHECK(read_json("[1]", "x", {.bytes = 2}).error().code == errc::json_too_large);
}

TEST_CASE("json reader: every beginning of a text is an error or a value, and never a crash") {
  const std::string text =
      "{\"a\": [1, {\"b\": \"\\u00e4\xC3\xA4\"}, -1.5e3, null], // c\n \"d\": /* e */ {}, }";
  for (std::size_t n = 0; n <= text.size(); ++n) {
    const auto got = read_json(std::string_view(text).substr(0, n), "x", relaxed);
    CHECK(got.has_value() == (n == text.size()));
    if (!got) CHECK(got.error().message().find(" at line ") != std::string::npos);
  }
}

TEST_CASE("json reader: deep, long and wide texts are refused within a second") {
  const std::clock_t begin = std::clock();  // the processor's time: others may be at work
  CHECK(read_json(std::string(10'000, '['), "x").error().code == errc::json_too_deep);
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += "{\"a\":";
  CHECK(read_json(deep, "x").error().code == errc::json_too_deep);
  CHECK(read_json(std::string(2U << 20U, ' '), "x").error().code == errc::json_too_large);
  std::string wide = "[0";
  for (int i = 0; i < 500'000; ++i) wide += ",0";
  CHECK(read_json(wide + "]", "x").error().code == errc::json_too_large);
  std::string keys = "{\"k\":0";
  for (int i = 0; i < 60'000; ++i) keys += ",\"" + std::to_string(i) + "\":0";
  CHECK(read_json(keys + "}", "x").has_value());
  // This test is built without optimisation, and with sanitizers; what is quadratic takes minutes.
  CHECK((std::clock() - begin) / CLOCKS_PER_SEC < 10);
}

TEST_CASE("json reader: the filter keeps lengths, lines and what stands in strings") {
  std::mt19937 random(7);
  constexpr std::string_view alphabet = "\"\\/*,]}[{:1 \n";
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (int i = 0; i < 12; ++i) text += alphabet[random() % alphabet.size()];
    std::string filtered = text;
    (void)nono::detail::blank_relaxed(filtered);
    REQUIRE(filtered.size() == text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
      REQUIRE((filtered[i] == text[i] || filtered[i] == ' '));
      if (text[i] == '\n') REQUIRE(filtered[i] == '\n');
    }
    // What is JSON already stays as it is, and what is filtered once needs no filter.
    if (const auto plain = read_json(text, "x", strict)) REQUIRE(shown(*plain) == read(text));
    REQUIRE(read(text) == read(filtered, relaxed));
  }
}
