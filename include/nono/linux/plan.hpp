// SPDX-License-Identifier: Apache-2.0
// From a bound policy and a kernel's abilities to what will be asked of that kernel: pure, plain data, the
// same on every machine.
#pragma once

#if defined(__linux__)
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <nono/bound_policy.hpp>
#include <nono/error.hpp>
#include <nono/linux/abi.hpp>
#include <nono/linux/filter.hpp>
#include <nono/report.hpp>

namespace nono {

/// A path rule as the kernel will get it.
struct planned_path {
  const bound_rule* rule = nullptr;
  std::uint64_t access = 0;
};

/// Everything that confining needs, in the order in which it is done.
struct plan {
  bool own_network = false;  ///< a network namespace with lo up (and a user namespace if not privileged)
  bool drop_capabilities = false;  ///< a child keeps none
  bool own_keyring = false;        ///< a child gets a session key ring of its own
  linux_abi::ruleset_attr ruleset;
  std::span<const planned_path> paths;
  std::span<const linux_abi::net_port_attr> ports;
  filter_request filter;
  enforcement report;
};

namespace detail {

/// The rights that Landlock must handle to give a protection; none: Landlock has no part in it.
constexpr linux_abi::access_masks landlock_rights(protection id) noexcept {
  switch (id) {
    case protection::filesystem:
    case protection::mounts:          // a domain that handles files bans mounts
    case protection::process_memory:  // the oldest that make a domain; standing_of() takes any
      return {.fs = linux_abi::fs_1};
    case protection::truncate:
      return {.fs = linux_abi::fs_truncate};
    case protection::device_ioctl:
      return {.fs = linux_abi::fs_ioctl_dev};
    case protection::pathname_unix:
      return {.fs = linux_abi::fs_resolve_unix};
    case protection::network:
      return {.net = linux_abi::net_4};
    case protection::signals:
      return {.scoped = linux_abi::scope_signal};
    case protection::abstract_unix:
      return {.scoped = linux_abi::scope_abstract_unix_socket};
    default:
      return {};
  }
}

inline linux_abi::ruleset_attr handled_rights(const bound_policy& p,
                                              const linux_abi::kernel_support& k) noexcept;

/// supervised: somebody decides the child's calls.
inline standing standing_of(protection id, const bound_policy& p, const linux_abi::kernel_support& k,
                            bool supervised) noexcept {
  const bool handled = k.has(landlock_rights(id));
  const standing landlock = handled ? standing::by_landlock : standing::missing;
  const standing seccomp = k.seccomp ? standing::by_seccomp : standing::missing;
  const standing both = k.seccomp && handled ? standing::by_landlock_and_seccomp : seccomp;
  if (p.lifted.has(id) && id != protection::foreign_abi)
    return standing::not_asked;  // numbers mean nothing there
  const bool no_files = p.lifted.has(protection::filesystem);
  const network_mode network = network_of(p);
  const unix_sockets sockets = sockets_of(p);
  switch (id) {
    case protection::filesystem:
    case protection::signals:
      return landlock;
    case protection::truncate:
      if (no_files) return standing::not_asked;
      return handled ? landlock : seccomp;
    case protection::device_ioctl:
      return no_files ? standing::not_asked : landlock;
    case protection::abstract_unix:
      if (network == network_mode::loopback) return standing::by_namespace;
      return sockets == unix_sockets::none ? seccomp : landlock;
    case protection::pathname_unix:
      if (sockets == unix_sockets::any) return standing::not_asked;
      if (sockets == unix_sockets::none) return seccomp;
      return supervised && !handled ? standing::by_supervisor : landlock;
    case protection::network:
      switch (network) {
        case network_mode::unrestricted:
          return standing::not_asked;
        case network_mode::blocked:
          return both;
        case network_mode::loopback:
          return k.seccomp ? standing::by_namespace : standing::missing;
        case network_mode::ports:
          return handled ? both : standing::missing;
        case network_mode::hosts:
          break;  // without a runner: make_plan() refuses it
      }
      return standing::missing;
    case protection::process_memory: {
      // Any domain fences it off; the filter alone leaves ptrace and /proc open.
      const linux_abi::ruleset_attr attr = handled_rights(p, k);
      const bool domain = (attr.handled_access_fs | attr.handled_access_net | attr.scoped) != 0;
      return domain && k.seccomp && !k.reads_all_memory ? standing::by_landlock_and_seccomp
                                                        : standing::missing;
    }
    case protection::mounts:
      return no_files ? seccomp : both;
    case protection::cpu_affinity:  // who is inside is told by the signal scope
      return supervised && k.has(landlock_rights(protection::signals)) && !p.lifted.has(protection::signals)
                 ? standing::by_supervisor
                 : standing::not_enforceable;
    case protection::metadata:
      if (no_files) return standing::not_asked;
      return supervised ? standing::by_supervisor : standing::not_enforceable;
    case protection::names:
      return standing::not_enforceable;
    default:
      return seccomp;
  }
}

/// The rights that the policy's ruleset handles; none of any kind: it makes no domain.
inline linux_abi::ruleset_attr handled_rights(const bound_policy& p,
                                              const linux_abi::kernel_support& k) noexcept {
  const auto asked = [&](protection id) { return standing_of(id, p, k, false) != standing::not_asked; };
  const network_mode network = network_of(p);
  linux_abi::ruleset_attr out;
  if (asked(protection::filesystem))
    out.handled_access_fs = k.fs & (linux_abi::fs_3 | linux_abi::fs_ioctl_dev);
  if (!asked(protection::truncate)) out.handled_access_fs &= ~linux_abi::fs_truncate;
  if (!asked(protection::device_ioctl)) out.handled_access_fs &= ~linux_abi::fs_ioctl_dev;
  if (asked(protection::pathname_unix)) out.handled_access_fs |= k.fs & linux_abi::fs_resolve_unix;
  if (network == network_mode::blocked) out.handled_access_net = k.net;
  if (network == network_mode::ports) out.handled_access_net = k.net & linux_abi::net_4;
  if (asked(protection::signals)) out.scoped |= k.scoped & linux_abi::scope_signal;
  if (asked(protection::abstract_unix)) out.scoped |= k.scoped & linux_abi::scope_abstract_unix_socket;
  return out;
}

/// What the policy names, as against what the defaults add.
inline bool required(protection id, const bound_policy& p) noexcept {
  if (p.best_effort.has(id)) return false;
  if (p.strict) return true;
  return is_named(id, network_of(p), sockets_of(p));
}

/// How much the policy wants it, as the report says it.
inline demand demand_of(protection id, const bound_policy& p, standing s) noexcept {
  if (p.lifted.has(id)) return demand::lifted;
  if (s == standing::not_asked || s == standing::not_enforceable) return demand::none;
  return required(id, p) ? demand::required : demand::preferred;
}

/// Why Landlock's calls fail as a whole, whichever of them it was.
constexpr errc no_landlock_code(int os_errno) noexcept {
  switch (os_errno) {
    case EOPNOTSUPP:
      return errc::landlock_disabled;
    case ENOSYS:
      return errc::landlock_not_in_kernel;
    default:
      return errc::landlock_refused;
  }
}

inline error no_landlock(const linux_abi::kernel_support& k) {
  return {no_landlock_code(k.landlock_errno), k.landlock_errno, {}, {}, {}};
}

inline error unavailable(const protection_row& row, const bound_policy& p,
                         const linux_abi::kernel_support& k) {
  linux_abi::kernel_support with_filters = k;
  with_filters.seccomp = true;
  if (!k.seccomp && standing_of(row.id, p, with_filters, false) != standing::missing)
    return {errc::protection_unavailable,
            0,
            {},
            {},
            std::string(row.name)
                .append(" (")
                .append(row.closes)
                .append("), which needs seccomp filters (CONFIG_SECCOMP_FILTER); here there are none")};
  if (row.id == protection::process_memory && k.reads_all_memory)
    return {errc::protection_unavailable,
            0,
            {},
            {},
            "process_memory, which needs this process to drop CAP_PERFMON and CAP_SYS_ADMIN first"};
  if (row.id == protection::process_memory && k.landlock_abi != 0)
    return {errc::protection_unavailable,
            0,
            {},
            {},
            "process_memory, which any Landlock domain gives, and this policy asks this kernel for none"};
  std::string what(row.name);
  what += " (";
  what += row.closes;
  what += "), which needs ";
  what += row.landlock_abi != 0 ? "Landlock ABI " + std::to_string(row.landlock_abi) : std::string("seccomp");
  what += " of ";
  what += row.kernel;
  if (row.supervisor) what += ", or a supervisor (spawn_supervised, nono run)";
  what += "; here Landlock's ABI is " + std::to_string(k.landlock_abi);
  if (const linux_abi::access_masks missing = k.missing(); !missing.empty())
    what += " (claimed), missing: " + to_text(missing);
  return {errc::protection_unavailable, 0, {}, {}, std::move(what)};
}

}  // namespace detail

/// Plans how `policy` is enforced on a kernel that can do `kernel`. The plan refers to the policy and lives
/// in its memory. Errors: landlock_not_in_kernel, landlock_disabled, landlock_refused, protection_unavailable,
///         needs_child, hosts_need_the_runner.
inline result<plan> make_plan(bound_policy& policy, linux_abi::kernel_support kernel, sandbox_target target,
                              bool observed = false) {
  plan out;
  const bool child = target != sandbox_target::this_process;
  const bool supervised = target == sandbox_target::supervised_child && kernel.seccomp;
  if (child) kernel.reads_all_memory = false;  // they are dropped
  const bool files = !policy.lifted.has(protection::filesystem);
  const network_mode network = detail::network_of(policy);
  if (network == network_mode::hosts || (policy.gate.port != 0 && !child))
    return error{errc::hosts_need_the_runner, 0, {}, {}, {}};
  if (!child && network == network_mode::loopback) return error{errc::needs_child, 0, {}, {}, {}};
  if (kernel.landlock_abi == 0 && detail::required(protection::filesystem, policy) && files)
    return detail::no_landlock(kernel);
  for (const protection_row& row : protections) {
    const standing s = detail::standing_of(row.id, policy, kernel, supervised);
    out.report.protections[static_cast<std::size_t>(row.id)] = s;
    out.report.demands[static_cast<std::size_t>(row.id)] = detail::demand_of(row.id, policy, s);
    if (s == standing::missing && detail::required(row.id, policy))
      return detail::unavailable(row, policy, kernel);
  }

  const auto by_supervisor = [&](protection id) { return out.report.of(id) == standing::by_supervisor; };
  const auto asked = [&](protection id) { return out.report.of(id) != standing::not_asked; };
  out.ruleset = detail::handled_rights(policy, kernel);

  const auto paths = policy.memory.array<planned_path>(policy.rules.size());
  std::size_t used = 0;
  for (const bound_rule& r : policy.rules) {
    if (r.subsumed) {
      ++out.report.covered;
      continue;
    }
    std::uint64_t access = linux_abi::fs_bits(r.rights) & out.ruleset.handled_access_fs;
    if (r.type != file_type::directory) access &= linux_abi::fs_on_files;
    if (access == 0) continue;
    paths[used++] = {&r, access};
    if (r.on == file_system::plan9) ++out.report.on_9p;
    if (r.on == file_system::fuse) ++out.report.on_fuse;
  }
  out.paths = paths.first(used);
  out.report.rules = static_cast<std::uint32_t>(used);
  out.report.skipped = static_cast<std::uint32_t>(policy.skipped.size());

  bool binds = false;
  if (network == network_mode::ports) {
    const std::size_t named = policy.network.port_count;
    const bool gate = policy.gate.port != 0;
    const auto ports = policy.memory.array<linux_abi::net_port_attr>(named + (gate ? 1 : 0));
    for (std::size_t i = 0; i < named; ++i) {
      const bool bind_rule = policy.network.ports[i].use == port_use::bind_tcp;
      ports[i] = {bind_rule ? linux_abi::net_bind_tcp : linux_abi::net_connect_tcp,
                  policy.network.ports[i].port};
      binds = binds || bind_rule;
    }
    if (gate) ports[named] = {linux_abi::net_connect_tcp, policy.gate.port};
    out.ports = ports;
  }

  out.filter = {.network = network,
                .binds_ports = binds,
                .no_unix_sockets = detail::sockets_of(policy) == unix_sockets::none,
                .complement_truncate =
                    files && asked(protection::truncate) && (kernel.fs & linux_abi::fs_truncate) == 0,
                .observed = observed && kernel.seccomp,
                .decides_processes = by_supervisor(protection::cpu_affinity),
                .decides_unix = by_supervisor(protection::pathname_unix),
                .decides_metadata = by_supervisor(protection::metadata),
                .lifted = policy.lifted};
  out.own_network = network == network_mode::loopback;
  out.drop_capabilities = child;
  out.own_keyring = child && asked(protection::keyring);
  out.report.landlock_abi = kernel.landlock_abi;
  out.report.real_abi = kernel.real_abi();
  out.report.missing = kernel.missing();
  return out;
}

namespace detail {
inline std::string fs_words(std::uint64_t access) {
  std::string out;
  for (const auto& [bit, name] : linux_abi::fs_names)
    if ((access & bit) != 0) out.append(out.empty() ? "" : "|").append(name);
  return out;
}
}  // namespace detail

/// The path and the kernel's rights below it.
inline std::string to_text(const planned_path& path) {
  return "beneath " + detail::quoted(path.rule->canonical) + ' ' + detail::fs_words(path.access);
}

/// The plan, a line for each thing that the kernel will be asked.
inline std::string to_text(const plan& p) {
  std::string out;
  if (p.own_network) out += "own network namespace, lo up\n";
  if (p.own_keyring) out += "own session key ring\n";
  if (p.drop_capabilities) out += "no capabilities\n";
  out += "handle fs " + detail::fs_words(p.ruleset.handled_access_fs) + "\nhandle net " +
         std::to_string(p.ruleset.handled_access_net) + " scoped " + std::to_string(p.ruleset.scoped) + '\n';
  for (const planned_path& path : p.paths) out += to_text(path) + '\n';
  for (const linux_abi::net_port_attr& port : p.ports)
    out += (port.allowed_access == linux_abi::net_bind_tcp ? "bind_tcp " : "connect_tcp ") +
           std::to_string(port.port) + '\n';
  out += to_text(filter_table(p.filter));
  return out;
}

}  // namespace nono
#endif
