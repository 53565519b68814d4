// SPDX-License-Identifier: Apache-2.0
// `nono why`: would a sandbox allow it, by which rule, and what would change the answer.
#include "cli/commands/why.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nono/query.hpp>
#include <nono/tree.hpp>

#include "cli/resolve/host_name.hpp"
#include "cli/resolve/policy_document.hpp"
#include "cli/resolve/program.hpp"
#include "cli/resolve/sentence.hpp"
#include "cli/resolve/spelling.hpp"
#include "cli/run/output.hpp"

namespace nono::cli {

namespace {

const operation_row* operation_of(std::string_view name) {
  const auto* row = std::find_if(std::begin(operations), std::end(operations),
                                 [&](const operation_row& r) { return r.name == name; });
  return row == std::end(operations) ? nullptr : row;
}

/// What the options ask, before anything is looked at.
struct asked_for {
  operation what = operation::open_read;
  std::string path, to;
  std::uint16_t port = 0;
  std::string host{};  ///< without its port; empty: none was named
};

/// A host as people write it: `https://name:port/path`, `name:port`, `name`, `[::1]:port`. Nothing where it is none.
struct named_host {
  std::string name;
  std::optional<unsigned> port;
};

std::optional<named_host> host_of(std::string_view text) {
  named_host out;
  if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
    if (text.substr(0, scheme) == "http") out.port = 80;
    text.remove_prefix(scheme + 3);
    text = text.substr(0, text.find_first_of("/?#"));
    if (const auto user = text.rfind('@'); user != std::string_view::npos) text.remove_prefix(user + 1);
  }
  const auto closing = text.starts_with('[') ? text.find(']') : std::string_view::npos;
  const bool bare_v6 = closing == std::string_view::npos && std::count(text.begin(), text.end(), ':') > 1;
  const auto colon =
      bare_v6 ? std::string_view::npos : text.find(':', closing == std::string_view::npos ? 0 : closing);
  if (colon != std::string_view::npos) {
    const std::string_view digits = text.substr(colon + 1);
    if (digits.empty() || digits.size() > 5 ||
        digits.find_first_not_of("0123456789") != std::string_view::npos)
      return std::nullopt;
    out.port = static_cast<unsigned>(std::stoul(std::string(digits)));
    text = text.substr(0, colon);
  }
  if (closing != std::string_view::npos) text = text.substr(1, closing - 1);
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f ||
        std::string_view("/\\\"'<>").find(c) != std::string_view::npos)
      return std::nullopt;
  out.name = text;
  return text.empty() ? std::nullopt : std::optional(out);
}

constexpr unsigned https_port = 443;

unsigned port_of(const why_options& o, const named_host& h) {
  return o.port ? *o.port : h.port.value_or(https_port);
}

/// True for what a loopback network answers to.
bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

/// A relative path is below the current directory; "." and ".." stay, because only the kernel's rules say what they mean.
std::string joined(const std::string& path, const host& here) {
  if (path.empty() || path.starts_with('/')) return path;
  return (here.current == "/" ? "" : here.current) + "/" + path;
}

asked_for question_of(const why_options& o, const host& here) {
  asked_for out;
  if (o.host) {
    const named_host h = *host_of(*o.host);
    out.what = operation::connect_tcp;
    out.port = static_cast<std::uint16_t>(port_of(o, h));
    out.host = *to_dns_name(h.name, "--host");
    return out;
  }
  if (o.connect_tcp || o.bind_tcp) {
    out.what = o.connect_tcp ? operation::connect_tcp : operation::bind_tcp;
    out.port = static_cast<std::uint16_t>(o.connect_tcp ? *o.connect_tcp : *o.bind_tcp);
    return out;
  }
  if (!o.operations.empty()) out.what = operation_of(o.operations.front())->what;
  if (!o.paths.empty()) out.path = joined(o.paths.front(), here);
  if (!o.to.empty()) out.to = joined(o.to.front(), here);
  return out;
}

class asker {
 public:
  explicit asker(const sandbox& s) : s_(s), confined_(*s.bound, s.report(), privileges::none) {}

