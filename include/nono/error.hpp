// SPDX-License-Identifier: Apache-2.0
// Errors as values: a stable number, errno where a system call failed, and one sentence for a person.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace nono {

/// What went wrong. The numbers are stable: they may be stored and compared across versions.
enum class errc : std::uint16_t {
  none = 0,
  // what a policy says (1-99)
  path_empty = 1,
  path_not_absolute = 2,
  path_has_parent = 3,
  path_too_long = 4,
  path_has_nul = 5,
  variable_misplaced = 6,
  variable_unknown = 7,
  variable_unbound = 8,
  variable_bad_value = 9,
  empty_access = 10,
  directory_right_on_file = 11,
  deny_contradicts_grant = 12,
  network_given_twice = 13,
  port_out_of_range = 14,
  too_many_rules = 15,
  variable_opens_system = 16,
  duplicate_rule = 17,
  file_path_ends_with_slash = 18,
  port_given_twice = 19,
  too_many_ports = 20,
  port_contradicts_network = 21,
  group_given_twice = 22,
  too_many_groups = 23,
  too_many_variables = 24,
  variable_declared_twice = 25,
  variable_known_already = 26,
  protection_not_liftable = 27,
  protection_not_enforceable = 28,
  lifted_and_best_effort = 29,
  unix_sockets_given_twice = 30,
  connect_unix_without_sockets = 31,
  target_given_twice = 32,
  not_portable = 33,
  path_not_plain = 34,
  not_within = 35,
  host_empty = 36,
  host_not_bare = 37,
  host_has_port = 38,
  host_address_misspelt = 39,
  host_wildcard_misplaced = 40,
  host_not_lower_case = 41,
  host_too_long = 42,
  host_malformed = 43,
  no_hosts = 44,
  too_many_hosts = 45,
  platform_rule_malformed = 46,
  platform_rule_too_broad = 47,
  // what the file system says (100-199)
  path_not_found = 100,
  not_a_directory = 101,
  not_a_file = 102,
  path_not_accessible = 103,
  path_changed = 104,
  too_many_open_files = 105,
  // what the kernel can do (200-299)
  unsupported_platform = 200,
  landlock_not_in_kernel = 201,  // ENOSYS: too old, or compiled out
  landlock_disabled = 202,       // EOPNOTSUPP: off since boot
  landlock_refused = 203,        // EPERM: an outer filter refuses the probe
  protection_unavailable = 204,
  namespace_refused = 205,
  seccomp_unavailable = 206,
  restrict_refused = 207,   // EPERM, EACCES: no_new_privs was lost, or an outer filter refuses
  filter_refused = 208,     // EPERM, EACCES: an outer filter refuses seccomp
  too_many_filters = 209,   // ENOMEM: the filters of a process have a limit
  listener_taken = 210,     // EBUSY: an outer supervisor listens already; EINVAL: nobody may
  already_sandboxed = 211,  // Seatbelt: a process is sandboxed once
  sandbox_refused = 212,    // Seatbelt refuses the profile
  not_on_macos = 213,
  // applying and spawning (300-399)
  multi_threaded = 300,
  needs_child = 301,
  ruleset_failed = 302,
  restrict_failed = 303,
  too_many_layers = 304,
  filter_failed = 305,
  capabilities_failed = 306,
  program_not_found = 307,
  program_not_executable = 308,
  exec_failed = 309,
  chdir_failed = 310,
  stdio_failed = 311,
  fork_failed = 312,
  wait_failed = 313,
  bad_argument = 314,
  hosts_need_the_runner = 315,
  thread_unreachable = 316,
  socket_open = 317,
  io_uring_open = 318,
  descriptors_unseen = 319,
  // JSON texts (400-409), stored states (420-439), profile files (440-459)
  json_malformed = 400,
  json_too_large = 401,
  json_too_deep = 402,
  json_repeated_key = 403,
  json_missing_key = 404,
  json_wrong_type = 405,
  json_unknown_key = 406,
  json_bad_value = 407,
  state_path_not_utf8 = 420,
  state_version_unknown = 421,
  state_contradicts_itself = 422,
  state_path_moved = 423,
  state_file_replaced = 424,
  state_not_restorable = 425,
  profile_not_found = 440,
  profile_unreadable = 441,
  profile_extends_itself = 442,
  profile_extends_too_deep = 443,
  profile_field_not_built = 444,
  profile_group_unknown = 445,
  profile_group_required = 446,
};

