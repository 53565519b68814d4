// SPDX-License-Identifier: Apache-2.0
#include <nono/error.hpp>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "constexpr_check.hpp"

using namespace std::string_literals;
using nono::errc;
using nono::error;

namespace {

std::string quote(std::string_view text) {
  std::string out;
  nono::append_quoted(out, text);
  return out;
}

/// Decodes strictly by RFC 3629, table 3-7 of Unicode: false for anything else.
bool decode(std::string_view text, std::vector<std::uint32_t>& points) {
  const auto at = [&](std::size_t i) -> std::uint32_t {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto in = [](std::uint32_t b, std::uint32_t low, std::uint32_t high) {
    return b >= low && b <= high;
  };
  for (std::size_t i = 0; i < text.size();) {
    const std::uint32_t a = at(i);
    const std::uint32_t b = at(i + 1);
    const std::uint32_t c = at(i + 2);
    const std::uint32_t d = at(i + 3);
    const bool c_ok = in(c, 0x80, 0xBF);
    const bool d_ok = in(d, 0x80, 0xBF);
    if (a < 0x80) {
      points.push_back(a);
      i += 1;
    } else if (in(a, 0xC2, 0xDF) && in(b, 0x80, 0xBF)) {
      points.push_back((a & 0x1F) << 6 | (b & 0x3F));
      i += 2;
    } else if (c_ok && ((a == 0xE0 && in(b, 0xA0, 0xBF)) || (in(a, 0xE1, 0xEC) && in(b, 0x80, 0xBF)) ||
                        (a == 0xED && in(b, 0x80, 0x9F)) || (in(a, 0xEE, 0xEF) && in(b, 0x80, 0xBF)))) {
      points.push_back((a & 0x0F) << 12 | (b & 0x3F) << 6 | (c & 0x3F));
      i += 3;
    } else if (c_ok && d_ok &&
               ((a == 0xF0 && in(b, 0x90, 0xBF)) || (in(a, 0xF1, 0xF3) && in(b, 0x80, 0xBF)) ||
                (a == 0xF4 && in(b, 0x80, 0x8F)))) {
      points.push_back((a & 0x07) << 18 | (b & 0x3F) << 12 | (c & 0x3F) << 6 | (d & 0x3F));
      i += 4;
    } else {
      return false;
    }
  }
  return true;
}

std::string encode(std::uint32_t point) {
  const auto byte = [](std::uint32_t b) { return static_cast<char>(static_cast<unsigned char>(b)); };
  const auto tail = [&](unsigned shift) { return byte(0x80 | ((point >> shift) & 0x3F)); };
  if (point < 0x80) return {byte(point)};
  if (point < 0x800) return {byte(0xC0 | point >> 6), tail(0)};
  if (point < 0x10000) return {byte(0xE0 | point >> 12), tail(6), tail(0)};
  return {byte(0xF0 | point >> 18), tail(12), tail(6), tail(0)};
}

/// What no terminal and no log may get. Source: Unicode, C0 and C1, line ends, property Bidi_Control but for
/// ARABIC LETTER MARK, which has a test of its own.
bool harmful(std::uint32_t p) {
  return p < 0x20 || (p >= 0x7F && p < 0xA0) || p == 0x2028 || p == 0x2029 || p == 0x200E || p == 0x200F ||
         (p >= 0x202A && p <= 0x202E) || (p >= 0x2066 && p <= 0x2069);
}

/// The inverse of append_quoted. False if `text` is not of its making.
bool unquote(std::string_view text, std::string& out) {
  if (text.size() < 2 || text.front() != '\'' || text.back() != '\'') return false;
  text = text.substr(1, text.size() - 2);
  const auto digit = [](char c) -> int {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\'') return false;
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) return false;
    if (text[i] == '\'' || text[i] == '\\') {
      out += text[i];
    } else if (text[i] == 'n') {
      out += '\n';
    } else if (text[i] == 'x' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
      out += static_cast<char>(static_cast<unsigned char>(digit(text[i + 1]) * 16 + digit(text[i + 2])));
      i += 2;
    } else {
      return false;
    }
  }
  return true;
}