  /// What a user means by `write` and `readwrite` of a directory is to make an entry in it; `write` of a missing file
  /// is to make it.
  answer ask(const asked_for& q) {
    answer first = once(q);
    if (!q.host.empty() && s_.bound->network.mode == network_mode::hosts && !is_loopback(q.host)) {
      by_name(first);
      return first;
    }
    // A loopback network of its own has the port, whoever is asked for; the host is not there.
    if (!q.host.empty() && first.is.why == cause::own_network && !is_loopback(q.host)) {
      first.is.status = verdict::denied;
      first.is.why = cause::not_in_policy;
      first.is.concerns = protection::network;
      first.is.os_errno = ENETUNREACH;
    }
    if (!q.host.empty() && !is_loopback(q.host) && first.is.allowed() && is_kept_to_localhost(q.port)) {
      first.is.status = verdict::denied;
      first.is.why = cause::not_in_policy;
      first.is.concerns = protection::network;
      first.is.os_errno = EACCES;
    }
    const bool writes = q.what == operation::open_write || q.what == operation::open_read_write;
    if (!writes) return first;
    const place& at = first.found[0];
    if (at.os_errno == 0 && !at.exists)
      return q.what == operation::open_write ? once({operation::create, q.path, {}, 0}) : first;
    if (!at.exists || at.file.type != file_type::directory) return first;
    if (q.what == operation::open_read_write)
      if (answer lists = once({operation::list, q.path, {}, 0}); !lists.is.allowed()) return lists;
    return in_directory(q.path);
  }

  [[nodiscard]] bool is_kept_to_localhost(std::uint16_t port) const {
    return cli::is_kept_to_localhost(port, s_.r, *s_.bound, s_.report());
  }

  static void decided_by_proxy(answer& a, bool lets) {
    a.is.concerns = protection::network;
    a.is.status = lets ? verdict::allowed : verdict::denied;
    a.is.why = lets ? cause::granted : cause::not_in_policy;
    a.is.os_errno = 0;
    a.by_proxy = true;
    a.reason = lets ? "proxy_allowed" : "proxy_filtered";
  }

  /// What the proxy would decide before it looks anything up.
  void by_name(answer& a) const {
    std::string name = a.host;
    for (char& c : name)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (name.ends_with('.')) name.pop_back();
    if (by_route(a, name)) return;
    const bool named = names_host(s_.bound->hosts, name);
    decided_by_proxy(a, named);
    const allowed_host* const from = s_.r.hosts ? s_.r.hosts->find(name) : nullptr;
    if (!named) {
      a.details =
          fmt::format("the host {} is not among the allowed hosts, and the proxy would answer 403", name);
      if (check_host(name) == errc::none)
        a.remedy = {"--allow-domain " + name, "--allow-domain " + name, nullptr};
      return;
    }
    a.details =
        fmt::format("the proxy lets the host {} through{}", name,
                    from != nullptr ? fmt::format(": {} is allowed by {}", from->name, from->from) : "");
    if (from == nullptr || from->endpoints.empty()) return;
    std::string rules;
    for (const auto& [method, path] : from->endpoints)
      rules += fmt::format("{}{} {}", rules.empty() ? "" : ", ", method, path);
    a.details = fmt::format("of the host {} the proxy lets single http:// requests through, and no https: {}",
                            name, rules);
    a.reason = "endpoint_restricted";
  }

  /// A route's server is reached by the route, and by nothing else.
  bool by_route(answer& a, const std::string& name) const {
    if (!s_.r.hosts) return false;
    for (const credential_route& r : s_.r.hosts->routes) {
      if (r.host != name) continue;
      decided_by_proxy(a, true);
      std::string rules;
      for (const auto& [method, path] : r.deny) rules += fmt::format(", not {} {}", method, path);
      for (const auto& [method, path] : r.allow) rules += fmt::format(", {} {}", method, path);
      if (!rules.empty() && !r.allows_rest) rules += ", nothing else";
      a.details = fmt::format(
          "the host {} is reached by the route {} of {} alone, at the URL in {}; there the proxy adds the "
          "key{}{}",
          name, r.name, r.from, r.url_variable, rules.empty() ? "" : ": ",
          rules.empty() ? rules : rules.substr(2));
      return true;
    }
    return false;
  }

