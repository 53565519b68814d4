// SPDX-License-Identifier: Apache-2.0
// Optional: every public type as an argument of fmt. The text is the library's own; width, fill and alignment are those
// of a string. Needs fmt 9 or later; the target nono::format brings it along.
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include <nono/bound_policy.hpp>
#include <nono/child.hpp>
#include <nono/error.hpp>
#include <nono/linux/abi.hpp>
#include <nono/linux/filter.hpp>
#include <nono/linux/filter_rows.hpp>
#include <nono/linux/plan.hpp>
#include <nono/network.hpp>
#include <nono/path.hpp>
#include <nono/policy.hpp>
#include <nono/protection.hpp>
#include <nono/report.hpp>
#include <nono/resolve.hpp>
#include <nono/right.hpp>
#include <nono/support.hpp>

namespace nono::detail {

struct errc_name {
  errc code;
  std::string_view name;
};
inline constexpr errc_name errc_names[] = {
    {errc::none, "none"},
    {errc::path_empty, "path_empty"},
    {errc::path_not_absolute, "path_not_absolute"},
    {errc::path_has_parent, "path_has_parent"},
    {errc::path_too_long, "path_too_long"},
    {errc::path_has_nul, "path_has_nul"},
    {errc::variable_misplaced, "variable_misplaced"},
    {errc::variable_unknown, "variable_unknown"},
    {errc::variable_unbound, "variable_unbound"},
    {errc::variable_bad_value, "variable_bad_value"},
    {errc::empty_access, "empty_access"},
    {errc::directory_right_on_file, "directory_right_on_file"},
    {errc::deny_contradicts_grant, "deny_contradicts_grant"},
    {errc::network_given_twice, "network_given_twice"},
    {errc::port_out_of_range, "port_out_of_range"},
    {errc::too_many_rules, "too_many_rules"},
    {errc::variable_opens_system, "variable_opens_system"},
    {errc::duplicate_rule, "duplicate_rule"},
    {errc::file_path_ends_with_slash, "file_path_ends_with_slash"},
    {errc::port_given_twice, "port_given_twice"},
    {errc::too_many_ports, "too_many_ports"},
    {errc::port_contradicts_network, "port_contradicts_network"},
    {errc::group_given_twice, "group_given_twice"},
    {errc::too_many_groups, "too_many_groups"},
    {errc::too_many_variables, "too_many_variables"},
    {errc::variable_declared_twice, "variable_declared_twice"},
    {errc::variable_known_already, "variable_known_already"},
    {errc::protection_not_liftable, "protection_not_liftable"},
    {errc::protection_not_enforceable, "protection_not_enforceable"},
    {errc::lifted_and_best_effort, "lifted_and_best_effort"},
    {errc::unix_sockets_given_twice, "unix_sockets_given_twice"},
    {errc::connect_unix_without_sockets, "connect_unix_without_sockets"},
    {errc::target_given_twice, "target_given_twice"},
    {errc::not_portable, "not_portable"},
    {errc::path_not_plain, "path_not_plain"},
    {errc::not_within, "not_within"},
    {errc::host_empty, "host_empty"},
    {errc::host_not_bare, "host_not_bare"},
    {errc::host_has_port, "host_has_port"},
    {errc::host_address_misspelt, "host_address_misspelt"},
    {errc::host_wildcard_misplaced, "host_wildcard_misplaced"},
    {errc::host_not_lower_case, "host_not_lower_case"},
    {errc::host_too_long, "host_too_long"},
    {errc::host_malformed, "host_malformed"},
    {errc::no_hosts, "no_hosts"},
    {errc::too_many_hosts, "too_many_hosts"},
    {errc::platform_rule_malformed, "platform_rule_malformed"},
    {errc::platform_rule_too_broad, "platform_rule_too_broad"},
    {errc::path_not_found, "path_not_found"},
    {errc::not_a_directory, "not_a_directory"},
    {errc::not_a_file, "not_a_file"},
    {errc::path_not_accessible, "path_not_accessible"},
    {errc::path_changed, "path_changed"},
    {errc::too_many_open_files, "too_many_open_files"},
    {errc::unsupported_platform, "unsupported_platform"},
    {errc::landlock_not_in_kernel, "landlock_not_in_kernel"},
    {errc::landlock_disabled, "landlock_disabled"},
    {errc::landlock_refused, "landlock_refused"},
    {errc::protection_unavailable, "protection_unavailable"},
    {errc::namespace_refused, "namespace_refused"},
    {errc::seccomp_unavailable, "seccomp_unavailable"},
    {errc::restrict_refused, "restrict_refused"},
    {errc::filter_refused, "filter_refused"},
    {errc::too_many_filters, "too_many_filters"},
    {errc::listener_taken, "listener_taken"},
    {errc::already_sandboxed, "already_sandboxed"},
    {errc::sandbox_refused, "sandbox_refused"},
    {errc::not_on_macos, "not_on_macos"},
    {errc::multi_threaded, "multi_threaded"},
    {errc::needs_child, "needs_child"},
    {errc::ruleset_failed, "ruleset_failed"},
    {errc::restrict_failed, "restrict_failed"},
    {errc::too_many_layers, "too_many_layers"},
    {errc::filter_failed, "filter_failed"},
    {errc::capabilities_failed, "capabilities_failed"},
    {errc::program_not_found, "program_not_found"},
    {errc::program_not_executable, "program_not_executable"},
    {errc::exec_failed, "exec_failed"},
    {errc::chdir_failed, "chdir_failed"},
    {errc::stdio_failed, "stdio_failed"},
    {errc::fork_failed, "fork_failed"},
    {errc::wait_failed, "wait_failed"},
    {errc::bad_argument, "bad_argument"},
    {errc::hosts_need_the_runner, "hosts_need_the_runner"},
    {errc::thread_unreachable, "thread_unreachable"},
    {errc::socket_open, "socket_open"},
    {errc::io_uring_open, "io_uring_open"},
    {errc::descriptors_unseen, "descriptors_unseen"},
    {errc::json_malformed, "json_malformed"},
    {errc::json_too_large, "json_too_large"},
    {errc::json_too_deep, "json_too_deep"},
    {errc::json_repeated_key, "json_repeated_key"},
    {errc::json_missing_key, "json_missing_key"},
    {errc::json_wrong_type, "json_wrong_type"},
    {errc::json_unknown_key, "json_unknown_key"},
    {errc::json_bad_value, "json_bad_value"},
    {errc::state_path_not_utf8, "state_path_not_utf8"},
    {errc::state_version_unknown, "state_version_unknown"},
    {errc::state_contradicts_itself, "state_contradicts_itself"},
    {errc::state_path_moved, "state_path_moved"},
    {errc::state_file_replaced, "state_file_replaced"},
    {errc::state_not_restorable, "state_not_restorable"},
    {errc::profile_not_found, "profile_not_found"},
    {errc::profile_unreadable, "profile_unreadable"},
    {errc::profile_extends_itself, "profile_extends_itself"},
    {errc::profile_extends_too_deep, "profile_extends_too_deep"},
    {errc::profile_field_not_built, "profile_field_not_built"},
    {errc::profile_group_unknown, "profile_group_unknown"},
    {errc::profile_group_required, "profile_group_required"},
};

// The words of types whose headers have none.
constexpr std::string_view words_of(errc code) noexcept {
  for (const errc_name& entry : errc_names)
    if (entry.code == code) return entry.name;
  return "unknown";
}
constexpr std::string_view words_of(path_kind kind) noexcept {
  constexpr std::string_view names[] = {"directory", "file", "any", "deny"};
  return names[static_cast<std::size_t>(kind)];
}
constexpr std::string_view words_of(when_missing missing) noexcept {
  constexpr std::string_view names[] = {"must_exist", "if_exists", "create_dir"};
  return names[static_cast<std::size_t>(missing)];
}
constexpr std::string_view words_of(origin from) noexcept {
  return origin_names[static_cast<std::size_t>(from)];
}
constexpr std::string_view words_of(platform on) noexcept {
  constexpr std::string_view names[] = {"any", "linux_only", "macos_only"};
  return names[static_cast<std::size_t>(on)];
}
constexpr std::string_view words_of(protection id) noexcept { return row_of(id).name; }
inline std::string words_of(right rights) {
  std::string out;
  append_rights(out, rights);
  return out;
}
inline std::string words_of(const error& why) { return why.message(); }
inline std::string words_of(const group& g) { return "group(" + std::string(g.name) + ')'; }
/// As a rule of its own, without the group that it comes from.
inline std::string words_of(const group_rule& r) {
  rule out = rule_of({}, r);
  out.from = origin::user;
  return to_text(out);
}
inline std::string words_of(protection_set set) {
  std::string out;
  for (const protection_row& row : protections)
    if (set.has(row.id)) out.append(out.empty() ? "" : "|").append(row.name);
  return out.empty() ? "none" : out;
}
inline std::string words_of(const protection_row& row) {
  return std::string(row.name).append(" (").append(row.closes).append(")");
}

/// Prints what name_of(), to_text() or the above say of a value, as a string is printed.
template <class T>
struct text_formatter : fmt::formatter<fmt::string_view> {
  template <class Context>
  auto format(const T& value, Context& context) const {
    const auto print = [&](std::string_view text) {
      return fmt::formatter<fmt::string_view>::format({text.data(), text.size()}, context);
    };
    if constexpr (requires { name_of(value); }) {
      return print(name_of(value));
    } else if constexpr (requires { to_text(value); }) {
      return print(to_text(value));
    } else {
      return print(words_of(value));
    }
  }
};

}  // namespace nono::detail

