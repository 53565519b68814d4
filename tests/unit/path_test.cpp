// SPDX-License-Identifier: Apache-2.0
#include <nono/path.hpp>

#include <string>

#include "constexpr_check.hpp"

using namespace std::string_view_literals;
using nono::check_path;
using nono::errc;

TEST_CASE("path: what is allowed") {
  CONSTEXPR_CHECK(check_path("/") == errc::none);
  CONSTEXPR_CHECK(check_path("/srv/data") == errc::none);
  CONSTEXPR_CHECK(check_path("//srv///data/") == errc::none);
  CONSTEXPR_CHECK(check_path("/srv/./data") == errc::none);
  CONSTEXPR_CHECK(check_path("~") == errc::none);
  CONSTEXPR_CHECK(check_path("~/") == errc::none);
  CONSTEXPR_CHECK(check_path("~/.config") == errc::none);
  CONSTEXPR_CHECK(check_path("$HOME") == errc::none);
  CONSTEXPR_CHECK(check_path("$_a9Z/x") == errc::none);
  CONSTEXPR_CHECK(check_path("/a/..b/b../...") == errc::none);
  CONSTEXPR_CHECK(check_path("/a/~/b") == errc::none);
  CONSTEXPR_CHECK(check_path("/a/b$c$") == errc::none);
  CONSTEXPR_CHECK(check_path("/a/\n\x1b[31m\xff") == errc::none);
}

TEST_CASE("path: hostile input") {
  CONSTEXPR_CHECK(check_path("") == errc::path_empty);
  CONSTEXPR_CHECK(check_path(std::string_view{}) == errc::path_empty);
  CONSTEXPR_CHECK(check_path("\0"sv) == errc::path_not_absolute);
  CONSTEXPR_CHECK(check_path("/a\0b"sv) == errc::path_has_nul);
  CONSTEXPR_CHECK(check_path("/a\0"sv) == errc::path_has_nul);
  CONSTEXPR_CHECK(check_path("$HOME/\0"sv) == errc::path_has_nul);
  CONSTEXPR_CHECK(check_path("..") == errc::path_not_absolute);
  CONSTEXPR_CHECK(check_path("a/../b") == errc::path_not_absolute);
  CONSTEXPR_CHECK(check_path("/..") == errc::path_has_parent);
  CONSTEXPR_CHECK(check_path("/../") == errc::path_has_parent);
  CONSTEXPR_CHECK(check_path("/a/..") == errc::path_has_parent);
  CONSTEXPR_CHECK(check_path("/a/../b") == errc::path_has_parent);
  CONSTEXPR_CHECK(check_path("/a//..//b") == errc::path_has_parent);
  CONSTEXPR_CHECK(check_path("~/..") == errc::path_has_parent);
  CONSTEXPR_CHECK(check_path("$HOME/../x") == errc::path_has_parent);
  CONSTEXPR_CHECK(check_path("a") == errc::path_not_absolute);
  CONSTEXPR_CHECK(check_path("./a") == errc::path_not_absolute);
  CONSTEXPR_CHECK(check_path(" /a") == errc::path_not_absolute);
  CONSTEXPR_CHECK(check_path("~user") == errc::path_not_absolute);
  CONSTEXPR_CHECK(check_path("~user/x") == errc::path_not_absolute);
  CONSTEXPR_CHECK(check_path("~\0"sv) == errc::path_not_absolute);
}

TEST_CASE("path: variables stand first and are well formed") {
  CONSTEXPR_CHECK(check_path("$") == errc::variable_misplaced);
  CONSTEXPR_CHECK(check_path("$/x") == errc::variable_misplaced);
  CONSTEXPR_CHECK(check_path("$1") == errc::variable_misplaced);
  CONSTEXPR_CHECK(check_path("$A$B") == errc::variable_misplaced);
  CONSTEXPR_CHECK(check_path("$A/$B") == errc::variable_misplaced);
  CONSTEXPR_CHECK(check_path("/x/$Y") == errc::variable_misplaced);
  CONSTEXPR_CHECK(check_path("/$Y") == errc::variable_misplaced);
  CONSTEXPR_CHECK(check_path("$A-B") == errc::variable_misplaced);
  CONSTEXPR_CHECK(check_path("${HOME}/x") == errc::variable_misplaced);
  CONSTEXPR_CHECK(check_path("$A\0/x"sv) == errc::variable_misplaced);
  CONSTEXPR_CHECK(check_path("$H\xc3\xa9/x") == errc::variable_misplaced);
}

TEST_CASE("path: at most 4095 bytes") {
  const std::string longest = "/" + std::string(4094, 'x');
  CHECK(longest.size() == nono::max_path);
  CHECK(check_path(longest) == errc::none);
  CHECK(check_path(longest + "x") == errc::path_too_long);
  CHECK(check_path(std::string(1'000'000, '/')) == errc::path_too_long);
  CHECK(check_path("/" + std::string(4091, 'x') + "/..") == errc::path_has_parent);
}

