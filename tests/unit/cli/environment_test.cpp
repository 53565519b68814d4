// SPDX-License-Identifier: Apache-2.0
// The child's environment, and names that look like keys.
#include "cli/resolve/environment.hpp"

#include <doctest/doctest.h>

using namespace nono::cli;
using std::string;
using entries = std::vector<string>;
using pairs = std::vector<std::pair<string, string>>;

TEST_CASE("variables that make programs run foreign code are dangerous") {
  for (const char* name : {"LD_PRELOAD",
                           "LD_LIBRARY_PATH",
                           "LD_",
                           "DYLD_INSERT_LIBRARIES",
                           "BASH_ENV",
                           "ENV",
                           "CDPATH",
                           "GLOBIGNORE",
                           "BASH_FUNC_ls%%",
                           "PROMPT_COMMAND",
                           "IFS",
                           "PYTHONSTARTUP",
                           "PYTHONPATH",
                           "NODE_OPTIONS",
                           "NODE_PATH",
                           "PERL5OPT",
                           "PERL5LIB",
                           "RUBYOPT",
                           "RUBYLIB",
                           "GEM_PATH",
                           "GEM_HOME",
                           "JAVA_TOOL_OPTIONS",
                           "_JAVA_OPTIONS",
                           "DOTNET_STARTUP_HOOKS",
                           "GOFLAGS",
                           "OP_SERVICE_ACCOUNT_TOKEN",
                           "OP_CONNECT_TOKEN",
                           "OP_CONNECT_HOST",
                           "OP_SESSION_my"}) {
    CAPTURE(name);
    CHECK(dangerous_variable(name));
  }
  for (const char* name :
       {"", "PATH", "HOME", "LD", "OLD_PRELOAD", "ld_preload", "ENVIRONMENT", "MY_ENV", "IFSX",
        "PYTHONUNBUFFERED", "NODE_ENV", "GOPATH", "OP_ACCOUNT", "BASH_VERSION", "NONO_PROFILE"}) {
    CAPTURE(name);
    CHECK_FALSE(dangerous_variable(name));
  }
}

TEST_CASE("the inherited environment is filtered entry by entry") {
  const char* inherited[] = {"PATH=/bin",
                             "LD_PRELOAD=/tmp/x.so",
                             "NONO_CAP_FILE=/tmp/.nono-1.json",
                             "NONO_SUPERVISOR_PATH=x",
                             "NONO_DETACHED_LAUNCH=1",
                             "NONO_DETACHED_SESSION_ID=1",
                             "NONO_DETACHED_CWD_PROMPT_RESPONSE=y",
                             "NONO_PROFILE=go-dev",
                             "no_equals_sign",
                             "=empty name",
                             "",
                             "BASH_FUNC_f%%=() { evil; }",
                             "EMPTY=",
                             "URL=a=b=c",
                             "TWICE=first",
                             "TWICE=second",
                             nullptr};
  CHECK(clean_environment(inherited, {}) ==
        entries{"PATH=/bin", "NONO_PROFILE=go-dev", "EMPTY=", "URL=a=b=c", "TWICE=first"});
  CHECK(clean_environment(nullptr, {}).empty());
}

TEST_CASE("added variables win, the later over the earlier, and each name stands once") {
  const char* inherited[] = {"A=inherited", "B=inherited", "AB=inherited", nullptr};
  const pairs added = {
      {"A", "1"}, {"C", ""}, {"LD_PRELOAD", "asked for"}, {"A", "2"}, {"NONO_CAP_FILE", "/x"}};
  CHECK(clean_environment(inherited, added) ==
        entries{"B=inherited", "AB=inherited", "C=", "LD_PRELOAD=asked for", "A=2", "NONO_CAP_FILE=/x"});
}

TEST_CASE("added variables that cannot stand in an environment are dropped and replace nothing") {
  const char* inherited[] = {"A=kept", "B=kept", nullptr};
  const pairs added = {{"", "x"}, {"A=B", "x"}, {string("A\0", 2), "x"}, {"B", string("x\0y", 3)}};
  CHECK(clean_environment(inherited, added) == entries{"A=kept", "B=kept"});
}

