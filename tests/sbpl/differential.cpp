// SPDX-License-Identifier: Apache-2.0
// Random policies for macOS, and random questions to each: the model, which knows what a policy means, against the reader,
// which knows what Seatbelt reads in the text that is written for it. Both ways to write paths are tried.
#include <nono/groups.hpp>
#include <nono/macos/model.hpp>
#include <nono/macos/sbpl.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "calls.hpp"
#include "reader.hpp"

namespace {

using nono::operation;
using nono::right;
namespace seatbelt = nono::seatbelt;

/// splitmix64: the same everywhere.
class dice {
 public:
  explicit dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ z >> 30U) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27U) * 0x94d049bb133111ebULL;
    return z ^ z >> 31U;
  }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(next() % n); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <class C>
  const auto& pick(const C& from) {
    return from[below(std::size(from))];
  }

 private:
  std::uint64_t state_;
};

constexpr std::string_view home = "/Users/me";
constexpr std::string_view workdir = "/q/work \"x\")";

/// A path with its variable replaced, as bind() does before anything is applied.
std::string expanded(std::string_view path) {
  const std::string_view variable = nono::leading_variable(path);
  if (variable.empty()) return std::string(path);
  return std::string(variable == "$HOME"      ? home
                     : variable == "$WORKDIR" ? workdir
                                              : "/q/temporary") +
         std::string(nono::after_variable(path));
}

/// A policy that owns its text.
struct scenario {
  std::vector<std::string> paths;  // of the rules
  std::vector<nono::rule> rules;
  std::vector<const nono::group*> groups;
  nono::policy_ref policy;
  seatbelt::settings with;
};

class maker {
 public:
  explicit maker(std::uint64_t seed) : d_(seed) { variables_ = d_.one_in(3); }

  void make(scenario& s) {
    const std::size_t count = d_.below(9);
    for (std::size_t i = 0; i < count; ++i) s.paths.push_back(rule_path());
    for (const std::string& path : s.paths) {
      nono::rule r;
      r.path = path;
      r.kind = d_.one_in(4)   ? nono::path_kind::deny
               : d_.one_in(3) ? nono::path_kind::file
               : d_.one_in(2) ? nono::path_kind::directory
                              : nono::path_kind::any;
      r.rights = r.is_deny() ? nono::no_rights : rights();
      if (r.kind == nono::path_kind::file && (r.rights & ~nono::directory_rights) == nono::no_rights)
        r.rights |= right::read_file;  // capability_set refuses such a rule
      if (d_.one_in(3)) r.from = nono::origin::group;
      s.rules.push_back(r);
    }
    if (d_.one_in(6) && variables_) s.groups.push_back(d_.pick(nono::groups::all));
    s.policy.rules = s.rules;
    s.policy.groups = s.groups;
    using enum nono::network_mode;
    constexpr nono::network_mode modes[] = {unrestricted, blocked, ports, hosts};
    s.policy.network.mode = d_.pick(modes);
    if (s.policy.network.mode == ports)
      for (const std::uint16_t port : {std::uint16_t{0}, std::uint16_t{80}, std::uint16_t{443}})
        if (d_.one_in(2))
          s.policy.network.ports[s.policy.network.port_count++] = {
              port == 0 || d_.one_in(2) ? nono::port_use::bind_tcp : nono::port_use::connect_tcp, port};
    using nono::unix_sockets;
    constexpr unix_sockets sockets[] = {unix_sockets::by_default, unix_sockets::none, unix_sockets::granted,
                                        unix_sockets::any};
    s.policy.sockets = d_.pick(sockets);
    using enum nono::protection;
    for (const nono::protection id : {filesystem, truncate, device_ioctl, nono::protection::network, signals,
                                      pathname_unix, terminal_input, ipc})
      if (d_.one_in(id == filesystem ? 16 : 10)) s.policy.lifted |= id;
    s.with.unlink_protection = d_.one_in(4);
    s.with.proxy_port = 8080;
    constexpr seatbelt::reach reaches[] = {seatbelt::reach::itself, seatbelt::reach::same_sandbox,
                                           seatbelt::reach::all};
    s.with.signals = d_.pick(reaches);
    s.with.paths = d_.one_in(2) ? seatbelt::path_text::quoted : seatbelt::path_text::parameters;
  }

  seatbelt::question ask(const scenario& s, std::string& path, std::string& to) {
    seatbelt::question q;
    q.what = d_.pick(nono::operations).what;
    path = question_path(s);
    to = question_path(s);
    q.path = path;
    q.to = to;
    q.exists = !d_.one_in(3);
    q.to_exists = d_.one_in(2);
    constexpr nono::file_type types[] = {nono::file_type::regular, nono::file_type::directory};
    q.type = q.what == operation::list ? nono::file_type::directory : d_.pick(types);
    constexpr std::uint16_t ports[] = {0, 80, 443, 8080};
    q.port = d_.pick(ports);
    q.local = d_.one_in(2);
    return q;
  }

 private:
  std::string name() {
    static const std::array<std::string, 12> odd = {"a b",
                                                    "\xc3\xa9",
                                                    "new\nline",
                                                    "q\"",
                                                    "b\\",
                                                    "\xff\xfe",
                                                    "(allow default)",
                                                    "\") (allow default) (\"",
                                                    ";c\n",
                                                    "\x01\x7f",
                                                    "#\"x",
                                                    "A"};
    if (d_.one_in(6)) return d_.pick(odd);
    return std::string(1, static_cast<char>('a' + d_.below(4)));
  }

