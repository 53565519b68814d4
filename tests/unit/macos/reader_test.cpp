// SPDX-License-Identifier: Apache-2.0
// The reader that judges profiles, judged: texts written by hand.
#include "../../sbpl/reader.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

namespace {

std::optional<sbpl::profile> read(const std::string& rules, std::string* why = nullptr) {
  static const sbpl::profile::parameters values = {{"HOME", "/Users/me"}};
  std::string wrong;
  auto out = sbpl::profile::read("(version 1)\n(deny default)\n" + rules, values, wrong);
  if (why != nullptr) *why = wrong;
  return out;
}

bool allows(const std::string& rules, const std::string& operation, const std::string& path,
            const std::string& type = "REGULAR-FILE") {
  const auto p = read(rules);
  REQUIRE(p.has_value());
  sbpl::action a;
  a.operation = operation;
  a.path = path;
  a.type = type;
  return p->allows(a);
}

}  // namespace

TEST_CASE("reader: the last rule that matches decides") {
  CHECK_FALSE(allows("", "file-read-data", "/a"));
  CHECK(allows("(allow file-read*)", "file-read-data", "/a"));
  CHECK_FALSE(allows("(allow file-read*)", "file-write-data", "/a"));
  CHECK_FALSE(allows("(allow file-read*)(deny file-read-data)", "file-read-data", "/a"));
  CHECK(allows("(deny file-read-data)(allow file*)", "file-read-data", "/a"));
  CHECK(allows("(allow file-read*) (deny file-read* (literal \"/b\"))", "file-read-data", "/a"));
}

TEST_CASE("reader: filters") {
  CHECK(allows("(allow x (literal \"/a\"))", "x", "/a"));
  CHECK_FALSE(allows("(allow x (literal \"/a\"))", "x", "/a/b"));
  CHECK(allows("(allow x (subpath \"/a\"))", "x", "/a/b"));
  CHECK(allows("(allow x (subpath \"/a\"))", "x", "/a"));
  CHECK_FALSE(allows("(allow x (subpath \"/a\"))", "x", "/ab"));
  CHECK(allows("(allow x (subpath \"/\"))", "x", "/ab"));
  CHECK(allows("(allow x (prefix \"/a\"))", "x", "/ab"));
  CHECK(allows("(allow x (regex #\"^/dev/tty[a-z]+$\"))", "x", "/dev/ttys"));
  CHECK_FALSE(allows("(allow x (regex #\"^/dev/tty[a-z]+$\"))", "x", "/x/dev/ttys"));
  CHECK(allows("(allow x (literal \"/a\") (literal \"/b\"))", "x", "/b"));
  CHECK_FALSE(allows("(allow x (require-all (subpath \"/a\") (require-not (literal \"/a\"))))", "x", "/a"));
  CHECK(allows("(allow x (require-all (subpath \"/a\") (require-not (literal \"/a\"))))", "x", "/a/b"));
  CHECK(allows("(allow x (require-any (literal \"/a\") (literal \"/b\")))", "x", "/b"));
  CHECK(allows("(allow x (vnode-type DIRECTORY))", "x", "/b", "DIRECTORY"));
  CHECK_FALSE(allows("(allow x (vnode-type DIRECTORY))", "x", "/b"));
  CHECK(allows("(allow x (subpath (string-append (param \"HOME\") \"/b\")))", "x", "/Users/me/b/c"));
  CHECK(allows("(allow x (literal \"/a\\\"\\\\\\x0a\"))", "x", "/a\"\\\n"));
}

TEST_CASE("reader: addresses") {
  const auto p = read(
      "(allow network-outbound (remote tcp \"localhost:80\") (remote udp \"*:53\") (remote unix-socket))"
      "(allow network-bind (local ip \"*:*\"))");
  REQUIRE(p.has_value());
  const auto asks = [&](const char* operation, const char* kind, const char* host, int port) {
    sbpl::action a;
    a.operation = operation;
    a.kind = kind;
    a.host = host;
    a.port = port;
    return p->allows(a);
  };
  CHECK(asks("network-outbound", "tcp", "localhost", 80));
  CHECK_FALSE(asks("network-outbound", "tcp", "192.0.2.1", 80));
  CHECK_FALSE(asks("network-outbound", "tcp", "localhost", 81));
  CHECK(asks("network-outbound", "udp", "192.0.2.1", 53));
  CHECK(asks("network-outbound", "unix-socket", "", -1));
  CHECK(asks("network-bind", "tcp", "localhost", 1));
  CHECK_FALSE(asks("network-bind", "unix-socket", "", -1));
}

TEST_CASE("reader: what it does not know it refuses") {
  for (const char* rules : {"(",
                            ")",
                            "(allow",
                            "(allow)",
                            "(allow x (literal))",
                            "(allow x (literal \"a\"))",
                            "(allow x (literal \"/a))",
                            "(allow x (literal /a))",
                            "(allow x (param \"HOME\"))",
                            "(allow x (literal (param \"NOBODY\")))",
                            "(allow x (invented \"/a\"))",
                            "(import \"a\")",
                            "(allow x (require-not))",
                            "(allow x (require-all))",
                            "(allow default)",
                            "(deny default)",
                            "(allow default x)",
                            "(allow x (remote tcp \"example.org:80\"))",
                            "(allow x (remote tcp \"*\"))",
                            "x",
                            "\"x\"",
                            "(allow x (with no-log))",
                            "(allow x (vnode-type \"A\"))"}) {
    INFO(rules);
    std::string why;
    CHECK_FALSE(read(rules, &why).has_value());
    CHECK_FALSE(why.empty());
  }
  std::string why;
  CHECK_FALSE(sbpl::profile::read("(deny default)", {}, why).has_value());
  CHECK_FALSE(sbpl::profile::read("(version 1)", {}, why).has_value());
  CHECK_FALSE(sbpl::profile::read("(version 2)(deny default)", {}, why).has_value());
}