/// An error: the number, errno (0 if no system call failed), and what it was about.
struct error {
  errc code = errc::none;
  int os_errno = 0;
  std::string rule;   ///< the rule that failed, as it was written; may be empty
  std::string path;   ///< the path, variable or program it concerns; may be empty
  std::string other;  ///< the second rule, the missing protection or the system call; may be empty

  /// One sentence: what was refused, by which rule, and the smallest thing that would change it.
  [[nodiscard]] std::string message() const;
};

/// Appends `text` for a person: quotes, control bytes and invalid UTF-8 come out escaped, so that no path can
/// forge a line or a terminal sequence.
inline void append_quoted(std::string& out, std::string_view text) {
  static constexpr char hex[] = "0123456789abcdef";
  const auto utf8_length = [&](std::size_t i) -> std::size_t {  // 0: not a valid sequence
    const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
    const unsigned char lead = byte(i);
    const std::size_t n = lead >= 0xF0 && lead <= 0xF4 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
    if (n == 0 || lead > 0xF4 || i + n > text.size()) return 0;
    std::uint32_t point = lead & (0x7FU >> n);
    for (std::size_t k = 1; k < n; ++k) {
      if ((byte(i + k) & 0xC0U) != 0x80U) return 0;
      point = point << 6U | (byte(i + k) & 0x3FU);
    }
    const bool overlong = (n == 3 && point < 0x800) || (n == 4 && point < 0x10000);
    const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
    const bool control =
        point < 0xA0 || point == 0x61C || point == 0xFEFF || (point >= 0x200B && point <= 0x200F) ||
        (point >= 0x2060 && point <= 0x2064) ||                                        // C1, zero width
        (point >= 0x2028 && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);  // bidi
    return overlong || surrogate || control || point > 0x10FFFF ? 0 : n;
  };
  out += '\'';
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '\'' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c >= 0x20 && c < 0x7F) {
      out += static_cast<char>(c);
    } else if (const std::size_t n = c >= 0x80 ? utf8_length(i) : 0; n != 0) {
      out.append(text, i, n);
      i += n;
      continue;
    } else {
      out += "\\x";
      out += hex[c >> 4U];
      out += hex[c & 15U];
    }
    ++i;
  }
  out += '\'';
}

