// SPDX-License-Identifier: Apache-2.0
#include <nono/macos/platform_rule.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "../constexpr_check.hpp"

using nono::errc;
using nono::seatbelt::check_platform_rule;

TEST_CASE("platform rule: what names its object exactly may be allowed, and anything may be denied") {
  for (const char* rule : {
           R"((allow sysctl-write (sysctl-name "kern.grade_cputype")))",
           R"((allow sysctl-read sysctl-write (sysctl-name "a") (sysctl-name "b")))",
           "  ( allow\n\tmach-lookup (global-name \"com.apple.cvmsServ\") )  ",
           R"((allow iokit-open (iokit-user-client-class "RootDomainUserClient")))",
           R"((deny file-write* (subpath "/Users/me/keep")))",
           R"((deny file* network* (require-all (subpath "/a") (require-not (literal "/a/b")))))",
           R"((deny network-outbound (remote tcp "*:25")))",
           R"((deny mach-lookup))",
       }) {
    INFO(rule);
    CHECK(check_platform_rule(rule) == errc::none);
  }
  CONSTEXPR_CHECK(check_platform_rule(R"((allow sysctl-read (sysctl-name "hw.ncpu")))") == errc::none);
}

TEST_CASE("platform rule: nothing that allows broadly, at any depth, in any spelling") {
  for (const char* rule : {
           "(allow default)",
           "(ALLOW default)",
           "(allow DEFAULT)",
           "(allow file*)",
           "(allow file-read*)",
           R"((allow file-read* (subpath "/")))",
           R"((allow file-read-data (literal "/etc/passwd")))",
           "(allow network*)",
           R"((allow network-outbound (remote tcp "*:443")))",
           "(allow process-exec)",
           "(allow process*)",
           "(allow signal)",
           "(allow mach*)",
           "(allow mach-lookup)",
           "(allow sysctl*)",
           "(allow sysctl-read)",
           "(allow sysctl-write)",
           R"((allow sysctl-read default (sysctl-name "a")))",
           R"((allow sysctl-read (require-not (sysctl-name "a"))))",
           R"((allow sysctl-read (require-any (sysctl-name "a") (subpath "/"))))",
           R"((allow sysctl-read (require-all (sysctl-name "a"))))",
           R"((allow sysctl-read (sysctl-name "*")))",
           R"((allow sysctl-read (sysctl-name-prefix "")))",
           R"((allow sysctl-read (global-name "a")))",
           R"((allow mach-lookup sysctl-read (global-name "a")))",
           R"((allow mach-lookup (global-name-prefix "com.apple")))",
           R"((allow mach-lookup (global-name "com.apple.SecurityServer")))",
           R"((allow mach-lookup (global-name "com.apple.securityd.xpc")))",
           R"((allow mach-lookup (global-name "a" "b")))",
           R"((allow mach-lookup (global-name (param "P0"))))",
           R"((allow mach-lookup (global-name (string-append "com.apple." "secd"))))",
           R"((allow mach-lookup (with no-log) (global-name "a")))",
           R"((import "bsd.sb"))",
           "(begin (allow default))",
           "(if #t (allow default))",
           "(define (x) 1)",
           "(version 1)",
           "(debug allow)",
           R"((trace "/tmp/x"))",
           "(let ((a allow)) (a default))",
       }) {
    INFO(rule);
    const errc why = check_platform_rule(rule);
    CHECK((why == errc::platform_rule_too_broad || why == errc::platform_rule_malformed));
  }
}

TEST_CASE("platform rule: one whole expression of plain tokens") {
  for (
      const char* rule : {
          "",
          " ",
          "(",
          ")",
          "()",
          "(allow",
          "(deny",
          "allow",
          "(deny)",
          "(allow)",
          "((deny default))",
          R"((deny file-read* (literal "/a"))))",
          R"((deny file-read* (literal "/a")) (allow default))",
          R"((deny file-read* (literal "/a)))",
          R"((deny file-read* (literal "/a\"b")))",
          R"((deny file-read* (literal "/a\x22")))",
          R"((deny file-read* (literal "")))",
          "(deny file-read* (literal \"/a\nb\"))",
          "(deny file-read* (literal \"/\xc3\xbc\"))",
          R"((deny file-read* (regex #"^/")))",
          "(deny default) ; (allow default)",
          "(deny file-read* 'x)",
          "(deny file-read* #t)",
          R"((deny file-read* (allow default)))",
          R"((deny file-read* (with no-log)))",
          R"((deny file-read* (literal "/a") literal))",
          R"((deny x (require-not (require-not (require-not (require-not (require-not (require-not (require-not (require-not (literal "/a")))))))))))",
      }) {
    INFO(rule);
    CHECK(check_platform_rule(rule) == errc::platform_rule_malformed);
  }
  const std::string nul("(deny file-read*\0)", 18);
  CHECK(check_platform_rule(nul) == errc::platform_rule_malformed);
}
