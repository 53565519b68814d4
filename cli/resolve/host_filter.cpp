// SPDX-License-Identifier: Apache-2.0
// Which hosts a run may reach.
#include "cli/resolve/host_filter.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nono/host.hpp>
#include <nono/network.hpp>

#include "cli/resolve/host_groups.hpp"
#include "cli/resolve/host_name.hpp"
#include "cli/resolve/program.hpp"
#include "cli/resolve/registries.hpp"
#include "cli/resolve/resolver.hpp"
#include "cli/resolve/sentence.hpp"

namespace nono::cli {

namespace {

std::string names_of_profiles() {
  std::string out;
  for (const host_profile& p : host_profiles()) out += fmt::format("{}{}", out.empty() ? "" : ", ", p.name);
  return out;
}

/// What check_host() says, in the words of the flag.
error no_host(std::string_view word, std::string_view from, errc why) {
  const error e{why, 0, std::string(from), std::string(word), {}};
  return sentence(e.message());
}

/// The name as DNS has it, with a note of the one that it came from.
result<std::string> noted_name(std::string_view name, std::string_view from,
                               std::vector<std::string>& notes) {
  auto out = to_dns_name(name, from);
  if (out && *out != name) notes.push_back(fmt::format("{}: {} is {} in DNS", from, in_quotes(name), *out));
  return out;
}

class filter_maker {
 public:
  filter_maker(const run_options& options, const profile& says, std::string_view name, const host& here,
               std::string_view workdir, const writable_places& inside, std::vector<std::string>& notes,
               std::vector<std::string>& warnings)
      : options_(options),
        says_(says),
        name_(name),
        here_(here),
        workdir_(workdir),
        inside_(inside),
        notes_(notes),
        warnings_(warnings) {}

  result<host_filter> run() {
    const std::string of_profile = fmt::format("the profile {}", name_);
    out_.profile =
        options_.network_profile.empty() ? says_.network_profile.value_or("") : options_.network_profile;
    if (!out_.profile.empty()) {
      const host_profile* const named = find_host_profile(out_.profile);
      if (named == nullptr)
        return sentence(fmt::format("there is no network profile {}; name one of: {}",
                                    in_quotes(out_.profile), names_of_profiles()));
      for (const std::string_view group : named->groups) add_group(*find_host_group(group));
    }
    for (const profile_domain& d : says_.domains)
      if (error why = add(d.name, of_profile, d.endpoints); why.code != errc::none) return why;
    for (const std::string& word : options_.allow_domain)
      if (error why = add(word, "--allow-domain", {}); why.code != errc::none) return why;
    if (error why = choose_upstream(of_profile); why.code != errc::none) return why;
    auto routes = routes_of(options_, says_, name_, here_, workdir_);
    if (!routes) return std::move(routes.error());
    out_.routes = *std::move(routes);
    // A credential alone does not restrict hosts, but for those that are nobody's business.
    if (out_.hosts.empty() && !out_.routes.empty()) put({"*", out_.routes.front().from});
    out_.proxy_port = options_.proxy_port;
    std::sort(out_.hosts.begin(), out_.hosts.end(),
              [](const allowed_host& a, const allowed_host& b) { return a.name < b.name; });
    if (out_.hosts.empty())
      return sentence(
          out_.upstream_host.empty()
              ? "the network would have no host; name one with --allow-domain, or use --block-net"
              : "an upstream proxy alone lets no host through; name them with --network-profile or "
                "--allow-domain");
    for (const registry_host& r : left_out_)
      if (out_.find(r.host) == nullptr)
        notes_.push_back(fmt::format(
            "the registry {} of {} is not among the hosts, because {}; --allow-domain {} adds it", r.host,
            r.from, r.is_public ? "a sandboxed command may have written that file" : "it is not public",
            r.host));
    for (const allowed_host& h : out_.hosts)
      if (!h.endpoints.empty())
        warnings_.push_back(fmt::format(
            "of {} single endpoints are allowed, which only http:// requests show: https to it stays closed "
            "(--allow-domain {} opens the whole host)",
            h.name, h.name));
    return std::move(out_);
  }

