// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/man_page.hpp"

#include <cstdlib>
#include <string>

#include <doctest/doctest.h>

#include <CLI/CLI.hpp>

#include "temporary_directory.hpp"

using namespace nono::cli;
using nono_test::temporary_directory;

namespace {

bool installed(const char* tool) {
  return std::system((std::string("command -v ") + tool + " >/dev/null 2>&1").c_str()) == 0;
}

}  // namespace

TEST_CASE("man page: no description breaks it") {
  const char* const hostile =
      ".so it's \\fB\\X'x' \\\" \"quoted\" `a` ~ ^ -- .br 'br \\[odd] \\*[x] \\n(x and .TH so that a line "
      "must be "
      "broken before a word such as .SH and another one such as 'in or .de\nNEXT";
  CLI::App app{hostile, "nono"};
  bool flag = false;
  std::string value;
  app.add_flag("-f,--flag", flag, hostile);
  app.add_option("--value", value, hostile)->type_name("\\X'.V'")->envname("A_VARIABLE");
  app.add_subcommand("run", hostile)->footer(hostile);
  const std::string page = man_page(read_tree(app));
  CHECK(page.find("--flag") == std::string::npos);  // hyphens that a formatter could make others of
  CHECK(page.find("\\-\\-flag") != std::string::npos);
  CHECK(page.find("\n.so") == std::string::npos);
  CHECK(page.find("A_VARIABLE") != std::string::npos);

  const temporary_directory made;
  const std::string file = made.file("nono.1", page);
  const std::string heard = made / "heard";
  for (const char* command : {"groff -man -ww -z -Tutf8", "mandoc -T lint -W warning"}) {
    const std::string tool = std::string(command).substr(0, std::string(command).find(' '));
    CAPTURE(tool);
    if (!installed(tool.c_str())) {
      MESSAGE("not installed, so not tried");
      continue;
    }
    CHECK(std::system((std::string(command) + " " + file + " > " + heard + " 2>&1").c_str()) == 0);
    CHECK(std::system(("cat " + heard + " >&2; test ! -s " + heard).c_str()) == 0);
  }
}