template <>
struct fmt::formatter<nono::right> : nono::detail::text_formatter<nono::right> {};
template <>
struct fmt::formatter<nono::errc> : nono::detail::text_formatter<nono::errc> {};
template <>
struct fmt::formatter<nono::error> : nono::detail::text_formatter<nono::error> {};
template <>
struct fmt::formatter<nono::path_kind> : nono::detail::text_formatter<nono::path_kind> {};
template <>
struct fmt::formatter<nono::when_missing> : nono::detail::text_formatter<nono::when_missing> {};
template <>
struct fmt::formatter<nono::origin> : nono::detail::text_formatter<nono::origin> {};
template <>
struct fmt::formatter<nono::platform> : nono::detail::text_formatter<nono::platform> {};
template <>
struct fmt::formatter<nono::rule> : nono::detail::text_formatter<nono::rule> {};
template <>
struct fmt::formatter<nono::group> : nono::detail::text_formatter<nono::group> {};
template <>
struct fmt::formatter<nono::group_rule> : nono::detail::text_formatter<nono::group_rule> {};
template <>
struct fmt::formatter<nono::network_mode> : nono::detail::text_formatter<nono::network_mode> {};
template <>
struct fmt::formatter<nono::port_use> : nono::detail::text_formatter<nono::port_use> {};
template <>
struct fmt::formatter<nono::port_rule> : nono::detail::text_formatter<nono::port_rule> {};
template <>
struct fmt::formatter<nono::target_systems> : nono::detail::text_formatter<nono::target_systems> {};
template <>
struct fmt::formatter<nono::network_rule> : nono::detail::text_formatter<nono::network_rule> {};
template <>
struct fmt::formatter<nono::unix_sockets> : nono::detail::text_formatter<nono::unix_sockets> {};
template <>
struct fmt::formatter<nono::protection> : nono::detail::text_formatter<nono::protection> {};
template <>
struct fmt::formatter<nono::protection_set> : nono::detail::text_formatter<nono::protection_set> {};
template <>
struct fmt::formatter<nono::protection_row> : nono::detail::text_formatter<nono::protection_row> {};
template <>
struct fmt::formatter<nono::standing> : nono::detail::text_formatter<nono::standing> {};
template <>
struct fmt::formatter<nono::demand> : nono::detail::text_formatter<nono::demand> {};
template <>
struct fmt::formatter<nono::thread_mode> : nono::detail::text_formatter<nono::thread_mode> {};
template <>
struct fmt::formatter<nono::file_type> : nono::detail::text_formatter<nono::file_type> {};
template <>
struct fmt::formatter<nono::file_system> : nono::detail::text_formatter<nono::file_system> {};
template <>
struct fmt::formatter<nono::inode_id> : nono::detail::text_formatter<nono::inode_id> {};
template <>
struct fmt::formatter<nono::bound_rule> : nono::detail::text_formatter<nono::bound_rule> {};
template <>
struct fmt::formatter<nono::bound_deny> : nono::detail::text_formatter<nono::bound_deny> {};
template <>
struct fmt::formatter<nono::skipped_rule> : nono::detail::text_formatter<nono::skipped_rule> {};
template <>
struct fmt::formatter<nono::bound_policy> : nono::detail::text_formatter<nono::bound_policy> {};
template <>
struct fmt::formatter<nono::linux_abi::access_masks>
    : nono::detail::text_formatter<nono::linux_abi::access_masks> {};
