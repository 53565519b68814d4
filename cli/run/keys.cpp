// SPDX-License-Identifier: Apache-2.0
// The secrets of a run.
#include "cli/run/keys.hpp"

#include <algorithm>

#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nono/json/file.hpp>
#include <nono/place.hpp>
#include <nono/tree.hpp>

#include "cli/resolve/program.hpp"
#include "cli/resolve/sentence.hpp"
#include "cli/resolve/setting_paths.hpp"
#include "cli/run/replaceable.hpp"
#include "cli/run/system.hpp"
#include "secrets/source.hpp"

namespace nono::cli {

namespace {

/// Nothing of this process reaches a core file while it lives. It is put back, because a process that cannot be dumped can give
/// its children no user namespace; once they run, the supervisor sees to it again.
class undumpable {
 public:
  undumpable() {
    (void)::getrlimit(RLIMIT_CORE, &before_);
    const rlimit none{0, before_.rlim_max};  // a hard limit could not be put back
    (void)::setrlimit(RLIMIT_CORE, &none);
    set_dumpable(false);
  }
  undumpable(const undumpable&) = delete;
  undumpable& operator=(const undumpable&) = delete;
  ~undumpable() {
    set_dumpable(true);
    (void)::setrlimit(RLIMIT_CORE, &before_);
  }