  /// Finds the words for an answer.
  void explain_to_user(answer& a) const {
    if (a.by_proxy) return;
    const bound_policy& policy = *s_.bound;
    const std::string subject = row_of(a.what).paths > 0 ? a.found[0].path() : std::string();
    a.why = explain(a.is, policy, subject);
    a.details = reason_text(a.is, a.asked(), policy, a.why);
    if (!a.host.empty() && !is_loopback(a.host) && a.is.status == verdict::denied &&
        is_kept_to_localhost(a.port))
      a.details = fmt::format("the port {} is open on localhost alone", a.port);
    for (std::size_t i = 0; i < a.is.need_count && a.granted_by == nullptr; ++i)
      a.granted_by = a.is.needs[i].by[0];
    for (std::size_t i = 0; i < a.is.need_count && a.closest == nullptr; ++i)
      if (const need& n = a.is.needs[i]; n.missing != no_rights)
        a.closest = n.by[0] != nullptr ? n.by[0] : nearest_grant(policy, n.path);
    if (a.is.why == cause::missing && a.why.deny == nullptr) {  // also where the way to it ends earlier
      a.why.deny = deny_over(policy, a.path);
      a.why.deny_covers = a.why.deny != nullptr;
    }
    a.reason = reason_of(a);
    if (a.is.status != verdict::denied) return;
    if (a.is.why == cause::missing) a.details += were_it_there(a);
    const std::vector<suggested_grant> missing = missing_grants(a.is);
    if (a.is.why == cause::permissions && passes_with_capabilities(a)) {
      a.details =
          fmt::format("{}; {}", a.details.substr(0, a.details.rfind(", with or without")), capability_advice);
    } else if (a.is.why == cause::not_in_policy && a.is.concerns == protection::network) {
      a.remedy.text = network_advice(s_.r, policy);
      if (policy.network.mode == network_mode::loopback) a.remedy.flags = "--allow-net";
    } else if ((a.is.why == cause::not_granted || a.is.why == cause::gains_access ||
                a.is.why == cause::missing) &&
               !missing.empty()) {
      a.remedy =
          advise({subject, a.found[0].exists, a.what == operation::mkdir, missing}, s_.r, policy, s_.here);
      if (!a.remedy.flags.empty()) a.grants = missing;
    }
  }

 private:
  answer once(const asked_for& q) const {
    answer out;
    out.what = q.what;
    out.path = q.path;
    out.to = q.to;
    out.port = q.port;
    out.host = q.host;
    out.is = confined_.ask(out.asked(), out.found);
    return out;
  }

  /// Making a file of a name that is not there yet.
  answer in_directory(const std::string& directory) const {
    for (unsigned n = 0;; ++n) {
      answer out = once({operation::create,
                         fmt::format("{}{}new{}", directory, directory.ends_with('/') ? "" : "/",
                                     n == 0 ? std::string() : fmt::to_string(n)),
                         {},
                         0});
      if (!out.found[0].exists) return out;
    }
  }

  [[nodiscard]] bool passes_with_capabilities(const answer& a) const {
    return query(*s_.bound, s_.report(), privileges::as_they_are).ask(a.asked()).why != cause::permissions;
  }

  /// What the policy would say besides, where there is nothing yet.
  static std::string were_it_there(const answer& a) {
    if (a.why.deny != nullptr && a.why.deny_covers)
      return fmt::format("; were it there, {} would be denied", quoted_whole(a.why.deny->path));
    if (a.is.need_count == 0) return {};
    if (!missing_grants(a.is).empty()) return "; were it there, no grant would cover it";
    return a.granted_by != nullptr ? "; were it there, a grant would cover it" : "";
  }

  /// A deny comes before everything: it also closes what is still to be made, and that is what is asked of it.
  static std::string reason_of(const answer& a) {
    const bool network = a.is.concerns == protection::network;
    const bool closed = a.why.deny != nullptr && a.why.deny_covers;
    switch (a.is.why) {
      case cause::missing:
        return closed ? "sensitive_path" : "path_not_found";
      case cause::unsuitable:
        return "unsuitable";
      case cause::permissions:
        return "ordinary_permissions";
      case cause::not_granted:
        return closed ? "sensitive_path" : a.closest != nullptr ? "insufficient_access" : "path_not_granted";
      case cause::gains_access:
        return closed ? "sensitive_path" : "gains_access";
      case cause::not_in_policy:
        return network ? "network_blocked" : "not_in_policy";
      case cause::granted:
      case cause::own_network:
        return network ? "network_allowed" : "granted_path";
      case cause::not_restricted:
        return network ? "network_allowed" : "not_restricted";
      case cause::not_enforced:
        return "not_enforceable";
    }
    return {};
  }