  std::string root() {
    static const std::array<std::string, 12> absolute = {
        "/a",   "/b",           "/tmp",  "/private/tmp", "/private",     "/var", "/private/var/run",
        "/etc", "/private/etc", "/tmpx", "/dev",         "/private/tmpx"};
    if (variables_ && d_.one_in(2)) {
      static const std::array<std::string, 3> begin = {"$HOME", "~", "$WORKDIR"};
      return d_.pick(begin);
    }
    // By name nobody knows what lies between "/" and a variable.
    return !variables_ && d_.one_in(12) ? "/" : d_.pick(absolute);
  }

  std::string rule_path() {
    std::string out = root();
    for (std::size_t n = d_.below(4); n-- > 0;) out += (out == "/" ? "" : "/") + name();
    if (d_.one_in(30)) return "/dev/ttys001";
    return out;
  }

  std::string question_path(const scenario& s) {
    if (d_.one_in(25)) return "/private/var/run/mDNSResponder";
    if (d_.one_in(40)) return d_.one_in(2) ? "/dev/ttys001" : "/dev/ptmx";
    std::string out = !s.paths.empty() && !d_.one_in(4) ? d_.pick(s.paths) : rule_path();
    if (d_.one_in(3) && out.size() > 1) {  // on the way there
      const std::size_t slash = out.rfind('/');
      if (slash != std::string::npos) out.resize(slash == 0 ? 1 : slash);
    }
    if (d_.one_in(2)) out += (out == "/" ? "" : "/") + name();
    if (d_.one_in(4)) {  // by its other spelling
      for (const char* link : {"/etc", "/tmp", "/var"}) {
        if (nono::is_within(out, link)) return "/private" + out;
        if (nono::is_within(out, "/private" + std::string(link))) return out.substr(8);
      }
    }
    return out;
  }

  right rights() {
    constexpr right words[] = {right::read, right::write, right::read_write, nono::all_rights};
    if (!d_.one_in(2)) return d_.pick(words);
    right out{};
    for (const auto& [value, word] : nono::right_names)
      if (d_.one_in(2)) out |= value;
    return out == nono::no_rights ? right::read_file : out;
  }

  dice d_;
  bool variables_ = false;
};

sbpl::profile::parameters values_of(const nono::sbpl_profile& p) {
  sbpl::profile::parameters out;
  for (const auto& [name, value] : p.parameters) out[name] = expanded(value);
  return out;
}

int show(std::uint64_t seed, const scenario& s, const nono::sbpl_profile& p, const std::string& what) {
  std::printf("seed %llu: %s\n--- policy\n%s--- profile\n%s", static_cast<unsigned long long>(seed),
              what.c_str(), to_text(s.policy).c_str(), p.text.c_str());
  for (const auto& [name, value] : p.parameters)
    std::printf("%s = %s\n", name.c_str(), nono::detail::quoted(value).c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  unsigned long long questions = 10000;
  std::uint64_t seed = 1;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--questions") == 0) questions = std::strtoull(argv[i + 1], nullptr, 10);
    if (std::strcmp(argv[i], "--seed") == 0) seed = std::strtoull(argv[i + 1], nullptr, 10);
  }
  std::map<std::string, unsigned long long> reasons;
  unsigned long long asked = 0;
  unsigned long long both_spellings = 0;
  unsigned long long policies = 0;
  for (; asked < questions; ++seed, ++policies) {
    scenario s;
    maker m(seed);
    m.make(s);
    const auto written = nono::to_sbpl(s.policy, s.with);
    if (!written)
      return std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed),
                         written.error().message().c_str()),
             1;
    std::string why;
    const auto values = values_of(*written);
    const auto profile = sbpl::profile::read(written->text, values, why);
    if (!profile) return show(seed, s, *written, "the reader: " + why);
    const seatbelt::model model(s.policy, s.with);
    for (int i = 0; i < 40; ++i) {
      std::string path;
      std::string to;
      const seatbelt::question q = m.ask(s, path, to);
      seatbelt::question named = q;  // as the kernel is asked
      const std::string real = expanded(path);
      const std::string real_to = expanded(to);
      named.path = real;
      named.to = real_to;
      const seatbelt::answer predicted = model.ask(q);
      if (sbpl::allows(*profile, named) != predicted.allowed)
        return show(seed, s, *written,
                    std::string(name_of(q.what)) + " " + nono::detail::quoted(path) + " -> " +
                        nono::detail::quoted(to) + (q.exists ? " there" : " not there") +
                        ", model: " + (predicted.allowed ? "allowed, " : "refused, ") +
                        std::string(name_of(predicted.why)));
      // Below the links at the root, Seatbelt may be asked by either name.
      const bool link = nono::row_of(q.what).paths != 0 && real != "/tmp" && real != "/etc" &&
                        real != "/var" && sbpl::kernel_name(real, false) != real;
      bool wide = false;  // a rule above the links speaks of one name only
      for (const nono::rule& r : s.rules) wide = wide || r.path == "/" || r.path == "/private";
      if (link && !wide && nono::row_of(q.what).paths == 1 && !s.groups.size()) {
        ++both_spellings;
        if (sbpl::allows(*profile, named, true) != predicted.allowed)
          return show(seed, s, *written,
                      "by the other spelling: " + std::string(name_of(q.what)) + " " + path);
      }
      ++reasons[std::string(name_of(predicted.why))];
      ++asked;
    }
  }
  std::printf("%llu questions to %llu policies, %llu by both spellings, no disagreement\n", asked, policies,
              both_spellings);
  for (const auto& [name, count] : reasons) std::printf("  %-15s %llu\n", name.c_str(), count);
  return 0;
}