constexpr errc every_code[] = {errc::none,
                               errc::path_empty,
                               errc::path_not_absolute,
                               errc::path_has_parent,
                               errc::path_too_long,
                               errc::path_has_nul,
                               errc::variable_misplaced,
                               errc::variable_unknown,
                               errc::variable_unbound,
                               errc::variable_bad_value,
                               errc::empty_access,
                               errc::directory_right_on_file,
                               errc::deny_contradicts_grant,
                               errc::network_given_twice,
                               errc::port_out_of_range,
                               errc::too_many_rules,
                               errc::variable_opens_system,
                               errc::duplicate_rule,
                               errc::file_path_ends_with_slash,
                               errc::port_given_twice,
                               errc::too_many_ports,
                               errc::port_contradicts_network,
                               errc::group_given_twice,
                               errc::too_many_groups,
                               errc::too_many_variables,
                               errc::variable_declared_twice,
                               errc::variable_known_already,
                               errc::protection_not_liftable,
                               errc::protection_not_enforceable,
                               errc::lifted_and_best_effort,
                               errc::unix_sockets_given_twice,
                               errc::connect_unix_without_sockets,
                               errc::target_given_twice,
                               errc::not_portable,
                               errc::path_not_plain,
                               errc::not_within,
                               errc::host_empty,
                               errc::host_not_bare,
                               errc::host_has_port,
                               errc::host_address_misspelt,
                               errc::host_wildcard_misplaced,
                               errc::host_not_lower_case,
                               errc::host_too_long,
                               errc::host_malformed,
                               errc::no_hosts,
                               errc::too_many_hosts,
                               errc::platform_rule_malformed,
                               errc::platform_rule_too_broad,
                               errc::path_not_found,
                               errc::not_a_directory,
                               errc::not_a_file,
                               errc::path_not_accessible,
                               errc::path_changed,
                               errc::too_many_open_files,
                               errc::unsupported_platform,
                               errc::landlock_not_in_kernel,
                               errc::landlock_disabled,
                               errc::landlock_refused,
                               errc::protection_unavailable,
                               errc::namespace_refused,
                               errc::seccomp_unavailable,
                               errc::restrict_refused,
                               errc::filter_refused,
                               errc::too_many_filters,
                               errc::listener_taken,
                               errc::already_sandboxed,
                               errc::sandbox_refused,
                               errc::not_on_macos,
                               errc::multi_threaded,
                               errc::needs_child,
                               errc::ruleset_failed,
                               errc::restrict_failed,
                               errc::too_many_layers,
                               errc::filter_failed,
                               errc::capabilities_failed,
                               errc::program_not_found,
                               errc::program_not_executable,
                               errc::exec_failed,
                               errc::chdir_failed,
                               errc::stdio_failed,
                               errc::fork_failed,
                               errc::wait_failed,
                               errc::bad_argument,
                               errc::hosts_need_the_runner,
                               errc::thread_unreachable,
                               errc::socket_open,
                               errc::io_uring_open,
                               errc::descriptors_unseen,
                               errc::json_malformed,
                               errc::json_too_large,
                               errc::json_too_deep,
                               errc::json_repeated_key,
                               errc::json_missing_key,
                               errc::json_wrong_type,
                               errc::json_unknown_key,
                               errc::json_bad_value,
                               errc::state_path_not_utf8,
                               errc::state_version_unknown,
                               errc::state_contradicts_itself,
                               errc::state_path_moved,
                               errc::state_file_replaced,
                               errc::state_not_restorable,
                               errc::profile_not_found,
                               errc::profile_unreadable,
                               errc::profile_extends_itself,
                               errc::profile_extends_too_deep,
                               errc::profile_field_not_built,
                               errc::profile_group_unknown,
                               errc::profile_group_required};

error sample(errc code) { return {code, EACCES, "RULE", "PATH", "OTHER"}; }

constexpr int number(errc code) { return static_cast<int>(code); }

}  // namespace

