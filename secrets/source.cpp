// SPDX-License-Identifier: Apache-2.0
// The sources of secrets.
#include "secrets/source.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif

#include <nono/resolve.hpp>

#include "secrets/bitwarden_item.hpp"
#include "secrets/child.hpp"
#include "secrets/keyring.hpp"
#include "secrets/sentence.hpp"

namespace nono::secrets {

namespace {

using ending = outcome::ending;

constexpr std::size_t room_of_lists = 4 * max_secret;  // an item with its notes, the accounts of a service

std::string seconds(std::chrono::milliseconds time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " seconds";
}

/// How a program failed, in words that stand behind its name.
std::string what_became_of(const outcome& came, std::chrono::milliseconds limit) {
  switch (came.how) {
    case ending::late:
      return "did not answer in " + seconds(limit);
    case ending::too_long:
      return "wrote more than a secret can be";
    case ending::not_started:
      return std::string("could not be started: ") + std::strerror(came.code);
    case ending::signalled:
      return "was ended by signal " + std::to_string(came.code);
    case ending::exited:
      break;
  }
  return came.last_line.empty() ? "ended with exit code " + std::to_string(came.code)
                                : "says " + detail::quoted(came.last_line);
}

bool succeeded(const outcome& came) { return came.how == ending::exited && came.code == 0; }

/// What programs and files end with, and no key does.
void cut_line_end(secret& value) {
  if (value.view().ends_with('\n')) value.shrink(value.size() - 1);
}

/// What every source keeps to.
result<secret> checked(secret value, const reference& from, const std::string& if_empty) {
  if (value.size() > max_secret)
    return refusal("the secret of " + from.shown + " is longer than 65536 bytes; name one that is a key");
  if (value.empty()) return missing(if_empty);
  if (value.data() == nullptr) return refusal("there is no memory for the secret of " + from.shown);
  if (value.view().find('\0') != std::string_view::npos)
    return refusal("the secret of " + from.shown + " has a NUL byte; name one that is text");
  return value;
}

// --- variables and files ---------------------------------------------------------------------------------------

result<secret> from_variable(const reference& from, const surroundings& with) {
  const char* const value = value_in(with.environment, from.name);
  return checked(value == nullptr ? secret() : secret::copy_of(value), from,
                 "Secret not found: " + from.shown + " is unset or empty; export it before nono starts");
}

result<secret> from_file(const reference& from) {
  const auto failed = [&](const std::string& why) {
    return refusal("the secret of " + from.shown + " cannot be read: " + why);
  };
  // Nothing waits for a pipe's other end, and no terminal becomes ours.
  const detail::descriptor file(::open(from.name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0 && (errno == ENOENT || errno == ENOTDIR))
    return missing("Secret not found: there is no " + from.shown + "; put it there, or name another file");
  if (file.get() < 0) return failed(std::string(std::strerror(errno)) + "; give yourself read permission");
  struct stat is{};
  if (::fstat(file.get(), &is) != 0) return failed(std::strerror(errno));
  if (!S_ISREG(is.st_mode)) return failed("it is no regular file; name one that is");
  if ((is.st_mode & (S_IWGRP | S_IWOTH)) != 0) return failed("others may write it; use chmod go-w on it");
  secret bytes(max_secret + 2);  // with the end of its line, and one that shows that there are more
  if (bytes.data() == nullptr) return failed("there is no memory");
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = ::read(file.get(), bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(std::strerror(errno));
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  bytes.shrink(done);
  cut_line_end(bytes);
  return checked(std::move(bytes), from,
                 "Secret not found: " + from.shown + " is empty; put the key into it");
}

// --- the programs of password managers -------------------------------------------------------------------------

/// What a helper gets: all of the user's, but for the directories of PATH where it could be given a false interpreter. bw is a
/// script for the node that is found there.
class trusted_environment {
 public:
  explicit trusted_environment(const surroundings& with) {
    for (const char* const* e = with.environment; e != nullptr && *e != nullptr; ++e)
      if (!std::string_view(*e).starts_with("PATH=")) entries_.push_back(*e);
    const char* const path = value_in(with.environment, "PATH");
    // An empty PATH would stand for the working directory.
    if (const std::string safe = path_for_helpers(path != nullptr ? path : "", with.grant_over);
        !safe.empty()) {
      path_ = "PATH=" + safe;
      entries_.push_back(path_.c_str());
    }
    entries_.push_back(nullptr);
  }
  trusted_environment(const trusted_environment&) = delete;
  trusted_environment& operator=(const trusted_environment&) = delete;
  ~trusted_environment() = default;

  [[nodiscard]] const char* const* entries() const { return entries_.data(); }

 private:
  std::string path_;
  std::vector<const char*> entries_;
};

result<secret> from_helper(const reference& from, std::string_view name, std::string_view maker,
                           std::vector<std::string> words, std::size_t room, const surroundings& with) {
  const std::string program = find_on_path(name, with.environment);
  if (program.empty())
    return refusal("the secret of " + from.shown + " is with " + std::string(maker) + ", whose program " +
                   std::string(name) + " is not on PATH; install it, or name another source");
  if (const std::string grant = met_on_the_way(program, with.grant_over); !grant.empty())
    return refusal("the secret of " + from.shown + " is with " + std::string(maker) + ", whose program " +
                   detail::quoted(program) + " the command could replace: " + grant +
                   " is granted; leave out that grant, or take the directory out of PATH");
  const trusted_environment environment(with);
  errand what{program, std::move(words), environment.entries(), {}, room, with.helper_limit};
  outcome came = run_errand(what);
  if (!succeeded(came))
    return refusal("the secret of " + from.shown + " was not given: " + std::string(name) + " " +
                   what_became_of(came, what.limit) + "; run " + std::string(name) +
                   " yourself to see whether you are signed in and the secret is there");
  cut_line_end(came.output);
  return checked(std::move(came.output), from,
                 "Secret not found: " + std::string(name) + " gave nothing for " + from.shown +
                     "; sign in to it, or name a field that has a value");
}

result<secret> from_bitwarden(const reference& from, const surroundings& with) {
  const bool whole = !from.field.empty();
  result<secret> got =
      from_helper(from, "bw", "Bitwarden", {"get", whole ? "item" : "password", "--", from.name},
                  whole ? room_of_lists : max_secret + 1, with);
  if (!got || !whole) return got;
  secret value;
  if (pick_field(got->view(), from.field, value) == pick::malformed)
    return refusal("bw gave for " + from.shown +
                   " what is no item in JSON; run bw get item yourself to see it");
  return checked(
      std::move(value), from,
      "Secret not found: the item of " + from.shown + " has no such field with a value; name another");
}

result<secret> from_apple([[maybe_unused]] const reference& from, [[maybe_unused]] const surroundings& with) {
#ifdef __APPLE__  // written, not yet seen on a Mac
  errand what{"/usr/bin/security", {"find-internet-password", "-s", from.service, "-a", from.account, "-w"},
              with.environment,    {},
              max_secret + 1,      with.keyring_limit};
  outcome came = run_errand(what);
  constexpr int item_not_found = 44;
  const std::string absent = "Secret not found: the keychain has no password for " + from.shown +
                             "; add it there, or name another source";
  if (came.how == ending::exited && came.code == item_not_found) return missing(absent);
  if (!succeeded(came))
    return refusal("Failed to access system keystore: security " + what_became_of(came, what.limit));
  cut_line_end(came.output);
  return checked(std::move(came.output), from, absent);
#else
  return refusal("apple-password:// is of macOS alone; store the secret in the keyring, and name it there");
#endif
}

// --- the keyring -----------------------------------------------------------------------------------------------

using keyring::answer;

struct keyring_answer {
  answer is;
  secret bytes;
  std::string why;  ///< unreachable: the whole sentence
};

keyring_answer ask_keyring(std::vector<std::string> words, std::string_view input, std::size_t room,
                           const surroundings& with) {
  const auto unreachable = [](const std::string& why) {
    return keyring_answer{answer::unreachable, {}, "Failed to access system keystore: " + why};
  };
  if (::access(with.keyring_program.c_str(), X_OK) != 0)
    return unreachable("nono-keyring, which speaks to it, is not at " + detail::quoted(with.keyring_program) +
                       "; install it there, or name a secret of env:// or file://");
  outcome came =
      run_errand({with.keyring_program, std::move(words), with.environment, input, room, with.keyring_limit});
  if (succeeded(came)) return {answer::done, std::move(came.output), {}};
  if (came.how == ending::exited && came.code == static_cast<int>(answer::absent))
    return {answer::absent, {}, {}};
  if (came.how == ending::exited && came.code == static_cast<int>(answer::unreachable) &&
      !came.last_line.empty())
    return unreachable(plain(came.last_line));
  if (came.how == ending::late)
    return unreachable("it did not answer in " + seconds(with.keyring_limit) + "; unlock it and try again");
  return unreachable("nono-keyring " + what_became_of(came, with.keyring_limit) + "; install it anew");
}

std::string how_to_store(const std::string& service, const std::string& account) {
  const std::string option = service == own_service ? "" : " --service " + plain(service);
  return "store it with nono credential set " + plain(account) + option;
}

error absent_error(const std::string& service, const std::string& account, const std::string& shown) {
  return missing("Secret not found in keystore: " + shown + "; " + how_to_store(service, account));
}

int value_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

/// Decodes base64 where it stands: what is read is always ahead of what is written. False for what is none.
bool decode_base64(secret& text) {
  std::string_view in = text.view();
  while (in.ends_with('=')) in.remove_suffix(1);
  if (in.size() % 4 == 1 || text.size() - in.size() > 2) return false;
  char* const to = text.data();
  std::size_t done = 0;
  unsigned bits = 0;
  unsigned held = 0;
  for (const char c : in) {
    const int six = value_of(c);
    if (six < 0) return false;
    held = (held << 6U | static_cast<unsigned>(six)) & 0xFFFFU;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    to[done++] = static_cast<char>(held >> bits & 0xFFU);
  }
  text.shrink(done);
  return true;
}

/// go-keyring marks what it has encoded, and leaves other text as it is.
bool unwrap_go_keyring(secret& value) {
  static constexpr std::string_view mark = "go-keyring-base64:";
  if (!value.view().starts_with(mark)) return true;
  value = secret::copy_of(value.view().substr(mark.size()));
  return value.empty() || decode_base64(value);
}

result<secret> from_keyring(const reference& from, const surroundings& with) {
  keyring_answer got = ask_keyring({"get", from.service, from.account}, {}, max_secret + 1, with);
  if (got.is == answer::unreachable) return refusal(std::move(got.why));
  const error absent = absent_error(from.service, from.account, from.shown);
  if (got.is == answer::absent) return absent;
  cut_line_end(got.bytes);
  if (from.go_keyring && !unwrap_go_keyring(got.bytes))
    return refusal("the secret of " + from.shown +
                   " is marked go-keyring-base64: and is no base64; store it anew");
  return checked(std::move(got.bytes), from, absent.other);
}

}  // namespace

std::string program_beside(std::string_view name) {
  char own[4096];
#ifdef __APPLE__
  std::uint32_t size = sizeof own;
  if (::_NSGetExecutablePath(own, &size) != 0) return {};
  const std::string_view whole(own);
#else
  const ssize_t n = ::readlink("/proc/self/exe", own, sizeof own);
  if (n <= 0 || n == static_cast<ssize_t>(sizeof own)) return {};
  const std::string_view whole(own, static_cast<std::size_t>(n));
#endif
  return std::string(whole.substr(0, whole.rfind('/') + 1)) + std::string(name);
}

surroundings surroundings_with(const char* const* environment) {
  surroundings out;
  out.environment = environment;
  out.keyring_program = program_beside("nono-keyring");
  return out;
}

result<secret> load(const reference& from, const surroundings& with) {
  switch (from.is) {
    case reference::kind::keyring:
      return from_keyring(from, with);
    case reference::kind::variable:
      return from_variable(from, with);
    case reference::kind::file:
      return from_file(from);
    case reference::kind::one_password:
      return from_helper(from, "op", "1Password", {"read", "--", from.name}, max_secret + 1, with);
    case reference::kind::bitwarden:
      return from_bitwarden(from, with);
    case reference::kind::apple_password:
      return from_apple(from, with);
    case reference::kind::command:
      break;
  }
  return refusal(from.shown + " is of the proxy's routes alone; name another source");
}

result<std::vector<std::string>> keyring_accounts(const std::string& service, const surroundings& with) {
  const keyring_answer got = ask_keyring({"list", service}, {}, room_of_lists, with);
  if (got.is == answer::unreachable) return refusal(got.why);
  std::vector<std::string> out;
  std::string_view rest = got.bytes.view();
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (end != 0) out.emplace_back(rest.substr(0, end));
    rest = rest.substr(std::min(end + 1, rest.size()));
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

error store(const std::string& service, const std::string& account, const secret& value,
            const surroundings& with) {
  const keyring_answer got = ask_keyring({"set", service, account}, value.view(), max_secret, with);
  if (got.is == answer::done) return {};
  return refusal(got.is == answer::unreachable ? got.why
                                               : "Failed to access system keystore: it stored nothing");
}

error remove(const std::string& service, const std::string& account, const surroundings& with) {
  const keyring_answer got = ask_keyring({"remove", service, account}, {}, max_secret, with);
  if (got.is == answer::unreachable) return refusal(got.why);
  if (got.is == answer::absent)
    return missing("Secret not found in keystore: " + plain(account) +
                   "; nono credential list shows those that are there");
  return {};
}

}  // namespace nono::secrets