 private:
  rlimit before_{};
};

/// Where secrets come from, and what is not asked for them: a program that the command could have put there.
secrets::surroundings sources_of(const host& here) {
  secrets::surroundings out = secrets::surroundings_with(here.environment);
  if (!here.writable.empty())
    out.grant_over = [&here](const std::string& path) { return grant_over(here.writable, path); };
  return out;
}

/// Reads a file of certificates. Empty path: nothing.
error read_certificates(const std::string& path, std::string_view field, const credential_route& r,
                        std::string& to) {
  if (path.empty()) return {};
  auto text = read_profile_file(path, std::size_t{1} << 20U);
  if (!text)
    return sentence(fmt::format("{} {} of the credential {} cannot be read: {}", field, in_quotes(path),
                                r.name, text.error().other));
  to = *std::move(text);
  return {};
}

/// What could give a secret of the keyring away: the session's bus, and what starts programs or asks by it.
std::vector<std::string> keyring_sockets(const host& here) {
  std::vector<std::string> out;
  if (const auto run = here.variable("XDG_RUNTIME_DIR"))
    for (const char* const name :
         {"/bus", "/systemd/private", "/keyring/control", "/keyring/ssh", "/dbus-1/services"})
      out.push_back(std::string(*run) + name);
  if (const auto bus = here.variable("DBUS_SESSION_BUS_ADDRESS")) {
    constexpr std::string_view mark = "unix:path=";
    if (const std::size_t at = bus->find(mark); at != std::string_view::npos) {
      const std::string_view rest = bus->substr(at + mark.size());
      out.emplace_back(rest.substr(0, rest.find_first_of(",;")));
    }
  }
  return out;
}

/// By whatever name it is granted: Landlock knows inodes, which have other names by hard links and bind mounts.
error check_file_is_out_of_reach(const std::string& path, std::string_view what, const credential_route& r,
                                 const sandbox& s) {
  const auto real = canonical_path(path);
  const place at = look(path, {});
  for (const bound_rule& rule : s.bound->rules)
    if (contains(rule.rights, right::read_file) &&
        (is_within(real ? *real : path, rule.canonical) || (at.exists && lies_below(at, rule.id))))
      return sentence(fmt::format(
          "the {} of the credential {} is in {}, which the command could read itself: {} is granted "
          "[{}]; leave out that grant, or keep the file elsewhere",
          what, r.name, in_quotes(path), in_quotes(rule.path), source_text(rule.from, rule.source)));
  return {};
}

error check_keyring_is_out_of_reach(const sandbox& s) {
  using kind = secrets::reference::kind;
  const credential_route* of_keyring = nullptr;
  for (const credential_route& r : s.r.hosts->routes)
    if (r.key.is == kind::keyring) of_keyring = &r;
  if (of_keyring == nullptr) return {};
  const auto bus = s.here.variable("DBUS_SESSION_BUS_ADDRESS");
  const bool abstract = bus && bus->find("unix:abstract=") != std::string_view::npos;
  for (const protection p : {protection::pathname_unix, protection::abstract_unix})
    if ((p == protection::pathname_unix || abstract) && !s.report().enforced(p))
      return sentence(
          fmt::format("the credential {} is in the keyring, which the command could ask itself: {} is not "
                      "enforced here; leave out what "
                      "lifts it, or name a source of env:// or file://",
                      of_keyring->name, row_of(p).name));
  for (const std::string& socket : keyring_sockets(s.here)) {
    const auto real = canonical_path(socket);
    for (const bound_rule& rule : s.bound->rules)
      if (contains(rule.rights, right::connect_unix) && is_within(real ? *real : socket, rule.canonical))
        return sentence(
            fmt::format("the credential {} is in the keyring, which the command could ask itself by {}, "
                        "granted as {}; leave out that "
                        "grant, or name a source of env:// or file://",
                        of_keyring->name, in_quotes(socket), in_quotes(rule.path)));
  }
  return {};
}

}  // namespace

std::string random_digits(std::size_t bytes) {
  std::vector<unsigned char> raw(bytes);
  if (::getentropy(raw.data(), raw.size()) != 0) return {};
  std::string out;
  for (const unsigned char byte : raw) {
    out += "0123456789abcdef"[byte >> 4U];
    out += "0123456789abcdef"[byte & 15U];
  }
  secrets::secret::wipe(raw.data(), raw.size());
  return out;
}

result<std::vector<armed_route>> load_keys(const std::vector<credential_route>& routes, const host& here,
                                           std::vector<std::string>& warnings) {
  std::vector<armed_route> out;
  if (routes.empty()) return out;
  const undumpable now;
  const secrets::surroundings with = sources_of(here);
  for (const credential_route& r : routes) {
    armed_route one;
    one.route = &r;
    one.token = random_digits(32);
    if (one.token.empty()) return sentence("getrandom failed, so there is no token; nothing was run");
    if (error why = read_certificates(r.ca_file, "tls_ca", r, one.ca); why.code != errc::none) return why;
    if (error why = read_certificates(r.certificate_file, "tls_client_cert", r, one.certificate);
        why.code != errc::none)
      return why;
    if (!r.certificate_key_file.empty()) {
      const auto from = secrets::parse_reference("file://" + r.certificate_key_file);
      if (!from) return from.error();
      auto key = secrets::load(*from, with);
      if (!key) return std::move(key.error());
      one.certificate_key = *std::move(key);
    }
    auto key = secrets::load(r.key, with);
    if (key) {
      one.key = *std::move(key);
    } else if (r.by_flag) {
      return sentence(fmt::format("--credential {}: {}; nothing was run", r.name, key.error().other));
    } else {
      one.missing = key.error().other;
      warnings.push_back(
          fmt::format("Proxy credential warnings: {} of {}: {} ({}); requests of its route will be refused",
                      r.name, r.from, one.missing,
                      secrets::not_found(key.error()) ? "credential_not_found" : "credential_unavailable"));
    }
    out.push_back(std::move(one));
  }
  return out;
}

error load_variables(const std::vector<env_credential>& wanted, const host& here,
                     std::vector<std::pair<std::string, std::string>>& variables,
                     std::vector<std::string>& warnings) {
  if (wanted.empty()) return {};
  const secrets::surroundings with = sources_of(here);
  for (const env_credential& e : wanted) {
    const auto value = secrets::load(e.from, with);
    if (!value) return sentence(fmt::format("{}: {}; nothing was run", e.source, value.error().other));
    variables.emplace_back(e.variable, value->view());
    warnings.push_back(
        fmt::format("the command can read the secret {} in {}; --credential keeps keys out of it",
                    e.from.shown, e.variable));
  }
  return {};
}

error check_keys_are_out_of_reach(const sandbox& s) {
  if (!s.r.hosts) return {};
  for (const credential_route& r : s.r.hosts->routes) {
    if (r.key.is == secrets::reference::kind::file)
      if (error why = check_file_is_out_of_reach(r.key.name, "key", r, s); why.code != errc::none) return why;
    if (!r.certificate_key_file.empty())
      if (error why = check_file_is_out_of_reach(r.certificate_key_file, "tls_client_key", r, s);
          why.code != errc::none)
        return why;
  }
  return check_keyring_is_out_of_reach(s);
}

}  // namespace nono::cli