TEST_CASE("error: numbers are stable") {
  CONSTEXPR_CHECK(number(errc::none) == 0);
  CONSTEXPR_CHECK(number(errc::path_empty) == 1);
  CONSTEXPR_CHECK(number(errc::deny_contradicts_grant) == 12);
  CONSTEXPR_CHECK(number(errc::too_many_rules) == 15);
  CONSTEXPR_CHECK(number(errc::variable_opens_system) == 16);
  CONSTEXPR_CHECK(number(errc::connect_unix_without_sockets) == 31);
  CONSTEXPR_CHECK(number(errc::path_not_plain) == 34);
  CONSTEXPR_CHECK(number(errc::not_within) == 35);
  CONSTEXPR_CHECK(number(errc::host_empty) == 36);
  CONSTEXPR_CHECK(number(errc::too_many_hosts) == 45);
  CONSTEXPR_CHECK(number(errc::platform_rule_too_broad) == 47);
  CONSTEXPR_CHECK(number(errc::path_not_found) == 100);
  CONSTEXPR_CHECK(number(errc::too_many_open_files) == 105);
  CONSTEXPR_CHECK(number(errc::unsupported_platform) == 200);
  CONSTEXPR_CHECK(number(errc::seccomp_unavailable) == 206);
  CONSTEXPR_CHECK(number(errc::listener_taken) == 210);
  CONSTEXPR_CHECK(number(errc::sandbox_refused) == 212);
  CONSTEXPR_CHECK(number(errc::multi_threaded) == 300);
  CONSTEXPR_CHECK(number(errc::bad_argument) == 314);
  CONSTEXPR_CHECK(number(errc::hosts_need_the_runner) == 315);
  CONSTEXPR_CHECK(number(errc::descriptors_unseen) == 319);
  CONSTEXPR_CHECK(number(errc::json_malformed) == 400);
  CONSTEXPR_CHECK(number(errc::json_bad_value) == 407);
  CONSTEXPR_CHECK(number(errc::state_path_not_utf8) == 420);
  CONSTEXPR_CHECK(number(errc::state_not_restorable) == 425);
  CONSTEXPR_CHECK(number(errc::profile_not_found) == 440);
  CONSTEXPR_CHECK(number(errc::profile_group_required) == 446);
}

TEST_CASE("error: every code has one text, and there is no other text") {
  CHECK(std::size(every_code) == std::size(nono::detail::errc_texts));
  for (const errc code : every_code) {
    int texts = 0;
    for (const auto& entry : nono::detail::errc_texts) texts += entry.code == code ? 1 : 0;
    INFO("code ", number(code));
    CHECK(texts == 1);
  }
}

TEST_CASE("error: every message is a sentence of its own") {
  std::set<std::string> seen;
  for (const errc code : every_code) {
    const std::string message = sample(code).message();
    INFO("code ", number(code), ": ", message);
    CHECK(message.find('%') == std::string::npos);
    CHECK(message.find(" | ") == std::string::npos);
    CHECK(message.find('\n') == std::string::npos);
    CHECK(seen.insert(message).second);
    if (code != errc::none && code != errc::bad_argument) CHECK(message.find(' ') != std::string::npos);
  }
  CHECK(error{static_cast<errc>(999), 0, {}, {}, {}}.message() == "unknown error");
  CHECK(error{}.message() == "no error");
}

TEST_CASE("error: what follows 'to change that' tells what to do") {
  const std::set<std::string> imperatives = {
      "name",   "begin",  "write",   "grant", "declare", "pass", "bind",    "use",   "keep",  "give",
      "create", "check",  "resolve", "raise", "run",     "add",  "let",     "allow", "apply", "start",
      "end",    "rename", "put",     "make",  "leave",   "nest", "restore", "take",  "close", "mount"};
  for (const errc code : every_code) {
    const std::string message = sample(code).message();
    constexpr std::string_view mark = "; to change that, ";
    const std::size_t at = message.find(mark);
    if (at == std::string::npos) continue;
    std::istringstream words(message.substr(at + mark.size()));
    std::string first;
    words >> first;
    INFO("code ", number(code), ": ", message);
    CHECK(imperatives.count(first) == 1);
  }
}

TEST_CASE("error: messages name the rule, the path, the second rule and errno") {
  const auto holds = [](const error& e, std::string_view words) {
    return e.message().find(words) != std::string::npos;
  };
  const error deny{errc::deny_contradicts_grant, 0, "allow_path<read>('/a')", "/a/b", "deny_path('/a/b')"};
  CHECK(holds(deny, "allow_path<read>('/a')"));
  CHECK(holds(deny, "deny_path('/a/b')"));
  const error closed{errc::path_not_accessible, EACCES, "allow_path<read>('/a')", "/a", {}};
  CHECK(holds(closed, "allow_path<read>('/a')"));
  CHECK(holds(closed, "'/a'"));
  CHECK(holds(closed, "Permission denied"));
  CHECK(holds(error{errc::variable_unbound, 0, {}, "$DATA", {}}, "'$DATA'"));
  CHECK(holds(error{errc::protection_unavailable, 0, {}, {}, "signals (words)"}, "signals (words)"));
  CHECK(holds(error{errc::ruleset_failed, EINVAL, " for '/x'", {}, "landlock_add_rule"},
              "landlock_add_rule failed: Invalid argument for '/x'"));
  CHECK(error{errc::ruleset_failed, EINVAL, {}, {}, "landlock_create_ruleset"}.message() ==
        "landlock_create_ruleset failed: Invalid argument");
  CHECK(holds(error{errc::path_not_found, ENOENT, {}, "/x", {}}, "the policy: '/x' does not exist"));
}