namespace detail {

inline std::string quoted(std::string_view text) {
  std::string out;
  append_quoted(out, text);
  return out;
}

struct errc_text {
  errc code;
  // %p path, %r rule, %o other, %e errno in words; the part after " | " is the remedy
  std::string_view text;
};

inline constexpr errc_text errc_texts[] = {
    {errc::none, "no error"},
    {errc::path_empty, "%r has an empty path | name an absolute path"},
    {errc::path_not_absolute,
     "%r: the path %p is not absolute | begin it with / or with a variable such as $HOME"},
    {errc::path_has_parent, "%r: the path %p has a '..' part | write the path it stands for"},
    {errc::path_too_long, "%r: the path is longer than 4095 bytes | grant a directory above it"},
    {errc::path_has_nul, "%r: the path %p has a NUL byte, which no file's name can have"},
    {errc::variable_misplaced,
     "%r: in %p a variable stands after the start | make it the first part, or bind a variable to the whole "
     "directory"},
    {errc::variable_unknown,
     "%r: the variable in %p is not known | declare it with .variable(...), or use $HOME or $WORKDIR"},
    {errc::variable_unbound, "the variable %p was declared and got no value | pass nono::bind(%p, value)"},
    {errc::variable_bad_value,
     "the variable %p has the value %o, which is no absolute path without '..' | bind it to one"},
    {errc::empty_access, "%r grants nothing | name at least one right, for example nono::read"},
    {errc::directory_right_on_file,
     "%r: list, create, remove and refer mean nothing on the file %p | use allow_path on its directory, or "
     "read_file and write_file"},
    {errc::deny_contradicts_grant,
     "%r contradicts %o: Landlock cannot deny inside or beneath a grant | grant a path that neither holds "
     "nor lies in the denied one"},
    {errc::network_given_twice, "the network was given twice | keep one .network(...)"},
    {errc::port_out_of_range, "port %p is out of range | use 1 to 65535 (0 only to bind any free port)"},
    {errc::too_many_rules,
     "the policy has more rules than its room | give more with caps<512>(), or use capability_set"},
    {errc::variable_opens_system,
     "%r would open %p for writing, a directory of the system, by a variable's value | name the path itself, "
     "or "
     "give the variable another value"},
    {errc::duplicate_rule,
     "%r stands twice in the policy, or once as a file and once as a directory | keep one rule for each "
     "path"},
    {errc::file_path_ends_with_slash,
     "%r: the path %p of a file ends with a slash | write it without, or use allow_path for a directory"},
    {errc::port_given_twice, "a port was given twice for the same use | keep one of the two"},
    {errc::too_many_ports, "the policy opens more than 32 ports | use network(unrestricted), or fewer ports"},
    {errc::port_contradicts_network,
     "the port %p was granted on a network that is %o | use network(only(...)) alone"},
    {errc::group_given_twice, "the group %p was given twice | keep one .group(...)"},
    {errc::too_many_groups, "the group %p is the policy's 33rd | put its rules into a group of your own"},
    {errc::too_many_variables,
     "the variable %p is the policy's 17th | bind one to a directory above several"},
    {errc::variable_declared_twice, "the variable %p was declared twice | keep one .variable(...)"},
    {errc::variable_known_already,
     "the variable %p is known to every policy | use it without declaring it, or declare another name"},
    {errc::protection_not_liftable,
     "the protection %p cannot be lifted, because without it no filter means anything | keep it"},
    {errc::protection_not_enforceable,
     "no kernel enforces the protection %p, so there is nothing to lift or to give up | keep it out of the "
     "policy"},
    {errc::lifted_and_best_effort, "the protection %p is both lifted and best effort | keep one of the two"},
    {errc::unix_sockets_given_twice, "the unix sockets were given twice | keep one .unix_sockets(...)"},
    {errc::connect_unix_without_sockets,
     "the right connect_unix on %p contradicts unix_sockets(none) | use unix_sockets(granted), or leave the "
     "right "
     "out"},
    {errc::target_given_twice, "the target was given twice | keep one .target(...)"},
    {errc::not_portable,
     "%p exists on Linux only, and the policy's target is portable | use target(linux_only), or leave it "
     "out"},
    {errc::path_not_plain, "%r: the path %p has an empty or a '.' part | write it without"},
    {errc::not_within, "%r is not within %o | grant less, or give the parent more"},
    {errc::host_empty, "%r has an empty host | name one, such as 'api.example.com'"},
    {errc::host_not_bare, "%r: %p is more than a host | write it without scheme, user and path"},
    {errc::host_has_port, "%r: the host %p has a port | write it without: hosts are named, not their ports"},
    {errc::host_address_misspelt,
     "%r: %p is an address in another spelling than its canonical one | write it as in '192.0.2.1' or "
     "'2001:db8::1'"},
    {errc::host_wildcard_misplaced,
     "%r: in %p a wildcard stands elsewhere than before a name | write it as the first label, as in "
     "'*.example.com', or alone"},
    {errc::host_not_lower_case, "%r: the host %p has upper-case letters | write it in lower case"},
    {errc::host_too_long,
     "%r: the host %p is longer than 253 bytes, or a label of it than 63 | name a host that can exist"},
    {errc::host_malformed,
     "%r: the host %p is no DNS name | write labels of a-z, 0-9 and inner hyphens, with single dots between "
     "them"},
    {errc::no_hosts, "%r names no host | use network(blocked)"},
    {errc::too_many_hosts, "the host %p is the policy's 65th | use *. before a name that several share"},
    {errc::platform_rule_malformed,
     "the platform rule %p is no S-expression of (allow ...) or (deny ...) in printable ASCII | write one "
     "rule, with "
     "plain strings"},
    {errc::platform_rule_too_broad,
     "the platform rule %p allows more than one named thing | name it exactly, as in (allow sysctl-read "
     "(sysctl-name "
     "\"hw.ncpu\")), and grant files and sockets by the policy's own rules"},
    {errc::path_not_found, "%r: %p does not exist | create it, or say if_exists"},
    {errc::not_a_directory, "%r: %p is not a directory | use allow_file (on the command line a -file flag)"},
    {errc::not_a_file,
     "%r: %p is a directory, not a file | use allow_path (on the command line the flag without -file)"},
    {errc::path_not_accessible,
     "%r: %p cannot be opened: %e | check the permissions of its parent directories"},
    {errc::path_changed, "%r: %p was replaced between resolving and applying | resolve the policy again"},
    {errc::too_many_open_files, "%r: no descriptor left to hold %p: %e | raise the limit of open files"},
    {errc::unsupported_platform,
     "this system has neither Landlock nor Seatbelt | run on Linux 5.13 or later"},
    {errc::landlock_not_in_kernel,
     "this kernel has no Landlock (ENOSYS) | use Linux 5.13 or later with CONFIG_SECURITY_LANDLOCK, or let "
     "the container's seccomp profile pass calls 444 to 446"},
    {errc::landlock_disabled,
     "Landlock is built in but was not enabled at boot (EOPNOTSUPP) | add landlock to the lsm= list of the "
     "kernel command line"},
    {errc::landlock_refused,
     "an outer sandbox refuses Landlock's calls: %e | let the container's seccomp profile pass calls 444 to "
     "446"},
    {errc::protection_unavailable,
     "this kernel cannot give what the policy requires: %o | use a kernel that has it, or name it in "
     ".best_effort(...)"},
    {errc::namespace_refused,
     "the loopback network needs a network namespace, and %o failed: %e | allow unprivileged user "
     "namespaces, or use network(blocked) (--block-net)"},
    {errc::seccomp_unavailable, "this kernel has no seccomp filter: %e | use one with CONFIG_SECCOMP_FILTER"},
    {errc::restrict_refused,
     "%o failed: %e: no_new_privs was lost, or an outer sandbox refuses the call; the process is not "
     "confined as asked "
     "and must end | let the container's seccomp profile pass calls 444 to 446 and prctl"},
    {errc::filter_refused,
     "an outer sandbox refuses seccomp filters: %e; the process is not confined as asked and must end | let "
     "the "
     "container's seccomp profile pass the calls seccomp and prctl"},
    {errc::too_many_filters,
     "there is no room for one more seccomp filter: %e; the process is not confined as asked and must end | "
     "start it "
     "from fewer nested sandboxes"},
    {errc::listener_taken,
     "a supervisor outside listens to this process already, and there can be one only: %e; the process is "
     "not "
     "confined as asked and must end | start it outside that supervisor, or leave out strict()"},
    {errc::already_sandboxed,
     "this process is sandboxed already, and macOS sandboxes it once | start it outside of that sandbox"},
    {errc::sandbox_refused,
     "macOS refused the sandbox profile: %o; the process is not confined and must end | run macOS 11 or "
     "later, and "
     "leave out rules of the platform's own"},
    {errc::not_on_macos, "macOS cannot give %p | use network(blocked), or run on Linux"},
    {errc::multi_threaded,
     "this process has threads that cannot be stopped to be confined (%o failed: %e), and nothing was "
     "restricted | "
     "mount /proc, apply before the first thread starts, or spawn() a child"},
    {errc::thread_unreachable,
     "not every thread can be confined because of thread %o, and nothing was restricted | end that thread "
     "before "
     "apply(), apply before it starts, or spawn() a child"},
    {errc::socket_open,
     "%o is an open socket, which goes past what the policy says of %p, and nothing was restricted | "
     "close it first, or name that protection in .best_effort(...)"},
    {errc::io_uring_open,
     "descriptor %o is an io_uring ring, whose workers keep their present rights, and nothing was restricted "
     "| "
     "close it before apply(), or name io_uring in .best_effort(...)"},
    {errc::descriptors_unseen,
     "nobody can say what this process has open: /proc/self/fd cannot be read, and RLIMIT_NOFILE allows too "
     "many numbers to try each; nothing was restricted | mount /proc, or lower the hard limit to 16777216"},
    {errc::needs_child, "the loopback network needs a child process | use spawn() instead of apply()"},
    {errc::ruleset_failed, "%o failed: %e%r"},
    {errc::restrict_failed, "%o failed: %e; the process is not confined as asked and must end"},
    {errc::too_many_layers,
     "this process already stands below as many Landlock layers as the kernel allows, mostly 16 | "
     "start it from fewer nested sandboxes"},
    {errc::filter_failed,
     "installing the seccomp filter failed: %e; the process is not confined as asked and must end"},
    {errc::capabilities_failed, "%o failed: %e; the capabilities could not be dropped"},
    {errc::program_not_found, "the program %p was not found | check PATH, or give its absolute path"},
    {errc::program_not_executable, "the program %p cannot be executed: %e"},
    {errc::exec_failed,
     "executing %p failed: %e | grant read and execute on the program, its interpreter and its libraries"},
    {errc::chdir_failed, "changing to the directory %p failed: %e"},
    {errc::stdio_failed, "preparing standard input or output failed at %o: %e"},
    {errc::fork_failed, "starting a process failed at %o: %e"},
    {errc::wait_failed, "waiting for the child failed: %e"},
    {errc::bad_argument, "%o"},
    {errc::hosts_need_the_runner,
     "network(hosts) needs the runner of the nono command, whose proxy lets named hosts through | "
     "start the program with nono run, or use network(only(...)) or network(blocked)"},
    // of JSON: %r what is read, %o what is wrong and at which line and column
    {errc::json_malformed, "%r: %o"},
    {errc::json_too_large, "%r: too large: %o | leave out what is not needed"},
    {errc::json_too_deep, "%r: too deep: %o | nest less"},
    {errc::json_repeated_key, "%r: %o | keep one of the two"},
    {errc::json_missing_key, "%r: a key is missing: %o | add it"},
    {errc::json_wrong_type, "%r: wrong type: %o"},
    {errc::json_unknown_key, "%r: unknown key: %o"},
    {errc::json_bad_value, "%r: bad value: %o"},
    {errc::state_path_not_utf8, "%r: the path %p is not UTF-8, so JSON cannot hold it | rename it"},
    {errc::state_version_unknown, "%r: unknown version: %o | restore it with the nono that wrote it"},
    {errc::state_contradicts_itself,
     "%r: %o, so it was changed by hand or by a tool that does not know all keys | leave the key \"nono\" "
     "out, "
     "or write the state anew"},
    {errc::state_path_moved, "%r: %p leads to %o | write the state anew if that is meant"},
    {errc::state_file_replaced,
     "%r: at %p stands another file than the one that was pinned | write the state anew if that is meant"},
    {errc::state_not_restorable, "%r: it cannot be restored: %o"},
    {errc::profile_not_found, "Profile not found: %p%o"},
    {errc::profile_unreadable, "the profile %p cannot be read: %o"},
    {errc::profile_extends_itself, "%r: a profile extends itself: %o | take one of them out of \"extends\""},
    {errc::profile_extends_too_deep,
     "%r: more than 10 profiles extend one another: %o | put what they say into fewer"},
    {errc::profile_field_not_built, "%r: not built yet: %o"},
    {errc::profile_group_unknown, "%r: unknown group: %o"},
    {errc::profile_group_required, "%r: Cannot exclude required groups: %o | leave it out of \"exclude\""},
};

}  // namespace detail