  const sandbox& s_;
  query confined_;
};

std::string rule_words(const bound_rule& r) { return to_text(rule_of(r)); }

std::string to_text(const answer& a) {
  std::string out = a.is.status == verdict::allowed  ? "ALLOWED\n"
                    : a.is.status == verdict::denied ? "DENIED\n"
                                                     : "NOT ENFORCEABLE\n";
  const auto line = [&](std::string_view label, std::string_view text) {
    out += fmt::format("{:<17}{}\n", label, text);
  };
  line("Reason:", a.reason);
  line("Details:", a.details);
  if (const place& at = a.found[0]; row_of(a.what).paths == 1 && at.os_errno == 0 && at.path() != a.path)
    line("Leads to:", quoted_whole(at.path()));
  if (!a.host.empty())
    line("Host:",
         fmt::format("{}, port {}; no name is looked up and nothing is sent", in_quotes(a.host), a.port));
  if (a.is.os_errno != 0) line("Error:", fmt::format("{} ({})", errno_name(a.is.os_errno), a.is.os_errno));
  if (a.why.deny != nullptr)
    line("Policy:", fmt::format("{} is denied  [{}]", quoted_whole(a.why.deny->path),
                                source_text(a.why.deny->from, a.why.deny->source)));
  if (a.is.allowed()) {
    std::string_view label = "Granted by:";
    std::vector<const bound_rule*> said;
    for (std::size_t i = 0; i < a.is.need_count; ++i)
      for (const bound_rule* r : a.is.needs[i].by) {
        if (r == nullptr || std::find(said.begin(), said.end(), r) != said.end()) continue;
        line(std::exchange(label, ""), rule_words(*r));
        said.push_back(r);
      }
    if (a.granted_by != nullptr) {
      line("Access:", access_word(a.granted_by->rights));
      line("Source:", source_text(a.granted_by->from, a.granted_by->source));
    }
  } else if (a.reason == "insufficient_access" && a.closest != nullptr) {
    line("Closest match:", rule_words(*a.closest));
  }
  if (a.tried != trial::none)
    line("Tried:", a.tried == trial::allowed ? "the kernel allows it" : "the kernel refuses it");
  if (!a.remedy.text.empty()) line("Suggested fix:", a.remedy.text);
  for (const suggested_grant& g : a.grants) line("  in the DSL:", in_dsl(g));
  if (!a.grants.empty()) line("  in a profile:", in_profile(a.grants));
  return out;
}

/// The same question, to the kernel: opening an existing file or directory changes nothing. Whatever else goes wrong is no
/// answer, and a device might do something when it is opened.
trial tried(const answer& a) {
  const place& at = a.found[0];
  const bool directory = at.file.type == file_type::directory;
  if (row_of(a.what).paths != 1 || !at.exists || (!directory && at.file.type != file_type::regular))
    return trial::none;
  int flags = 0;
  switch (a.what) {
    case operation::open_read:
    case operation::list:
      flags = O_RDONLY;
      break;
    case operation::open_write:
      flags = O_WRONLY;
      break;
    case operation::open_read_write:
      flags = O_RDWR;
      break;
    default:
      return trial::none;
  }
  const int fd = ::open(a.path.c_str(), flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd >= 0) return ::close(fd), trial::allowed;
  return errno == EACCES || errno == EPERM ? trial::denied : trial::none;
}