 private:
  void add_group(const host_group& group) {
    for (const std::string_view host : group.hosts)
      put({std::string(host), fmt::format("the group {}", group.name)});
    if (group.name != package_registries) return;
    const auto found =
        registry_hosts([&](std::string_view name) { return here_.variable(name); }, here_.home,
                       here_.has_path ? std::string_view(here_.path) : std::string_view(), workdir_, inside_);
    for (const registry_host& r : found.hosts) put({r.host, r.from});
    left_out_ = found.left_out;
  }

  error add(std::string_view word, std::string_view from,
            const std::vector<std::pair<std::string, std::string>>& endpoints) {
    if (const host_group* const group = find_host_group(word); group != nullptr && endpoints.empty()) {
      add_group(*group);
      return {};
    }
    auto read = read_domain(word, from, notes_, warnings_);
    if (!read) return std::move(read.error());
    allowed_host one = *std::move(read);
    for (const auto& [method, path] : endpoints) {
      std::pair<std::string, std::string> rule;
      if (const std::string wrong = read_endpoint(method, path, rule); !wrong.empty())
        return sentence(fmt::format("an endpoint of {} in {} {}", in_quotes(word), from, wrong));
      one.endpoints.push_back(std::move(rule));
    }
    put(std::move(one));
    return {};
  }

  /// A host that has rules for its endpoints stays restricted to them, until it is named whole by a flag.
  void put(allowed_host one) {
    const auto at = std::find_if(out_.hosts.begin(), out_.hosts.end(),
                                 [&](const allowed_host& h) { return h.name == one.name; });
    if (at == out_.hosts.end()) {
      out_.hosts.push_back(std::move(one));
    } else if (one.endpoints.empty() && one.from == "--allow-domain") {
      *at = std::move(one);
    } else if (!one.endpoints.empty()) {
      at->endpoints.insert(at->endpoints.end(), one.endpoints.begin(), one.endpoints.end());
      at->from = one.from;
    }
  }

  error choose_upstream(const std::string& of_profile) {
    const bool by_flag = !options_.upstream_proxy.empty();
    const std::string_view word = by_flag ? options_.upstream_proxy : says_.upstream_proxy;
    if (!word.empty()) {
      const std::string from = by_flag ? "--upstream-proxy" : "network.upstream_proxy of " + of_profile;
      const auto wrong = [&] {
        return sentence(
            fmt::format("{} has {}; write HOST:PORT, without scheme and user", from, in_quotes(word)));
      };
      const std::size_t colon = word.rfind(':');
      if (colon == std::string_view::npos) return wrong();
      std::string_view name = word.substr(0, colon);
      if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
      const auto port = parse_port(word.substr(colon + 1));
      auto dns = noted_name(name, from, notes_);
      if (!dns) return std::move(dns.error());
      if (!port || check_host(*dns) != errc::none || dns->starts_with('*')) return wrong();
      out_.upstream_host = *std::move(dns);
      out_.upstream_port = *port;
    }
    for (const auto* list : {&says_.upstream_bypass, &options_.upstream_bypass})
      for (const std::string& said : *list) {
        const std::string from = list == &options_.upstream_bypass
                                     ? "--upstream-bypass"
                                     : "network.upstream_bypass of " + of_profile;
        auto host = noted_name(said, from, notes_);
        if (!host) return std::move(host.error());
        if (const errc why = check_host(*host); why != errc::none) return no_host(*host, from, why);
        if (std::find(out_.upstream_bypass.begin(), out_.upstream_bypass.end(), *host) ==
            out_.upstream_bypass.end())
          out_.upstream_bypass.push_back(*std::move(host));
      }
    if (out_.upstream_host.empty() && !out_.upstream_bypass.empty())
      return sentence(
          options_.upstream_bypass.empty()
              ? fmt::format("network.upstream_bypass of {} has no network.upstream_proxy to bypass; leave "
                            "it out",
                            of_profile)
              : "--upstream-bypass has no upstream proxy to bypass; name that with --upstream-proxy");
    return {};
  }