inline std::string error::message() const {
  std::string_view text = "unknown error";
  for (const auto& entry : detail::errc_texts)
    if (entry.code == code) text = entry.text;
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with(" | ")) {
      out += "; to change that, ";
      i += 2;
    } else if (text[i] == '%' && i + 1 < text.size()) {
      switch (text[++i]) {
        case 'p':
          append_quoted(out, path);
          break;
        case 'r':
          out += rule.empty() && code != errc::ruleset_failed ? "the policy" : rule;
          break;
        case 'o':
          out += other;
          break;
        case 'e':
          out += std::strerror(os_errno);
          break;
        default:
          out += text[i];
      }
    } else {
      out += text[i];
    }
  }
  return out;
}

/// A value or an error: the same type under C++20 and C++23, with and without exceptions.
/// Asking for the value of a failed result prints the error and aborts; it never continues unsandboxed.
template <class T>
class [[nodiscard]] result {
 public:
  result(T value) : value_(std::move(value)) {}        // NOLINT(google-explicit-constructor)
  result(nono::error why) : error_(std::move(why)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool has_value() const noexcept { return value_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }

  [[nodiscard]] T& value() & { return check(), *value_; }
  [[nodiscard]] const T& value() const& { return check(), *value_; }
  [[nodiscard]] T&& value() && { return check(), std::move(*value_); }
  [[nodiscard]] T& operator*() & { return value(); }
  [[nodiscard]] const T& operator*() const& { return value(); }
  [[nodiscard]] T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  /// Only when there is no value.
  [[nodiscard]] nono::error& error() & { return error_; }
  [[nodiscard]] const nono::error& error() const& { return error_; }
  [[nodiscard]] nono::error&& error() && { return std::move(error_); }

 private:
  void check() const {
    if (has_value()) return;
    std::fprintf(stderr, "nono: value() of a failed result: %s\n", error().message().c_str());
    std::abort();
  }
  // Not a variant, whose visitors each T would make anew: a fifth of the time to compile the headers.
  std::optional<T> value_;
  nono::error error_;
};

/// Success without a value.
struct success {};

}  // namespace nono