TEST_CASE("error: a hostile path stays inside its quotes") {
  const error e{errc::path_not_found, ENOENT, {}, "/x'\nnono: all is well \x1b[2J", {}};
  CHECK(e.message().find('\n') == std::string::npos);
  CHECK(e.message().find('\x1b') == std::string::npos);
  CHECK(e.message().find(R"('/x\'\nnono: all is well \x1b[2J')") != std::string::npos);
}

TEST_CASE("append_quoted: what is escaped, byte for byte") {
  CHECK(quote("") == "''");
  CHECK(quote("/srv/data 1") == "'/srv/data 1'");
  CHECK(quote("it's") == R"('it\'s')");
  CHECK(quote("\"") == "'\"'");
  CHECK(quote("a\\b") == R"('a\\b')");
  CHECK(quote("a\\nb") == R"('a\\nb')");
  CHECK(quote("a\nb") == R"('a\nb')");
  CHECK(quote("\r\t\v\f\b") == R"('\x0d\x09\x0b\x0c\x08')");
  CHECK(quote("\x1b[31m") == R"('\x1b[31m')");
  CHECK(quote("\x7f") == R"('\x7f')");
  CHECK(quote("\0"s) == R"('\x00')");
}

TEST_CASE("append_quoted: UTF-8 passes, whatever is not stays bytes") {
  CHECK(quote("gr\xc3\xbc\xc3\x9f") == "'gr\xc3\xbc\xc3\x9f'");
  CHECK(quote("\xe2\x82\xac") == "'\xe2\x82\xac'");
  CHECK(quote("\xf0\x9f\x98\x80") == "'\xf0\x9f\x98\x80'");
  CHECK(quote("\xf4\x8f\xbf\xbd") == "'\xf4\x8f\xbf\xbd'");
  CHECK(quote("\x80") == R"('\x80')");                          // a tail alone
  CHECK(quote("\xc3") == R"('\xc3')");                          // truncated
  CHECK(quote("\xe2\x82") == R"('\xe2\x82')");                  // truncated
  CHECK(quote("\xf0\x9f\x98") == R"('\xf0\x9f\x98')");          // truncated
  CHECK(quote("\xe2\x82'") == R"('\xe2\x82\'')");               // truncated by a quote
  CHECK(quote("\xc0\xaf") == R"('\xc0\xaf')");                  // overlong '/'
  CHECK(quote("\xc1\xbf") == R"('\xc1\xbf')");                  // overlong
  CHECK(quote("\xe0\x80\xaf") == R"('\xe0\x80\xaf')");          // overlong
  CHECK(quote("\xe0\x9f\xbf") == R"('\xe0\x9f\xbf')");          // overlong
  CHECK(quote("\xf0\x8f\xbf\xbf") == R"('\xf0\x8f\xbf\xbf')");  // overlong
  CHECK(quote("\xed\xa0\x80") == R"('\xed\xa0\x80')");          // surrogate
  CHECK(quote("\xed\xbf\xbf") == R"('\xed\xbf\xbf')");          // surrogate
  CHECK(quote("\xf4\x90\x80\x80") == R"('\xf4\x90\x80\x80')");  // beyond U+10FFFF
  CHECK(quote("\xf5\x80\x80\x80") == R"('\xf5\x80\x80\x80')");
  CHECK(quote("\xff\xfe") == R"('\xff\xfe')");
}

TEST_CASE("append_quoted: nothing behind the end of the view is looked at") {
  CHECK(quote(std::string_view("\xe2\x82\xac", 2)) == R"('\xe2\x82')");
  CHECK(quote(std::string_view("\xc3\xbc", 1)) == R"('\xc3')");
  CHECK(quote(std::string_view("a\xf0\x9f\x98\x80", 4)) == R"('a\xf0\x9f\x98')");
}

