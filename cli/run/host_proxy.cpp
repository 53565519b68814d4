// SPDX-License-Identifier: Apache-2.0
// The proxy of a run whose network names hosts.
#if defined(__linux__)
#include "cli/run/host_proxy.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <set>

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nono/json/reader.hpp>
#include <nono/json/writer.hpp>
#include <nono/linux/namespaces.hpp>

#include "cli/resolve/environment.hpp"
#include "cli/resolve/program.hpp"
#include "cli/resolve/resolver.hpp"
#include "cli/resolve/sentence.hpp"
#include "cli/resolve/setting_paths.hpp"
#include "cli/run/output.hpp"
#include "secrets/source.hpp"

namespace nono::cli {

namespace {

using nono::detail::descriptor;

constexpr int control_number = 3;  // as nono-proxy knows them
constexpr int audit_number = 4;
constexpr int ready_time = 20000;  // ms; a loaded machine is slow

void add_text(std::string& out, std::string_view text) { nono::detail::append_json_string(out, text); }

template <class Texts>
void add_texts(std::string& out, std::string_view key, const Texts& texts) {
  out += fmt::format(",\"{}\":[", key);
  bool first = true;
  for (const auto& text : texts) {
    if (!first) out += ',';
    first = false;
    add_text(out, text);
  }
  out += ']';
}

void add_place(std::string& out, std::string_view key, const credential_place& place) {
  out += fmt::format(",\"{}\":{{\"where\":\"{}\",\"name\":", key, place.mode);
  add_text(out, place.name);
  out += ",\"format\":";
  add_text(out, place.format);
  out += '}';
}

void add_rules(std::string& out, std::string_view key,
               const std::vector<std::pair<std::string, std::string>>& rules) {
  out += fmt::format(",\"{}\":[", key);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    out += i == 0 ? "{\"method\":" : ",{\"method\":";
    add_text(out, rules[i].first);
    out += ",\"path\":";
    add_text(out, rules[i].second);
    out += '}';
  }
  out += ']';
}

void add_route(std::string& out, const armed_route& one) {
  const credential_route& r = *one.route;
  if (!out.ends_with('[')) out += ',';
  out +=
      fmt::format("{{\"token\":\"{}\",\"tls\":{},\"port\":{},\"allows_rest\":{},\"has_certificate_key\":{}",
                  one.token, r.tls, r.port, r.allows_rest, !one.certificate_key.empty());
  const std::pair<std::string_view, std::string_view> texts[] = {
      {"prefix", r.name},           {"host", r.host}, {"base", r.base},
      {"variable", r.url_variable}, {"ca", one.ca},   {"certificate", one.certificate},
      {"missing", one.missing}};
  for (const auto& [key, text] : texts) {
    out += fmt::format(",\"{}\":", key);
    add_text(out, text);
  }
  add_place(out, "shown", r.shown);
  add_place(out, "sent", r.sent);
  add_rules(out, "deny", r.deny);
  add_rules(out, "allow", r.allow);
  out += '}';
}

}  // namespace

std::string host_proxy::settings_of(const host_filter& filter, const host& here) const {
  std::string out = fmt::format("{{\"token\":\"{}\"", token_);
  std::vector<std::string_view> names;
  names.reserve(filter.hosts.size());
  for (const allowed_host& h : filter.hosts) names.emplace_back(h.name);
  add_texts(out, "hosts", names);
  if (!filter.upstream_host.empty()) {
    out += ",\"upstream_host\":";
    add_text(out, filter.upstream_host);
    out += fmt::format(",\"upstream_port\":{}", filter.upstream_port);
    add_texts(out, "upstream_bypass", filter.upstream_bypass);
  }
  out += ",\"endpoints\":[";
  bool first = true;
  for (const allowed_host& h : filter.hosts) {
    if (h.endpoints.empty()) continue;
    out += first ? "{\"host\":" : ",{\"host\":";
    first = false;
    add_text(out, h.name);
    add_rules(out, "rules", h.endpoints);
    out += '}';
  }
  out += "],\"routes\":[";
  for (const armed_route& one : routes_) add_route(out, one);
  out += ']';
  if (const auto roots = here.variable("SSL_CERT_FILE"); roots && !routes_.empty()) {
    out += ",\"roots\":";
    add_text(out, absolute(std::string(*roots), here.current));
  }
  return out + '}';
}

