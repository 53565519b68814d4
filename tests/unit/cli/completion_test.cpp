// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/completion.hpp"

#include <cstdlib>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include <CLI/CLI.hpp>

#include "temporary_directory.hpp"

using namespace nono::cli;
using nono_test::temporary_directory;

namespace {

constexpr const char* hostile =
    "it's [a] \"b\" :c: `touch made` $(touch made) ${HOME} \\ \\' 'x' ] ) ; & | < > # %s *? ~ (touch made) "
    "éü";

struct hostile_app {
  CLI::App app{hostile, "nono"};
  bool flag = false;
  std::vector<std::string> values;
  std::string one;

  hostile_app() {
    app.add_flag("-f,--flag", flag, hostile);
    app.add_option("-v,--values", values, hostile)->type_name("DIR");
    app.add_option("--profile", one, hostile)->type_name("PROFILE");
    app.add_option("--odd", one, hostile)->type_name("O'D:D[x]");
    CLI::App* run = app.add_subcommand("run", hostile);
    run->add_option("command", values, hostile)->type_name("COMMAND [ARGS...]");
    CLI::App* hidden = app.add_subcommand("hidden", hostile);
    hidden->group("");
    app.add_flag("--unseen", flag, hostile)->group("");
  }
};

bool installed(const std::string& shell) {
  return std::system(("command -v " + shell + " >/dev/null 2>&1").c_str()) == 0;
}

}  // namespace

TEST_CASE("completion: the tree, without what is hidden") {
  const hostile_app hostile_one;
  const command_entry root = read_tree(hostile_one.app);
  REQUIRE(root.flags.size() == 5);  // --help too
  CHECK(root.flags[1].names == std::vector<std::string>{"-f", "--flag"});
  CHECK(root.flags[1].value.empty());
  CHECK_FALSE(root.flags[1].repeats);
  CHECK(root.flags[2].value == "DIR");
  CHECK(root.flags[2].repeats);
  CHECK_FALSE(root.flags[3].repeats);
  CHECK(root.flags[1].description == hostile);
  REQUIRE(root.commands.size() == 1);
  CHECK(root.commands[0].positional == "COMMAND [ARGS...]");
  std::string paths;
  for_each_command(root, [&](const std::string& path, const command_entry&) { paths += path + ";"; });
  CHECK(paths == "nono;nono run;");
}

TEST_CASE("completion: no description breaks a script, or is run by it") {
  const hostile_app hostile_one;
  const command_entry root = read_tree(hostile_one.app);
  const temporary_directory made;
  const struct {
    std::string shell, script, use;
  } all[] = {
      {"bash", bash_completion(root),
       "COMP_WORDS=(nono -); COMP_CWORD=1; _nono nono - nono; echo ${#COMPREPLY[@]}"},
      {"zsh", zsh_completion(root), "_arguments() { print -rl -- $@ }; compdef() { }; _nono; _nono_run"},
      {"fish", fish_completion(root), "complete -C 'nono --'; complete -C 'nono '"},
  };
  for (const auto& [shell, script, use] : all) {
    CAPTURE(shell);
    if (!installed(shell)) {
      MESSAGE("not installed, so not tried");
      continue;
    }
    const std::string file = made.path() + "/script." + shell;
    std::ofstream(file) << script;
    CHECK(std::system((shell + " -n " + file).c_str()) == 0);
    std::ofstream(file, std::ios::app) << (shell == "zsh" ? "compdef() { }\n" : "") << use << "\n";
    const std::string home = "cd " + made.path() + " && HOME=$PWD ";
    const std::string start =
        shell == "zsh" ? "zsh -f -c 'compdef() { }; . " + file + "'" : shell + " " + file;
    CHECK(std::system((home + start + " > out 2> err").c_str()) == 0);
    const auto text = [&](const char* name) {
      std::ifstream in(made.path() + "/" + name);
      return std::string(std::istreambuf_iterator<char>(in), {});
    };
    CHECK(text("err").empty());
    if (shell == "bash") CHECK(text("out") == "8\n");
    if (shell == "fish") CHECK(text("out").find(std::string("--flag\t") + hostile) != std::string::npos);
    // _arguments takes the backslashes out again.
    if (shell == "zsh")
      CHECK(text("out").find("(-f --flag)--flag[it's [a\\] \"b\" :c: `touch made` $(touch made)") !=
            std::string::npos);
    CHECK(std::system(("test ! -e " + made.path() + "/made").c_str()) == 0);
  }
}