scope_answer scope_of(const sandbox& s, std::string_view scope) {
  const protection id = scope == "signal" ? protection::signals : protection::abstract_unix;
  const enforcement& report = s.report();
  scope_answer out;
  out.scope = scope;
  out.requested = report.demand_for(id) != demand::none && report.demand_for(id) != demand::lifted;
  out.enforced = report.enforced(id);
  out.supported = out.enforced || report.landlock_abi >= row_of(id).landlock_abi;
  out.state = out.enforced ? "enforced" : out.requested ? "not_supported" : "not_requested";
  out.kernel_abi = report.landlock_abi;
  out.details =
      out.enforced ? fmt::format("{} are out of reach, by {}", row_of(id).closes, name_of(report.of(id)))
      : out.requested
          ? fmt::format("{} can be reached: this needs {}", row_of(id).closes, row_of(id).kernel)
          : fmt::format("{} can be reached: the profile or the network asks for it", row_of(id).closes);
  return out;
}

std::string to_text(const scope_answer& a) {
  return fmt::format("{}\nScope:           {}\nDetails:         {}\nKernel:          Landlock ABI {}\n",
                     a.enforced ? "ENFORCED" : "NOT ENFORCED", a.scope, a.details, a.kernel_abi);
}

/// The sandbox that is asked: the one that a run with these flags would have, or the one around this process.
error find_sandbox(const why_options& options, sandbox& s) {
  if constexpr (this_platform == platform::macos_only)
    return sentence(
        "nono why knows Landlock's rules alone, which are not those of macOS; look at what nono profile show "
        "--format sbpl "
        "prints");
  if (!options.self) {
    run_options context = options.context;
    context.needs_command = false;
    return resolve_without_running(std::move(context), s);
  }
  auto here = this_host();
  if (!here) return here.error();
  s.here = std::move(*here);
  s.r.workdir = s.here.current;
  return restore(std::string(*s.here.variable("NONO_CAP_FILE")), s);
}

}  // namespace

std::string operation_names() {
  std::string out;
  for (const operation_row& row : operations)
    if (row.what != operation::connect_tcp && row.what != operation::bind_tcp)
      out += (out.empty() ? "" : ", ") + std::string(row.name);
  return out;
}

/// True where flags ask for a sandbox other than the one that is there. Those that a variable may have set, and a program
/// inherits, are passed over.
static bool asks_for_context(const run_options& o) {
  for (const auto* paths :
       {&o.read, &o.write, &o.allow_file, &o.read_file, &o.write_file, &o.unix_socket, &o.unix_socket_bind,
        &o.unix_socket_dir, &o.unix_socket_dir_bind, &o.unix_socket_subtree, &o.unix_socket_subtree_bind,
        &o.bypass_protection, &o.allow_command, &o.block_command, &o.command})
    if (!paths->empty()) return true;
  return o.allow_cwd || !o.workdir.empty() || o.strict || !o.auto_groups;
}

std::string check(const why_options& o) {
  if (o.paths.size() > 1 || o.operations.size() > 1 || o.to.size() > 1)
    return "why answers one question: give --path, --op and --to once";
  const bool about_path = !o.paths.empty() || !o.operations.empty() || !o.to.empty();
  if (o.self && asks_for_context(o.context))
    return "--self asks the sandbox that is there: leave the flags out that would shape another";
  if (o.port && !o.host) return "--port goes with --host: give --connect-tcp for a port alone";
  if (o.host || o.scope) {
    if (about_path || o.connect_tcp || o.bind_tcp || (o.host && o.scope))
      return "--host and --scope are questions of their own: give one of them, and no --path, --op or --to";
    if (o.scope)
      return *o.scope == "signal" || *o.scope == "abstract-unix-socket"
                 ? std::string()
                 : fmt::format("--scope {} is neither signal nor abstract-unix-socket", in_quotes(*o.scope));
    const auto named = host_of(*o.host);
    if (!named)
      return fmt::format("--host {} is no host: give a name, an address or a URL", in_quotes(*o.host));
    if (const auto name = to_dns_name(named->name, "--host"); !name) return name.error().message();
    const unsigned number = port_of(o, *named);
    return number == 0 || number > 65535 ? "a port is a number from 1 to 65535" : std::string();
  }
  const bool port = o.connect_tcp || o.bind_tcp;
  for (const auto& given : {o.connect_tcp, o.bind_tcp})
    if (given && (*given == 0 || *given > 65535)) return "a port is a number from 1 to 65535";
  if (port && (o.connect_tcp.has_value() == o.bind_tcp.has_value() || !o.paths.empty() ||
               !o.operations.empty() || !o.to.empty()))
    return "--connect-tcp and --bind-tcp are questions of their own: give one of them, and no --path, --op "
           "or --to";
  if (port) return {};
  const std::string name = o.operations.empty() ? "read" : o.operations.front();
  const operation_row* row = operation_of(name);
  if (row == nullptr || row->what == operation::connect_tcp || row->what == operation::bind_tcp)
    return fmt::format("--op {} is none of {}", in_quotes(name), operation_names());
  if (row->paths == 0)
    return o.paths.empty() && o.to.empty() ? std::string()
                                           : fmt::format("--op {} is about no file: leave --path out", name);
  if (o.paths.empty())
    return "what is asked is missing: give --path, --host, --connect-tcp, --bind-tcp or --scope";
  if (o.paths.front().empty()) return "--path needs a path, and got an empty one";
  if (row->paths == 1)
    return o.to.empty() ? std::string() : fmt::format("--op {} has one name: leave --to out", name);
  if (o.to.empty()) return fmt::format("--op {} has two names: give the second with --to", name);
  return o.to.front().empty() ? "--to needs a path, and got an empty one" : std::string();
}