TEST_CASE("path: leading variable and the rest") {
  CONSTEXPR_CHECK(nono::leading_variable("$HOME/x/y") == "$HOME");
  CONSTEXPR_CHECK(nono::after_variable("$HOME/x/y") == "/x/y");
  CONSTEXPR_CHECK(nono::leading_variable("~/x") == "$HOME");
  CONSTEXPR_CHECK(nono::after_variable("~/x") == "/x");
  CONSTEXPR_CHECK(nono::leading_variable("~") == "$HOME");
  CONSTEXPR_CHECK(nono::after_variable("~").empty());
  CONSTEXPR_CHECK(nono::after_variable("$A").empty());
  CONSTEXPR_CHECK(nono::leading_variable("/a").empty());
  CONSTEXPR_CHECK(nono::after_variable("/a") == "/a");
  CONSTEXPR_CHECK(nono::leading_variable("~user").empty());
  CONSTEXPR_CHECK(nono::leading_variable("").empty());
  CONSTEXPR_CHECK(nono::is_variable_name("$A_1"));
  CONSTEXPR_CHECK(!nono::is_variable_name("A"));
  CONSTEXPR_CHECK(!nono::is_variable_name("$"));
  CONSTEXPR_CHECK(!nono::is_variable_name(""));
  CONSTEXPR_CHECK(!nono::is_variable_name("$9a"));
  CONSTEXPR_CHECK(!nono::is_variable_name("$a b"));
}

TEST_CASE("path: is_within knows where a name ends") {
  CONSTEXPR_CHECK(nono::is_within("/a", "/a"));
  CONSTEXPR_CHECK(nono::is_within("/a/b", "/a"));
  CONSTEXPR_CHECK(!nono::is_within("/ab", "/a"));
  CONSTEXPR_CHECK(!nono::is_within("/a-1", "/a"));
  CONSTEXPR_CHECK(!nono::is_within("/a", "/a/b"));
  CONSTEXPR_CHECK(nono::is_within("/a", "/"));
  CONSTEXPR_CHECK(nono::is_within("/", "/"));
  CONSTEXPR_CHECK(!nono::is_within("/", "/a"));
  CONSTEXPR_CHECK(!nono::is_within("$HOME/a", "/"));
  CONSTEXPR_CHECK(nono::is_within("$HOME/a", "$HOME"));
  CONSTEXPR_CHECK(!nono::is_within("$HOMES/a", "$HOME"));
}

TEST_CASE("path: compare_text is byte order, at compile time and at run time") {
  CONSTEXPR_CHECK(nono::compare_text("", "") == 0);
  CONSTEXPR_CHECK(nono::compare_text("", "a") < 0);
  CONSTEXPR_CHECK(nono::compare_text("a", "") > 0);
  CONSTEXPR_CHECK(nono::compare_text("a", "ab") < 0);
  CONSTEXPR_CHECK(nono::compare_text("b", "ab") > 0);
  CONSTEXPR_CHECK(nono::compare_text("a\x7f", "a\x80") < 0);
  CONSTEXPR_CHECK(nono::compare_text("a\xff", "a\x01") > 0);
  CONSTEXPR_CHECK(nono::compare_text("same", "same") == 0);
}

TEST_CASE("path: trailing slashes go, the root stays") {
  CONSTEXPR_CHECK(nono::without_trailing_slash("/a//") == "/a");
  CONSTEXPR_CHECK(nono::without_trailing_slash("/") == "/");
  CONSTEXPR_CHECK(nono::without_trailing_slash("////") == "/");
  CONSTEXPR_CHECK(nono::without_trailing_slash("~/") == "~");
  CONSTEXPR_CHECK(nono::without_trailing_slash("").empty());
}

TEST_CASE("path: literals") {
  CONSTEXPR_CHECK(nono::path_literal("/srv/data//").text() == "/srv/data");
  CONSTEXPR_CHECK(nono::file_literal("/srv/data").text() == "/srv/data");
  CONSTEXPR_CHECK(nono::path_literal("~/x").text() == "~/x");
  CONSTEXPR_CHECK(nono::variable_literal("$DATA").text() == "$DATA");
}

TEST_CASE("path: known variables are well-formed and distinct") {
  for (const auto& name : nono::known_variables) {
    CHECK(nono::is_variable_name(name));
    int same = 0;
    for (const auto& other : nono::known_variables) same += other == name ? 1 : 0;
    CHECK(same == 1);
  }
}

TEST_CASE("path: plain is without empty and dot parts") {
  CONSTEXPR_CHECK(nono::is_plain("/"));
  CONSTEXPR_CHECK(nono::is_plain("/a/b"));
  CONSTEXPR_CHECK(nono::is_plain("~"));
  CONSTEXPR_CHECK(nono::is_plain("$HOME/.a/..."));
  CONSTEXPR_CHECK(!nono::is_plain("//"));
  CONSTEXPR_CHECK(!nono::is_plain("/a//b"));
  CONSTEXPR_CHECK(!nono::is_plain("/./a"));
  CONSTEXPR_CHECK(!nono::is_plain("/a/."));
  CONSTEXPR_CHECK(!nono::is_plain("$HOME//a"));
  CONSTEXPR_CHECK(!nono::is_plain("~/./a"));
}

TEST_CASE("path: what touches the system") {
  for (const std::string_view path :
       {"/", "/etc", "/etc/passwd", "/usr", "/usr/bin/x", "/usr/lib32", "/proc/1"}) {
    INFO(std::string(path));
    CHECK(nono::touches_system(path));
  }
  for (const std::string_view path :
       {"/srv", "/etcetera", "/usr/local", "/usr/local/bin", "/home/u/etc", "/root"}) {
    INFO(std::string(path));
    CHECK_FALSE(nono::touches_system(path));
  }
  CONSTEXPR_CHECK(nono::is_known_variable("$WORKDIR"));
  CONSTEXPR_CHECK(!nono::is_known_variable("$DATA"));
  CONSTEXPR_CHECK(!nono::is_known_variable(""));
}