  const run_options& options_;
  const profile& says_;
  std::string_view name_;
  const host& here_;
  std::string_view workdir_;
  const writable_places& inside_;
  std::vector<std::string>& notes_;
  std::vector<std::string>& warnings_;
  std::vector<registry_host> left_out_;
  host_filter out_;
};

}  // namespace

const allowed_host* host_filter::find(std::string_view name) const {
  const allowed_host* found = nullptr;
  for (const allowed_host& h : hosts) {
    if (h.name == name) return &h;
    const bool narrower = found == nullptr || (found->endpoints.empty() && !h.endpoints.empty());
    if (narrower && is_host_within(name, h.name)) found = &h;
  }
  return found;
}

bool wants_hosts(const run_options& options, const profile& says) {
  return wants_routes(options, says) || !options.network_profile.empty() || !options.allow_domain.empty() ||
         !options.upstream_proxy.empty() || !options.upstream_bypass.empty() ||
         !says.network_profile.value_or("").empty() || !says.domains.empty() ||
         !says.upstream_proxy.empty() || !says.upstream_bypass.empty();
}

result<host_filter> filter_of(const run_options& options, const profile& says, std::string_view profile_name,
                              const host& here, std::string_view workdir, const writable_places& inside,
                              std::vector<std::string>& notes, std::vector<std::string>& warnings) {
  return filter_maker(options, says, profile_name, here, workdir, inside, notes, warnings).run();
}

result<allowed_host> read_domain(std::string_view word, std::string_view from,
                                 std::vector<std::string>& notes, std::vector<std::string>& warnings) {
  allowed_host out{std::string(word), std::string(from)};
  std::string_view rest = word;
  const std::size_t scheme = word.find("://");
  if (scheme != std::string_view::npos) {
    const std::string_view name = word.substr(0, scheme);
    if (name != "https" && name != "http")
      return sentence(fmt::format("{} has {}, and only http and https can be filtered; write the host alone",
                                  from, in_quotes(word)));
    rest = word.substr(scheme + 3);
    const std::size_t slash = rest.find_first_of("/?#");
    const std::string_view path = slash == std::string_view::npos ? std::string_view() : rest.substr(slash);
    rest = rest.substr(0, slash);
    if (path.find_first_of("?#") != std::string_view::npos)
      return sentence(
          fmt::format("{} has {} with a query, which no rule looks at; leave it out", from, in_quotes(word)));
    if (path.size() > 1) {
      std::pair<std::string, std::string> rule;
      if (const std::string wrong = read_endpoint("*", path, rule); !wrong.empty())
        return sentence(fmt::format("{} {}", from, wrong));
      out.endpoints.push_back(std::move(rule));
    }
  }
  std::string host(rest);
  for (char& c : host)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (host.starts_with('[') && host.find(']') != std::string::npos) {
    const std::size_t end = host.find(']');
    if (host.size() > end + 1)
      warnings.push_back(fmt::format("{}: the port of {} is not looked at", from, in_quotes(word)));
    host = host.substr(1, end - 1);
  } else if (check_host(host) == errc::host_has_port && parse_port(host.substr(host.find(':') + 1))) {
    host.resize(host.find(':'));
    warnings.push_back(fmt::format("{}: the port of {} is not looked at: hosts are named, not their ports",
                                   from, in_quotes(word)));
  }
  if (host.size() > 1 && host.ends_with('.')) host.pop_back();
  auto name = noted_name(host, from, notes);
  if (!name) return std::move(name.error());
  if (const errc why = check_host(*name); why != errc::none) return no_host(*name, from, why);
  out.name = *std::move(name);
  return out;
}

}  // namespace nono::cli