TEST_CASE("names that look like keys") {
  for (const char* name : {"OPENAI_API_KEY",
                           "openai_api_key",
                           "API_KEY",
                           "APIKEY",
                           "OPENAI_APIKEY",
                           "OPENAI_API_KEY_2",
                           "GH_TOKEN",
                           "GITHUB_TOKEN",
                           "TOKEN",
                           "CSRFTOKEN",
                           "npm_config__authToken",
                           "AWS_SECRET_ACCESS_KEY",
                           "AWS_ACCESS_KEY_ID",
                           "AWS_SESSION_TOKEN",
                           "DB_PASSWORD",
                           "PGPASSWORD",
                           "MYSQL_PWD",
                           "DB_PASSWD",
                           "SMTP_PASS",
                           "SSHPASS",
                           "GPG_PASSPHRASE",
                           "CLIENT_SECRET",
                           "SSH_PRIVATE_KEY",
                           "GOOGLE_APPLICATION_CREDENTIALS",
                           "DATABASE_URL",
                           "TEST_DATABASE_URL",
                           "SECRET_KEY_BASE",
                           "DJANGO_SECRET_KEY",
                           "GITHUB_PAT",
                           "SLACK_WEBHOOK_URL",
                           "AZURE_STORAGE_CONNECTION_STRING",
                           "SERVICE_JWT",
                           "BW_SESSION",
                           "OPENAI_KEY",
                           "FOO_KEY",
                           "FOO_KEY_2",
                           "my-api-key",
                           "my.password"}) {
    CAPTURE(name);
    CHECK(looks_like_key(name));
  }
}

TEST_CASE("names that only resemble keys") {
  for (const char* name : {"",
                           "_",
                           "7",
                           "XDG_SESSION_ID",
                           "SSH_AUTH_SOCK",
                           "TERM_SESSION_ID",
                           "KEYMAP",
                           "PATH",
                           "PWD",
                           "OLDPWD",
                           "PASS",
                           "PAT",
                           "GIT_ASKPASS",
                           "SSH_ASKPASS",
                           "BYPASS",
                           "COMPASS",
                           "GPG_KEY",
                           "PUBLIC_KEY",
                           "STRIPE_PUBLIC_KEY",
                           "KEY",
                           "MAX_TOKENS",
                           "TOKENIZERS_PARALLELISM",
                           "PASSWORD_STORE_DIR",
                           "SECRETARY",
                           "GITHUB_TOKEN_FILE",
                           "COLORTERM",
                           "XAUTHORITY",
                           "URL",
                           "BASE_URL",
                           "DBUS_SESSION_BUS_ADDRESS",
                           "KEYBOARD",
                           "MONKEY",
                           "DEBUG_COMPAT",
                           "SPAT"}) {
    CAPTURE(name);
    CHECK_FALSE(looks_like_key(name));
  }
}

TEST_CASE("variables that hold a key: the whole value, and of a long key any part of one") {
  const char* const environment[] = {
      "A=abcdefgh", "B=abcdefghi", "C=Bearer sk-0123456789abcdef", "A=x", "D=", "abcdefgh", nullptr};
  CHECK(variables_that_hold(environment, "abcdefgh") == entries{"A"});
  CHECK(variables_that_hold(environment, "sk-0123456789abcdef") == entries{"C"});
  CHECK(variables_that_hold(environment, "").empty());
  CHECK(variables_that_hold(nullptr, "abcdefgh").empty());
}

TEST_CASE("key-like names come sorted, once, and only with a value") {
  const entries environment = {"Z_TOKEN=1",    "A_API_KEY=2", "PATH=/bin",
                               "EMPTY_TOKEN=", "Z_TOKEN=3",   "NO_VALUE_TOKEN"};
  CHECK(key_like_names(environment) == entries{"A_API_KEY", "Z_TOKEN"});
  CHECK(key_like_names({}).empty());
}
