// SPDX-License-Identifier: Apache-2.0
// The words with which the compiler refuses a constant policy whose rules do not fit one another.
#pragma once

namespace nono::detail {

// Never constexpr: in a constant expression their names are the compiler's message. Defined, so that no build
// without optimisation misses a symbol. Those of single literals stand in path.hpp, network.hpp and host.hpp.
inline void variable_must_be_declared() {}
inline void variable_must_be_declared_once() {}
inline void variable_is_known_without_declaring_it() {}
inline void grant_holds_a_denied_path() {}
inline void grant_lies_in_a_denied_path() {}
inline void path_must_be_granted_once() {}
inline void path_must_be_denied_once() {}
inline void path_must_be_a_file_or_a_directory_not_both() {}
inline void group_must_be_given_once() {}
inline void group_has_a_path_that_is_not_plain() {}
inline void port_must_be_given_once() {}
inline void unix_sockets_must_be_given_once() {}
inline void connect_unix_contradicts_unix_sockets_none() {}
inline void protection_cannot_be_lifted_or_no_filter_means_anything() {}
inline void protection_is_enforced_by_no_kernel() {}
inline void protection_must_not_be_both_lifted_and_best_effort() {}
inline void target_must_be_given_once() {}
inline void loopback_network_exists_on_linux_only() {}
inline void ports_to_connect_to_exist_on_linux_only() {}
inline void protection_exists_on_linux_only() {}
inline void truncate_apart_from_write_file_exists_on_linux_only() {}
inline void policy_has_more_rules_than_room() {}
inline void policy_has_more_than_32_groups() {}
inline void policy_has_more_than_32_ports() {}
inline void policy_has_more_than_64_hosts() {}
inline void policy_has_more_than_16_variables() {}
// Of questions about policies.
inline void question_must_name_a_plain_path() {}
inline void question_must_name_declared_variables() {}
inline void variables_must_be_declared_by_both() {}

}  // namespace nono::detail