template <>
struct fmt::formatter<nono::linux_abi::kernel_support>
    : nono::detail::text_formatter<nono::linux_abi::kernel_support> {};
template <>
struct fmt::formatter<nono::enforcement> : nono::detail::text_formatter<nono::enforcement> {};
template <>
struct fmt::formatter<nono::confined_threads> : nono::detail::text_formatter<nono::confined_threads> {};
template <>
struct fmt::formatter<nono::stream> : nono::detail::text_formatter<nono::stream> {};
template <>
struct fmt::formatter<nono::exit_status> : nono::detail::text_formatter<nono::exit_status> {};
template <>
struct fmt::formatter<nono::self_test_result> : nono::detail::text_formatter<nono::self_test_result> {};

/// A policy by name, and whatever stands for one: caps(), capability_set.
template <>
struct fmt::formatter<nono::policy_ref> : nono::detail::text_formatter<nono::policy_ref> {};
template <class Policy>
  requires(!std::same_as<Policy, nono::policy_ref> && std::convertible_to<const Policy&, nono::policy_ref>)
struct fmt::formatter<Policy> : fmt::formatter<nono::policy_ref> {};

#if defined(__linux__)
template <>
struct fmt::formatter<nono::sandbox_target> : nono::detail::text_formatter<nono::sandbox_target> {};
template <>
struct fmt::formatter<nono::planned_path> : nono::detail::text_formatter<nono::planned_path> {};
template <>
struct fmt::formatter<nono::plan> : nono::detail::text_formatter<nono::plan> {};
template <>
struct fmt::formatter<nono::argument_test> : nono::detail::text_formatter<nono::argument_test> {};
template <>
struct fmt::formatter<nono::filter_row> : nono::detail::text_formatter<nono::filter_row> {};
template <>
struct fmt::formatter<nono::filter_table> : nono::detail::text_formatter<nono::filter_table> {};
#endif
