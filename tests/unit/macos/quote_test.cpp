// SPDX-License-Identifier: Apache-2.0
#include <nono/macos/quote.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "../../sbpl/reader.hpp"
#include "../constexpr_check.hpp"

using namespace std::string_literals;
namespace seatbelt = nono::seatbelt;
using seatbelt::spelled;

namespace {

struct text_sink {
  std::string text;
  void put(char c) { text += c; }
  void put(std::string_view s) { text += s; }
};

std::string quoted(std::string_view path) {
  text_sink out;
  seatbelt::put_quoted(out, spelled{{}, path});
  return out.text;
}

}  // namespace

TEST_CASE("quote: what could end a string or begin a line is escaped") {
  CHECK(quoted("/a b") == R"("/a b")");
  CHECK(quoted("/a\"b\\c") == R"("/a\"b\\c")");
  CHECK(quoted("/a\nb\t\x7f") == R"("/a\x0ab\x09\x7f")");
  CHECK(quoted("/gr\xc3\xbc\xc3\x9f") == "\"/gr\xc3\xbc\xc3\x9f\"");
  CHECK(quoted("/\xff\xc0\xaf") == R"("/\xff\xc0\xaf")");
  CHECK(quoted("/\xed\xa0\x80\xf4\x90\x80\x80") == R"("/\xed\xa0\x80\xf4\x90\x80\x80")");
  CHECK(quoted("/(allow default)") == "\"/(allow default)\"");
}

TEST_CASE("quote: the reader gets back what was quoted, and nothing behind it") {
  std::string all = "/";
  for (int i = 1; i < 256; ++i) all += static_cast<char>(static_cast<unsigned char>(i));
  for (const std::string& path :
       {all, "/\\"s, "/\\\""s, "/\") (allow default) (\""s, "/\xc3"s, "/\xe2\x82"s}) {
    const auto read = sbpl::parser(quoted(path)).all();
    REQUIRE(read);
    REQUIRE(read->size() == 1);
    CHECK((*read)[0].what == sbpl::expression::kind::string);
    CHECK((*read)[0].text == path);
  }
}

TEST_CASE("quote: a path is quotable when only quotes and backslashes need a backslash") {
  CONSTEXPR_CHECK(seatbelt::is_quotable("/a \"b\"\\c \xc3\xbc"));
  CONSTEXPR_CHECK(!seatbelt::is_quotable("/a\nb"));
  CONSTEXPR_CHECK(!seatbelt::is_quotable("/a\x7f"));
  CONSTEXPR_CHECK(!seatbelt::is_quotable("/\xff"));
}

TEST_CASE("quote: the links at the root give a path two spellings") {
  const auto other = [](std::string_view path) {
    const spelled s = seatbelt::other_spelling(seatbelt::spelling_of(path));
    return std::string(s.head) + std::string(s.tail);
  };
  CHECK(other("/tmp") == "/private/tmp");
  CHECK(other("/tmp/a") == "/private/tmp/a");
  CHECK(other("/private/var/db") == "/var/db");
  CHECK(other("/private/etc") == "/etc");
  CHECK(other("/tmpx").empty());
  CHECK(other("/private").empty());
  CHECK(other("/private/tmpx").empty());
  CHECK(other("~/tmp").empty());
  CHECK(other("$HOME/tmp").empty());
}

TEST_CASE("quote: a path of two pieces compares as one") {
  constexpr spelled joined{"/private", "/tmp/a"};
  constexpr spelled whole{{}, "/private/tmp/a"};
  CONSTEXPR_CHECK(joined == whole);
  CONSTEXPR_CHECK(seatbelt::lies_below(joined, spelled{{}, "/private/tmp"}));
  CONSTEXPR_CHECK(seatbelt::lies_below(joined, spelled{{}, "/"}));
  CONSTEXPR_CHECK(!seatbelt::lies_below(joined, whole));
  CONSTEXPR_CHECK(!seatbelt::lies_below(spelled{{}, "/private/tmpx"}, spelled{{}, "/private/tmp"}));
  CONSTEXPR_CHECK(joined.first(12) == spelled{{}, "/private/tmp"});
  CONSTEXPR_CHECK(seatbelt::comes_before(spelled{{}, "/a/b"}, spelled{{}, "/a-b"}));
  CONSTEXPR_CHECK(seatbelt::spelling_of("~/x") == spelled{{}, "$HOME/x"});
}
