// SPDX-License-Identifier: Apache-2.0
// Every form of a reference, and what no reference is.
#include "secrets/reference.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace nono::secrets;
using kind = reference::kind;

namespace {

reference good(std::string_view text) {
  INFO(std::string(text));
  auto out = parse_reference(text);
  if (!out) FAIL(out.error().message());
  return *out;
}

std::string bad(std::string_view text) {
  INFO(std::string(text.substr(0, 100)));
  const auto out = parse_reference(text);
  REQUIRE_FALSE(out);
  CHECK(out.error().code == nono::errc::bad_argument);
  const std::string message = out.error().message();
  CHECK(message.find('\n') == std::string::npos);
  CHECK(message.find('\x1b') == std::string::npos);
  return message;
}

}  // namespace

TEST_CASE("reference: a name is an account of the keyring's service nono") {
  const reference one = good("openai_2");
  CHECK(one.is == kind::keyring);
  CHECK(one.service == "nono");
  CHECK(one.account == "openai_2");
  CHECK_FALSE(one.go_keyring);
  CHECK(one.shown == "openai_2");
}

TEST_CASE("reference: the keyring by service and account") {
  const reference one = good("keyring://gh:github.com/a b@c?decode=go-keyring");
  CHECK(one.is == kind::keyring);
  CHECK(one.service == "gh:github.com");
  CHECK(one.account == "a b@c");
  CHECK(one.go_keyring);
  CHECK(one.shown == "keyring://gh:github.com/a b@c");
  CHECK_FALSE(good("keyring://a/b").go_keyring);
  CHECK(good("keyring://a/" + std::string(1012 - 1, 'x')).account.size() == 1011);  // 1023 bytes
  CHECK(good("keyring://a/" + std::string(1012, 'x')).account.size() == 1012);      // 1024
  CHECK(bad("keyring://a/" + std::string(1013, 'x')) ==
        "a keyring:// URI is longer than 1024 bytes; write a shorter service and account");
  CHECK(bad("keyring://a/b?decode=hex") ==
        "keyring:// knows no '?decode=hex'; write ?decode=go-keyring, or nothing");
  for (const char* text : {"keyring://", "keyring://a", "keyring://a/", "keyring:///b", "keyring://a/b/c"})
    CHECK(bad(text) == "a keyring:// URI names a service and an account; write keyring://SERVICE/ACCOUNT");
}

TEST_CASE("reference: a variable") {
  const reference one = good("env://OPENAI_API_KEY");
  CHECK(one.is == kind::variable);
  CHECK(one.name == "OPENAI_API_KEY");
  CHECK(one.shown == "env://OPENAI_API_KEY");
  CHECK(bad("env://") ==
        "the variable '' of env:// is no name of letters, digits and _; write env://OPENAI_API_KEY");
  CHECK(bad("env://A-B") ==
        "the variable 'A-B' of env:// is no name of letters, digits and _; write env://OPENAI_API_KEY");
  for (const char* text : {"env://PATH", "env://ld_preload", "env://DYLD_X", "env://HOME"})
    CHECK(bad(text) ==
          std::string(text) + " names a variable that steers programs and holds no secret; name another");
}

TEST_CASE("reference: a file") {
  const reference one = good("file:///run/secrets/a key..x");
  CHECK(one.is == kind::file);
  CHECK(one.name == "/run/secrets/a key..x");
  CHECK(one.shown == "file:///run/secrets/a key..x");
  for (const char* text : {"file://", "file:///", "file://host/path", "file://./x"})
    CHECK(bad(text) == "a file:// URI names no absolute path; write file:///run/secrets/key");
  for (const char* text : {"file:///a/../b", "file:///.."})
    CHECK(bad(text).find("has a '..' part; write the path it stands for") != std::string::npos);
  CHECK(bad("file:///" + std::string(4096, 'x')) ==
        "a file:// URI is longer than 4095 bytes; write a shorter one");
}

TEST_CASE("reference: 1Password and Bitwarden, shown without what they name") {
  const reference one = good("op://Private/OpenAI key/api/credential");
  CHECK(one.is == kind::one_password);
  CHECK(one.name == "op://Private/OpenAI key/api/credential");
  CHECK(one.shown == "op://Private/...");
  CHECK(good("op://v/i/f?attribute=otp").name == "op://v/i/f?attribute=otp");
  for (const char* text : {"op://", "op://v", "op://v/i", "op://v/i/", "op://v//f", "op:///i/f",
                           "op://a/b/c/d/e", "op://v/i?a/f"})
    CHECK(bad(text) ==
          "an op:// URI names a vault, an item and a field; write op://VAULT/ITEM/FIELD or "
          "op://VAULT/ITEM/SECTION/FIELD");
  const reference two = good("bw://OpenAI/password");
  CHECK(two.is == kind::bitwarden);
  CHECK(two.name == "OpenAI");
  CHECK(two.field == "password");
  CHECK(two.shown == "bw://...");
  CHECK(good("bw://OpenAI").field.empty());
  for (const char* text : {"bw://", "bw:///x", "bw://a/", "bw://a/b/c"})
    CHECK(bad(text) ==
          "a bw:// URI names an item and at most a field of it; write bw://ITEM or bw://ITEM/FIELD");
}