TEST_CASE("append_quoted: control characters in UTF-8 are escaped") {
  CHECK(quote("\xc2\x9b") == R"('\xc2\x9b')");  // C1: CSI
  CHECK(quote("\xc2\x80") == R"('\xc2\x80')");
  CHECK(quote("\xc2\x9f") == R"('\xc2\x9f')");
  CHECK(quote("\xc2\xa0") == "'\xc2\xa0'");
  for (const std::uint32_t p :
       {0x200BU, 0x200EU, 0x200FU, 0x2028U, 0x2029U, 0x202AU, 0x202EU, 0x2066U, 0x2069U}) {
    INFO("U+", p);
    CHECK(quote(encode(p)).find("\\x") != std::string::npos);
  }
  CHECK(quote(encode(0x202F)) == "'" + encode(0x202F) + "'");
  CHECK(quote(encode(0x2010)) == "'" + encode(0x2010) + "'");
}

TEST_CASE("append_quoted: ARABIC LETTER MARK turns the direction, too") {
  CHECK(quote(encode(0x061C)) == R"('\xd8\x9c')");
}

TEST_CASE("append_quoted: every code point comes out printable or escaped, and as it went in") {
  int bad = 0;
  for (std::uint32_t p = 0; p <= 0x10FFFF; ++p) {
    if (p >= 0xD800 && p <= 0xDFFF) continue;
    const std::string in = encode(p);
    const std::string out = quote(in);
    const bool passed = out.find(in) != std::string::npos && p != '\'' && p != '\\';
    std::string back;
    if ((passed && harmful(p)) || !unquote(out, back) || back != in) ++bad;
  }
  CHECK(bad == 0);
}

TEST_CASE("append_quoted: for any bytes one line, printable, valid UTF-8, and reversible") {
  std::mt19937_64 random(20260926);
  const std::vector<std::string> pieces = {"'",
                                           "\\",
                                           "\\x",
                                           "\\n",
                                           "\n",
                                           "\r",
                                           "\x1b[2J",
                                           "\x7f",
                                           "\0"s,
                                           "\xc2\x85",
                                           "\xe2\x80\xa8",
                                           "\xe2\x80\xae",
                                           "\xe2\x81\xa6",
                                           "\xc3\xbc",
                                           "\xe2\x82\xac",
                                           "\xf0\x9f\x98\x80",
                                           "\xc0\x80",
                                           "\xe0\x80\x80",
                                           "\xed\xa0\x80",
                                           "\xf4\x90\x80\x80",
                                           "\xf0\x9f\x98",
                                           "\xe2\x82",
                                           "\xc3",
                                           "\xff",
                                           "\xf8\x88\x80\x80\x80",
                                           "/",
                                           "a"};
  int bad = 0;
  std::string first_bad;
  for (int i = 0; i < 100'000; ++i) {
    std::string in;
    for (std::uint64_t n = random() % 12; n > 0; --n) {
      if (random() % 2 == 0)
        in += pieces[random() % pieces.size()];
      else
        in += static_cast<char>(static_cast<unsigned char>(random() % 256));
    }
    const std::string out = quote(in);
    std::vector<std::uint32_t> points;
    bool fine = decode(out, points);
    for (const std::uint32_t p : points) fine = fine && !harmful(p);
    std::string back;
    fine = fine && unquote(out, back) && back == in;
    if (!fine && ++bad == 1) first_bad = out;
  }
  INFO("first: ", first_bad);
  CHECK(bad == 0);
}

TEST_CASE("result: a value or an error") {
  nono::result<std::string> good = "text"s;
  CHECK(good.has_value());
  CHECK(static_cast<bool>(good));
  CHECK(*good == "text");
  CHECK(good->size() == 4);
  CHECK(std::move(good).value() == "text");
  nono::result<std::string> bad = error{errc::path_empty, 0, "r", "p", "o"};
  CHECK_FALSE(bad.has_value());
  CHECK(bad.error().code == errc::path_empty);
  CHECK(std::move(bad).error().rule == "r");
  const nono::result<int> constant = 3;
  CHECK(*constant == 3);
  CHECK(constant.value() == 3);
}

TEST_CASE("result: the value of a failure ends the process and says why") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const int pid = fork();
  if (pid == 0) {
    if (dup2(ends[1], 2) < 0) _exit(1);
    const nono::result<int> bad = error{errc::path_not_found, ENOENT, {}, "/gone", {}};
    std::signal(SIGABRT, SIG_DFL);
    (void)bad.value();
    _exit(0);
  }
  close(ends[1]);
  std::string said;
  char buffer[256];
  for (ssize_t n = 0; (n = read(ends[0], buffer, sizeof buffer)) > 0;)
    said.append(buffer, static_cast<std::size_t>(n));
  close(ends[0]);
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGABRT);
  CHECK(said.find("'/gone' does not exist") != std::string::npos);
}