/// Straight from their own memory into the socket, and gone here.
error host_proxy::send_keys() {
  for (armed_route& one : routes_) {
    for (secrets::secret* const key : {&one.key, &one.certificate_key}) {
      if (key->empty()) continue;
      const std::size_t size = key->size();
      const std::array<unsigned char, 4> length{
          static_cast<unsigned char>(size & 255U), static_cast<unsigned char>(size >> 8U & 255U),
          static_cast<unsigned char>(size >> 16U & 255U), static_cast<unsigned char>(size >> 24U & 255U)};
      const std::string_view parts[] = {{reinterpret_cast<const char*>(length.data()), length.size()},
                                        key->view()};
      for (std::string_view part : parts)
        while (!part.empty()) {
          const ssize_t n = ::send(control_.get(), part.data(), part.size(), MSG_NOSIGNAL);
          if (n < 0 && errno == EINTR) continue;
          if (n < 0 && errno == EPIPE) break;  // it has ended, and said why
          if (n < 0)
            return sentence(fmt::format("nono-proxy cannot be given the key of {}: {}; nothing was run",
                                        one.route->name, std::strerror(errno)));
          part.remove_prefix(static_cast<std::size_t>(n));
        }
      *key = {};
    }
  }
  return {};
}

error host_proxy::open_audit(const host& here, bool kept) {
  if (!kept) {
    audit_ = descriptor(::memfd_create("nono-audit", MFD_CLOEXEC));
    if (audit_.get() < 0) return sentence(fmt::format("memfd_create failed: {}", std::strerror(errno)));
    return {};
  }
  const std::string id = random_digits(8);
  const std::string directory =
      fmt::format("{}/audit/{}", here.own_directory("XDG_STATE_HOME", "/.local/state"), id);
  const std::string file = directory + "/audit-events.ndjson";
  path_buffer which{};
  int why = id.empty() ? EIO : make_directories(directory.c_str(), which);
  if (why == 0) {
    audit_ = descriptor(::open(file.c_str(), O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                               S_IRUSR | S_IWUSR));
    if (audit_.get() < 0) why = errno;
  }
  if (why != 0)
    return sentence(
        fmt::format("the audit log {} cannot be made: {}; make room for it, or run with --no-audit",
                    in_quotes(file), std::strerror(why)));
  audit_path_ = file;
  return {};
}

error host_proxy::start(const host_filter& filter, const host& here, bool kept,
                        std::vector<armed_route> routes) {
  routes_ = std::move(routes);
  for (const armed_route& one : routes_)
    for (std::string& name : variables_that_hold(here.environment, one.key.view()))
      copies_.emplace_back(std::move(name), one.route->name);
  const auto failed = [](std::string_view step, int why) {
    return sentence(fmt::format("{} for nono-proxy failed: {}; nothing was run", step, std::strerror(why)));
  };
  const std::string path = secrets::program_beside("nono-proxy");
  if (path.empty() || ::access(path.c_str(), X_OK) != 0)
    return sentence(
        fmt::format("hosts are filtered by nono-proxy, which is not at {}; install it there, or use "
                    "--block-net or --allow-net",
                    in_quotes(path)));
  token_ = random_digits(32);
  if (token_.empty()) return failed("getrandom", errno);
  if (error why = open_audit(here, kept); why.code != errc::none) return why;
  std::string text = settings_of(filter, here);
  const descriptor settings(::memfd_create("nono-settings", MFD_CLOEXEC));
  if (settings.get() < 0) return failed("memfd_create", errno);
  if (const int why = write_whole(settings.get(), text); why != 0) return failed("write", why);
  ::explicit_bzero(text.data(), text.size());
  (void)::lseek(settings.get(), 0, SEEK_SET);
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return failed("socketpair", errno);
  control_ = descriptor(ends[0]);
  const descriptor theirs(ends[1]);

  // Sources above the numbers that they go to, whatever is closed here.
  const descriptor high[] = {descriptor(::fcntl(settings.get(), F_DUPFD_CLOEXEC, 10)),
                             descriptor(::fcntl(theirs.get(), F_DUPFD_CLOEXEC, 10)),
                             descriptor(::fcntl(audit_.get(), F_DUPFD_CLOEXEC, 10))};
  for (const descriptor& d : high)
    if (d.get() < 0) return failed("fcntl(F_DUPFD_CLOEXEC)", errno);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  if (const int why = ::posix_spawn_file_actions_init(&actions); why != 0) return failed("posix_spawn", why);
  (void)::posix_spawnattr_init(&attributes);
  (void)::posix_spawn_file_actions_adddup2(&actions, high[0].get(), STDIN_FILENO);
  (void)::posix_spawn_file_actions_adddup2(&actions, high[1].get(), control_number);
  (void)::posix_spawn_file_actions_adddup2(&actions, high[2].get(), audit_number);
  sigset_t none;
  ::sigemptyset(&none);
  (void)::posix_spawnattr_setsigmask(&attributes, &none);
  (void)::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  // Nothing of the user's environment, and of the open files the three and standard output and error alone.
  char name[] = "nono-proxy";
  char* const words[] = {name, nullptr};
  char* const nothing[] = {nullptr};
  (void)::posix_spawn_file_actions_addclosefrom_np(&actions, audit_number + 1);
  const int why = ::posix_spawn(&pid_, path.c_str(), &actions, &attributes, words, nothing);
  (void)::posix_spawn_file_actions_destroy(&actions);
  (void)::posix_spawnattr_destroy(&attributes);
  if (why != 0) return failed("posix_spawn", why);
  return send_keys();
}