TEST_CASE("reference: Apple's passwords and captured commands") {
  for (const std::string scheme : {"apple-password://", "apple-passwords://"}) {
    const reference one = good(scheme + "github.com/me");
    CHECK(one.is == kind::apple_password);
    CHECK(one.service == "github.com");
    CHECK(one.account == "me");
    CHECK(one.shown == "apple-password://github.com/...");
    for (const char* rest : {"", "a", "a/", "/b", "a/b/c"})
      CHECK(bad(scheme + rest) ==
            "an apple-password:// URI names a server and an account; write apple-password://SERVER/ACCOUNT");
  }
  const reference two = good("cmd://vault_token");
  CHECK(two.is == kind::command);
  CHECK(two.name == "vault_token");
  CHECK(bad("cmd://a b") ==
        "the name 'a b' of cmd:// is not of letters, digits and _; write a name of the profile's "
        "credential_capture");
}

TEST_CASE("reference: what a shell would read is refused in every URI") {
  for (const std::string scheme :
       {"keyring://a/b", "file:///a", "op://a/b/c", "bw://a", "apple-password://a/b", "env://A", "cmd://a"})
    for (const char c : std::string(";|&$`(){}<>!\\\"'\n\x1b\x7f\x01"))
      CHECK(bad(scheme + c)
                .find(" URI has a control character or one of ;|&$`(){}<>!\\\"', which mean something to "
                      "a shell; name the secret without") != std::string::npos);
  CHECK(bad(std::string("bw://a\0b", 8)).find("control character") != std::string::npos);
}

TEST_CASE("reference: what may be a key is not repeated") {
  CHECK(bad("") == "a credential's source is empty; write a name in the keyring, or env://OPENAI_API_KEY");
  CHECK(bad("google-ai") ==
        "the name 'google-ai' of a secret is not of letters, digits and _; write keyring://nono/ACCOUNT for "
        "another "
        "account of the keyring");
  CHECK(bad("sk-proj-0123456789").find("the name 'sk-p...' of a secret") == 0);
  CHECK(bad("s3://a/b") ==
        "'s3://' is no source of secrets; write a name in the keyring, keyring://, env://, file://, op:// or "
        "bw://");
  CHECK(bad("sk-proj-0123456789://x").find("'sk-p...' is no source") == 0);
  CHECK(bad("env://sk-proj-0123456789").find("the variable 'sk-p...'") == 0);
}

TEST_CASE("reference: variables that no secret is put into") {
  for (const char* name : {"LD_PRELOAD",
                           "LD_LIBRARY_PATH",
                           "LD_AUDIT",
                           "DYLD_INSERT_LIBRARIES",
                           "DYLD_LIBRARY_PATH",
                           "DYLD_FRAMEWORK_PATH",
                           "BASH_ENV",
                           "ENV",
                           "IFS",
                           "CDPATH",
                           "PROMPT_COMMAND",
                           "NODE_OPTIONS",
                           "NODE_PATH",
                           "PYTHONSTARTUP",
                           "PYTHONPATH",
                           "PERL5OPT",
                           "PERL5LIB",
                           "RUBYOPT",
                           "RUBYLIB",
                           "JAVA_TOOL_OPTIONS",
                           "_JAVA_OPTIONS",
                           "DOTNET_STARTUP_HOOKS",
                           "GOFLAGS",
                           "PATH",
                           "HOME",
                           "SHELL",
                           "path",
                           "Ld_x",
                           "DYLD_",
                           "NONO_TOKEN",
                           "nono_token",
                           "NONO_",
                           "",
                           "1A",
                           "A-B",
                           "A=B",
                           "A B",
                           "\xc3\xa4"}) {
    INFO(name);
    CHECK(forbidden_target(name));
  }
  for (const char* name : {"OPENAI_API_KEY", "_", "a1", "LD", "NONO", "XPATH", "PATHS", "HOME_KEY", "ENV_"}) {
    INFO(name);
    CHECK_FALSE(forbidden_target(name));
  }
}
