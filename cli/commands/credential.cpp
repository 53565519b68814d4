// SPDX-License-Identifier: Apache-2.0
// The sub commands of `nono credential`.
#include "cli/commands/credential.hpp"

#include <algorithm>
#include <string_view>

#include <unistd.h>

#include <fmt/format.h>

#include "cli/commands/secret_input.hpp"
#include "cli/resolve/program.hpp"
#include "cli/run/output.hpp"
#include "cli/run/system.hpp"
#include "secrets/reference.hpp"
#include "secrets/sentence.hpp"
#include "secrets/source.hpp"

extern char** environ;

namespace nono::cli {

namespace {

secrets::surroundings here() { return secrets::surroundings_with(environ); }

int refused(const error& why) {
  complain(why.message());
  return 1;
}

int set_secret(const std::string& service, const std::string& name) {
  set_dumpable(false);  // no other process of the user's reads it here
  const auto value = read_secret(name);
  if (!value) return refused(value.error());
  if (const error why = secrets::store(service, name, *value, here()); why.code != errc::none)
    return refused(why);
  return print(fmt::format("Stored {} in the keyring.\n", in_quotes(name)));
}

int list_secrets(const std::string& service) {
  const auto accounts = secrets::keyring_accounts(service, here());
  if (!accounts) return refused(accounts.error());
  std::string out;
  for (const std::string& name : *accounts) out += secrets::plain(name) + '\n';
  return print(out);
}

int remove_secret(const std::string& service, const std::string& name) {
  if (const error why = secrets::remove(service, name, here()); why.code != errc::none) return refused(why);
  return print(fmt::format("Removed {} from the keyring.\n", in_quotes(name)));
}

bool is_plain_name(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

}  // namespace

void credential_flags::add() {
  app_.require_subcommand(1);
  const auto add_name = [&](CLI::App& command) {
    command.add_option("name", name_, "Its name, as flags and profiles give it")
        ->required()
        ->type_name("NAME");
  };
  const auto add_service = [&](CLI::App& command) {
    command.add_option("--service", service_, "Of this service in the keyring, instead of nono's own")
        ->type_name("SERVICE");
  };
  set_ = app_.add_subcommand("set", "Store a secret, or another in its place: typed unseen, or piped in");
  add_name(*set_);
  // Taken, so that it is refused without being repeated.
  set_->add_option("value", too_many_)->group("");
  add_service(*set_);
  set_->footer(
      "Examples:\n"
      "  nono credential set openai\n"
      "  pass show openai | nono credential set openai");
  list_ = app_.add_subcommand("list", "Name the secrets that are stored");
  add_service(*list_);
  remove_ = app_.add_subcommand("remove", "Remove one");
  add_name(*remove_);
  add_service(*remove_);
}

std::string credential_flags::wrong() const {
  if (!too_many_.empty())
    return "a secret in the list of arguments would be seen by every process, so credential set takes a NAME "
           "alone; type the secret when it is asked for, or pipe it in";
  if (list_->parsed()) {
    const auto parsed = secrets::parse_reference("keyring://" + service_ + "/x");
    return service_.empty() || parsed ? std::string() : parsed.error().message();
  }
  const bool of_own = service_.empty() || service_ == secrets::own_service;
  // = and ? would put what follows them, perhaps the secret, into a name or a message.
  if (name_.empty() || name_.find_first_of("=?") != std::string::npos || (of_own && !is_plain_name(name_)))
    return "a secret's name is of letters, digits, _ and -; give one such as openai, and the secret itself "
           "by standard input";
  const auto parsed = secrets::parse_reference("keyring://" + (of_own ? "nono" : service_) + "/" + name_);
  return parsed ? std::string() : parsed.error().message();
}

int credential_flags::run() {
  const std::string service = service_.empty() ? std::string(secrets::own_service) : service_;
  if (set_->parsed()) return set_secret(service, name_);
  if (remove_->parsed()) return remove_secret(service, name_);
  return list_secrets(service);
}

}  // namespace nono::cli