error host_proxy::await_ready() {
  std::string said;
  while (!said.ends_with('\n') && said.size() < 4096) {
    pollfd watched{control_.get(), POLLIN, 0};
    const int got = ::poll(&watched, 1, ready_time);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return sentence("nono-proxy did not begin in 20 seconds; nothing was run");
    char part[512];
    const ssize_t n = ::recv(control_.get(), part, sizeof part, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    said.append(part, static_cast<std::size_t>(n));
  }
  if (said == "ready\n") return {};
  constexpr std::string_view mark = "error ";
  if (!said.starts_with(mark)) return sentence("nono-proxy ended before it began; nothing was run");
  said.pop_back();
  return sentence(fmt::format("nono-proxy cannot start: {}; nothing was run", said.substr(mark.size())));
}

error host_proxy::serve(int listener) {
  char byte = 'l';
  iovec data{&byte, 1};
  alignas(cmsghdr) char room[CMSG_SPACE(sizeof(int))]{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = room;
  message.msg_controllen = sizeof room;
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &listener, sizeof listener);
  ssize_t n = 0;
  do n = ::sendmsg(control_.get(), &message, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  if (n == 1) return {};
  return sentence(fmt::format("nono-proxy cannot be given its socket: {}", std::strerror(errno)));
}

std::vector<std::pair<std::string, std::string>> host_proxy::variables(std::uint16_t port) const {
  const std::string url = fmt::format("http://nono:{}@127.0.0.1:{}", token_, port);
  std::vector<std::pair<std::string, std::string>> out;
  for (const char* name : {"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"})
    out.emplace_back(name, url);
  for (const char* name : {"NO_PROXY", "no_proxy"}) out.emplace_back(name, "localhost,127.0.0.1");
  out.emplace_back("NONO_PROXY_TOKEN", token_);
  for (const armed_route& one : routes_) {
    out.emplace_back(one.route->url_variable, fmt::format("http://127.0.0.1:{}/{}", port, one.route->name));
    if (one.missing.empty())
      for (const std::string& name : one.route->token_variables) out.emplace_back(name, one.token);
  }
  out.emplace_back("NODE_USE_ENV_PROXY", "1");
  return out;
}

std::vector<refused_host> host_proxy::refused() const {
  std::vector<refused_host> out;
  std::set<std::pair<std::string, std::string>> seen;
  std::string text;
  char part[16384];
  off_t at = 0;
  for (;;) {
    const ssize_t n = ::pread(audit_.get(), part, sizeof part, at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0 || text.size() > (std::size_t{16} << 20U)) break;
    text.append(part, static_cast<std::size_t>(n));
    at += n;
  }
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const std::string_view line = std::string_view(text).substr(start, end - start);
    start = end + 1;
    if (line.find("\"decision\":\"deny\"") == std::string_view::npos) continue;
    const auto event = read_json(line, "the audit log");
    if (!event) continue;
    const auto text_of = [&](std::string_view key) -> std::string {
      const json_value* const v = event->find(key);
      return v != nullptr && v->is == json_value::kind::text ? v->text : std::string();
    };
    refused_host one{text_of("target"), text_of("reason")};
    if (!one.reason.empty() && seen.emplace(one.name, one.reason).second) out.push_back(std::move(one));
  }
  return out;
}

bool host_proxy::has_ended() {
  int status = 0;
  if (pid_ > 0 && ::waitpid(pid_, &status, WNOHANG) == pid_) pid_ = -1;
  return pid_ < 0;
}

result<descriptor> listen_on_this_system(std::uint16_t& port) {
  const int fd = nono::detail::listen_on_loopback(port);
  sockaddr_in at{};
  socklen_t size = sizeof at;
  if (fd < 0 || ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) != 0)
    return sentence(
        fmt::format("127.0.0.1 port {} cannot be listened at: {}; choose another with --proxy-port", port,
                    std::strerror(fd < 0 ? -fd : errno)));
  port = ntohs(at.sin_port);
  return descriptor(fd);
}

}  // namespace nono::cli
#endif