int why(const why_options& options) {
  if (const char* const inside = std::getenv("NONO_CAP_FILE");
      options.self && (inside == nullptr || *inside == '\0')) {
    constexpr std::string_view message =
        "NONO_CAP_FILE is not set, so this process was not started by nono run, wrap or shell";
    return print(options.json ? not_sandboxed_json(message)
                              : fmt::format("NOT SANDBOXED\nDetails:         {}\n", message));
  }
  sandbox s;
  if (const error failed = find_sandbox(options, s); failed.code != errc::none) {
    complain(words_of(failed));
    return 1;
  }
  if (options.scope) {
    const scope_answer a = scope_of(s, *options.scope);
    return print(options.json ? to_json(a) : to_text(a));
  }
  if (!options.context.silent)
    for (const std::string& w : s.r.warnings) say("[nono] warning: " + w + "\n");
  asker asks(s);
  answer a = asks.ask(question_of(options, s.here));
  asks.explain_to_user(a);
  if (options.self) a.tried = tried(a);
  if (a.tried != trial::none && (a.tried == trial::allowed) != a.is.allowed()) {
    complain(fmt::format(
        "the policy of this sandbox says that {} is {}, and the kernel {} it: an outer sandbox, or "
        "a NONO_CAP_FILE that was changed",
        in_quotes(a.path), a.is.allowed() ? "allowed" : "denied",
        a.tried == trial::allowed ? "allows" : "refuses"));
    return 1;
  }
  if (options.json) return print(to_json(a));
  std::string out = to_text(a);
  if (options.tree) {
    std::vector<std::string> asked;
    for (std::size_t i = 0; i < row_of(a.what).paths; ++i)
      if (a.found[i].os_errno == 0) asked.push_back(a.found[i].path());
    out += to_tree(*s.bound, &a.is, asked);
  }
  return print(out);
}

std::string_view errno_name(int number) {
  constexpr std::pair<int, std::string_view> names[] = {
      {EPERM, "EPERM"},
      {ENOENT, "ENOENT"},
      {ENXIO, "ENXIO"},
      {EACCES, "EACCES"},
      {EBUSY, "EBUSY"},
      {EEXIST, "EEXIST"},
      {EXDEV, "EXDEV"},
      {ENOTDIR, "ENOTDIR"},
      {EISDIR, "EISDIR"},
      {EINVAL, "EINVAL"},
      {ENOTTY, "ENOTTY"},
      {ETXTBSY, "ETXTBSY"},
      {EROFS, "EROFS"},
      {EMLINK, "EMLINK"},
      {ENAMETOOLONG, "ENAMETOOLONG"},
      {ENOSYS, "ENOSYS"},
      {ENOTEMPTY, "ENOTEMPTY"},
      {ELOOP, "ELOOP"},
      {EADDRINUSE, "EADDRINUSE"},
      {ESTALE, "ESTALE"},
      {ECONNREFUSED, "ECONNREFUSED"},
      {ENOMEM, "ENOMEM"},
      {ENETUNREACH, "ENETUNREACH"},
  };
  for (const auto& [value, name] : names)
    if (value == number) return name;
  return {};
}

}  // namespace nono::cli
