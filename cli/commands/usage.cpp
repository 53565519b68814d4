// SPDX-License-Identifier: Apache-2.0
// CLI11's errors in nono's words.
#include "cli/commands/usage.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nono/json/profile_parser.hpp>

#include "cli/resolve/program.hpp"
#include "cli/resolve/spelling.hpp"
#include "cli/run/output.hpp"

namespace nono::cli {

namespace {

const CLI::App& deepest(const CLI::App& app) {
  const CLI::App* at = &app;
  for (auto below = at->get_subcommands(); !below.empty(); below = at->get_subcommands()) at = below.back();
  return *at;
}

std::vector<const CLI::App*> commands_below(const CLI::App& app) {
  auto all = app.get_subcommands([](const CLI::App* command) { return !command->get_group().empty(); });
  return {all.begin(), all.end()};
}

std::string names_below(const CLI::App& app) {
  std::string out;
  for (const CLI::App* command : commands_below(app)) out += (out.empty() ? "" : ", ") + command->get_name();
  return out;
}

std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> out;
  for (const std::string& name : option.get_lnames()) out.push_back("--" + name);
  for (const std::string& name : option.get_snames()) out.push_back("-" + name);
  return out;
}

std::string did_you_mean(const nono::detail::nearest& near) {
  return near.found().empty() ? std::string() : fmt::format("; did you mean {}?", near.found());
}

/// A word that nobody takes. command: without nono's own name; empty for nono itself.
std::string unexpected(const CLI::App& at, const std::string& command, const std::string& word) {
  const std::string it_has = command.empty() ? "there is" : command + " has";
  if (word.starts_with('-') && word.size() > 1) {
    const std::string name = word.substr(0, word.find('='));
    nono::detail::nearest near(name);
    for (const CLI::Option* option : at.get_options())
      for (const std::string& one : names_of(*option)) near.offer(one, one);
    return fmt::format("{} no flag {}{}", it_has, cli::in_quotes(name),
                       name.starts_with("--") ? did_you_mean(near) : std::string());
  }
  if (commands_below(at).empty()) return fmt::format("{} takes no word {}", command, cli::in_quotes(word));
  nono::detail::nearest near(word);
  for (const CLI::App* one : commands_below(at)) near.offer(one->get_name(), one->get_name());
  const std::string meant = did_you_mean(near);
  return fmt::format("{} no command {}{}", it_has, cli::in_quotes(word),
                     meant.empty() ? "; there are " + names_below(at) : meant);
}

/// NAME = VALUE that cannot be read. What was not typed comes from the environment.
std::string unreadable(const CLI::App& at, std::string_view what, const std::vector<std::string>& words) {
  const std::size_t middle = std::min(what.find(" = "), what.size());
  const std::string name(what.substr(0, middle));
  const std::string value(what.substr(std::min(middle + 3, what.size())));
  const CLI::Option* option = at.get_option_no_throw(name);
  if (option == nullptr) return fmt::format("{} cannot be {}", name, cli::in_quotes(value));
  const std::vector<std::string> names = names_of(*option);
  const bool typed = std::any_of(words.begin(), words.end(), [&](const std::string& word) {
    return std::find(names.begin(), names.end(), word.substr(0, word.find('='))) != names.end();
  });
  return fmt::format("{} takes {}, not {}", typed ? name : "the variable " + option->get_envname(),
                     option->get_items_expected_max() == 0 ? "true or false" : "a number",
                     cli::in_quotes(value));
}

}  // namespace

std::string command_of(const CLI::App& app) {
  std::string out = app.get_name();
  const CLI::App* at = &app;
  for (auto below = at->get_subcommands(); !below.empty(); below = at->get_subcommands()) {
    at = below.back();
    out += ' ' + at->get_name();
  }
  return out;
}

std::string words_of(const CLI::App& app, const CLI::ParseError& why, const std::vector<std::string>& words) {
  const CLI::App& at = deepest(app);
  const std::string whole = command_of(app);
  const std::string command = whole.substr(std::min(app.get_name().size() + 1, whole.size()));
  std::string what = why.what();
  const auto is = [&](CLI::ExitCodes code) { return why.get_exit_code() == static_cast<int>(code); };
  const std::vector<std::string> left = app.remaining(true);
  if (is(CLI::ExitCodes::ExtrasError) || is(CLI::ExitCodes::RequiredError)) {
    const auto first = std::find_if(words.begin(), words.end(), [&](const std::string& word) {
      return word != "--" && std::find(left.begin(), left.end(), word) != left.end();
    });
    if (first != words.end()) {
      const std::vector<std::string> own = app.remaining(false);  // of what stands before the command
      if (std::find(own.begin(), own.end(), *first) != own.end()) return unexpected(app, {}, *first);
      return unexpected(at, command, *first);
    }
  }
  if (is(CLI::ExitCodes::RequiredError)) {
    if (!commands_below(at).empty()) return fmt::format("{} needs one of {}", command, names_below(at));
    for (const CLI::Option* option : at.get_options())
      if (option->get_positional()) return fmt::format("{} needs its {}", command, option->get_type_name());
  }
  if (const auto colon = what.find(": "); is(CLI::ExitCodes::ConversionError) && colon != std::string::npos)
    return unreadable(at, std::string_view(what).substr(colon + 2), words);
  if (const auto middle = what.find(" excludes "); middle != std::string::npos)
    return fmt::format("{} and {} contradict each other; give one of them", what.substr(0, middle),
                       what.substr(middle + 10));
  if (const auto colon = what.find(": "); is(CLI::ExitCodes::ArgumentMismatch) && colon != std::string::npos)
    return what.substr(0, colon) + (what.find("At Most 1 ") != std::string::npos
                                        ? " stands once at most"
                                        : " needs a value behind it");
  return what;
}

int usage_error(std::string_view message, std::string_view command) {
  complain(fmt::format("{} ({} --help shows what there is)", one_line(message), command));
  return 2;
}

}  // namespace nono::cli
