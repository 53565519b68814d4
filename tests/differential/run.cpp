// SPDX-License-Identifier: Apache-2.0
// Runs one scenario: the tree, the policy, the worker, and every question twice, once to the model and once to the kernel.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <nono/explain.hpp>
#include <nono/nono.hpp>
#include <nono/query.hpp>

#include "macos.hpp"
#include "wire.hpp"

namespace differential {

namespace {

using nono::operation;
using nono::detail::descriptor;

[[noreturn]] void give_up(const char* step) {
  std::fprintf(stderr, "differential: %s: %s\n", step, std::strerror(errno));
  std::abort();
}

/// Removes what is below a directory, whatever its permissions.
void clear(int parent, const char* name) {
  const descriptor fd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (fd.get() < 0) return;
  DIR* list = ::fdopendir(::dup(fd.get()));
  if (list == nullptr) return;
  while (const dirent* entry = ::readdir(list)) {
    const std::string_view child(entry->d_name);
    if (child == "." || child == "..") continue;
    if (::unlinkat(fd.get(), entry->d_name, 0) == 0) continue;
    (void)::fchmodat(fd.get(), entry->d_name, 0700, 0);
    clear(fd.get(), entry->d_name);
    (void)::unlinkat(fd.get(), entry->d_name, AT_REMOVEDIR);
  }
  ::closedir(list);
}

/// The tree of a scenario on the disk, with the sockets that listen in it.
class planted {
 public:
  planted(const scenario& s, const std::string& work) : work_(work) {
    clear(AT_FDCWD, work.c_str());
    // Deep, so that no path with a few dots leaves the test's own directories.
    std::string base = work;
    for (int i = 0; i < 12; ++i)
      if (::mkdir((base += "/1").c_str(), 0755) != 0) give_up("mkdir");
    inside_ = base + "/in";
    outside_ = base + "/out";
    for (const node& n : s.tree) plant(n);
    for (auto n = s.tree.rbegin(); n != s.tree.rend(); ++n) {
      if (n->what == node::kind::symlink || n->what == node::kind::hard_link || n->what == node::kind::mount)
        continue;
      const std::string path = whole(n->path);
      struct stat st{};  // a name that a link had before is no file of ours: chmod would follow it
      if (::lstat(path.c_str(), &st) != 0 || S_ISLNK(st.st_mode)) continue;
      if (n->owner >= 0)
        (void)!::lchown(path.c_str(), static_cast<uid_t>(n->owner), static_cast<gid_t>(n->owner));
      (void)::chmod(path.c_str(), n->mode);
    }
    for (const node& n : s.tree)
      if (n.what == node::kind::mount) mount(n);
  }
  planted(const planted&) = delete;
  planted& operator=(const planted&) = delete;
  ~planted() {
    while (!mounts_.empty()) {  // by what is mounted: the directory below may have been moved
      const std::string name = "/proc/self/fd/" + std::to_string(mounts_.back().get());
      if (::umount2(name.c_str(), MNT_DETACH) != 0) give_up("umount2");
      mounts_.pop_back();
    }
    clear(AT_FDCWD, work_.c_str());
  }

  [[nodiscard]] std::string whole(const std::string& path) const {
    if (path.starts_with('%')) return inside_ + path.substr(1);
    if (path.starts_with('@')) return outside_ + path.substr(1);
    return path;
  }

 private:
  void plant(const node& n) {
    const std::string path = whole(n.path);
    switch (n.what) {
      case node::kind::directory:
        (void)::mkdir(path.c_str(), 0755);
        break;
      case node::kind::file: {
        const descriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
        (void)!::write(fd.get(), "text\n", 5);
        break;
      }
      case node::kind::symlink:
        (void)!::symlink(whole(n.target).c_str(), path.c_str());
        break;
      case node::kind::hard_link:
        (void)!::link(whole(n.target).c_str(), path.c_str());
        break;
      case node::kind::fifo:
        (void)::mkfifo(path.c_str(), 0644);
        break;
      case node::kind::socket:
        listen_at(path);
        break;
      case node::kind::device:  // what /dev/null leads to; only root makes one
        (void)!::mknod(path.c_str(), S_IFCHR | 0644, makedev(1, 3));
        break;
      case node::kind::mount:
        break;  // when everything else is there
    }
  }

  /// In a mount namespace of the test's own, see main().
  void mount(const node& n) {
    const std::string path = whole(n.path);
    const bool other = n.target.empty();
    const std::string source = other ? "none" : whole(n.target);
    const auto is_link = [](const std::string& name) {
      struct stat st{};
      return ::lstat(name.c_str(), &st) != 0 || S_ISLNK(st.st_mode);
    };
    // Never over what a link leads to, and never what lies outside.
    if (is_link(path) || (!other && is_link(source))) return;
    if (::mount(source.c_str(), path.c_str(), other ? "tmpfs" : nullptr, other ? 0 : MS_BIND, nullptr) != 0)
      return;
    if (n.mode == 0555 &&
        ::mount(nullptr, path.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) != 0)
      give_up("mounting read-only");
    mounts_.emplace_back(::open(path.c_str(), O_PATH | O_CLOEXEC));
    if (mounts_.back().get() < 0) give_up("opening a mount");
  }

  /// By a name relative to the directory: the whole one may be longer than an address can be.
  void listen_at(const std::string& path) {
    const std::size_t cut = path.rfind('/');
    const descriptor here(::open(".", O_PATH | O_CLOEXEC));
    if (::chdir(path.substr(0, cut).c_str()) != 0) return;
    descriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str() + cut + 1, path.size() - cut);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
        ::listen(fd.get(), 4096) == 0)
      listeners_.push_back(std::move(fd));
    if (::fchdir(here.get()) != 0) give_up("fchdir");
  }

  std::string work_, inside_, outside_;
  std::vector<descriptor> listeners_;
  std::vector<descriptor> mounts_;
};

/// The confined process at the other end of two pipes.
struct worker {
  descriptor to, from;
  pid_t pid = -1;
  std::optional<nono::child> child;
  std::optional<nono::supervised_child> supervised;

  ~worker() {
    to = descriptor();
    from = descriptor();
    if (child) (void)child->wait();
    if (supervised) (void)supervised->wait();
    if (pid > 0) {
      int status = 0;
      while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
      }
    }
  }
};

std::string self_path() {
  char buffer[4096];
  const ssize_t length = ::readlink("/proc/self/exe", buffer, sizeof buffer);
  if (length <= 0) give_up("readlink");
  return {buffer, static_cast<std::size_t>(length)};
}

nono::capability_set policy_of(const scenario& s, const planted& tree) {
  nono::capability_set set;
  const auto grant = [&](const std::string& path, nono::right rights) {
    if (s.sockets == nono::unix_sockets::none) rights &= ~nono::right::connect_unix;  // a contradiction
    // A name that the policy's own rules refuse is left out.
    (void)set.add({path, rights, nono::path_kind::any, nono::if_exists, nono::origin::user, {}});
  };
  for (const auto& g : s.grants) grant(tree.whole(g.path), g.rights);
  if (is_child(s))  // what starting the worker takes
    for (const std::string& path : {std::string("/usr"), std::string("/lib"), std::string("/lib64"),
                                    std::string("/etc/ld.so.cache"), self_path()})
      grant(path, nono::right::read_file | nono::right::execute);
  nono::only_ports only{};
  switch (s.network) {
    case nono::network_mode::unrestricted:
      break;
    case nono::network_mode::blocked:
      set.network(nono::blocked);
      break;
    case nono::network_mode::loopback:
      set.network(nono::loopback);
      break;
    case nono::network_mode::ports:
      only.rule.mode = nono::network_mode::ports;
      for (const nono::port_use use : s.granted_ports) {
        const std::size_t i = only.rule.port_count++;
        only.rule.ports[i] = {use, resources().ports[i]};
      }
      set.network(only);
      break;
    case nono::network_mode::hosts:  // no plan can be made of it yet
      break;
  }
  set.unix_sockets(s.sockets);
  for (const nono::protection id : s.lifted) set.lift(id);
  return set;
}

/// Binds, leaving out grants that this tree cannot have, such as a directory right on a file.
std::optional<nono::bound_policy> bound_of(nono::capability_set& set, std::string& why) {
  for (;;) {
    auto bound = nono::bind(set.ref(), {});
    if (bound) return std::optional<nono::bound_policy>(std::move(*bound));
    const nono::error& e = bound.error();
    const std::size_t before = set.ref().rules.size();
    set.remove_if([&](const nono::rule& r) { return nono::to_text(r) == e.rule; });
    if (set.ref().rules.size() != before) continue;
    why = e.message();
    return std::nullopt;
  }
}

/// Starts the worker by spawn() or spawn_supervised(); `kept` holds it.
template <class Spawn, class Child>
std::string start_child(Spawn&& spawn, std::optional<Child>& kept, worker& w, nono::enforcement& in_force) {
  nono::spawn_options how;
  how.in = nono::stream::pipe();
  how.out = nono::stream::pipe();
  const std::string self = self_path();
  const std::array<std::string_view, 2> argv{self, "--serve"};
  auto child = spawn(std::span<const std::string_view>(argv), how);
  if (!child) return child.error().message();
  in_force = child->report();
  w.to = descriptor(::dup(child->in()));
  w.from = descriptor(::dup(child->out()));
  child->close_in();
  kept.emplace(std::move(*child));
  return {};
}

/// Starts the worker in its sandbox. in_force: what the sandbox reports. An empty string, or why not.
std::string start(const scenario& s, nono::bound_policy& bound, worker& w, nono::enforcement& in_force) {
  if (s.target == nono::sandbox_target::child)
    return start_child([&](auto argv, const auto& how) { return nono::spawn(std::move(bound), argv, how); },
                       w.child, w, in_force);
  if (s.target == nono::sandbox_target::supervised_child)
    return start_child(
        [&](auto argv, const auto& how) { return nono::spawn_supervised(std::move(bound), argv, how); },
        w.supervised, w, in_force);
  int questions[2];
  int answers[2];
  if (::pipe2(questions, O_CLOEXEC) != 0 || ::pipe2(answers, O_CLOEXEC) != 0) give_up("pipe2");
  std::fflush(nullptr);
  w.pid = ::fork();
  if (w.pid < 0) give_up("fork");
  if (w.pid == 0) {
    (void)::dup2(questions[0], 0);
    (void)::dup2(answers[1], 1);
    (void)::close(questions[1]);  // or the end of the questions would never be seen
    ::alarm(120);
    ::close(resources().listening);
    const auto applied = nono::apply(std::move(bound));
    if (!applied) std::fprintf(stderr, "differential: %s\n", applied.error().message().c_str());
    const nono::enforcement report = applied ? *applied : nono::enforcement{};
    const bool told = applied && write_whole(1, &report, sizeof report);
    ::_exit(told ? serve() : 1);
  }
  ::close(questions[0]);
  ::close(answers[1]);
  w.to = descriptor(questions[1]);
  w.from = descriptor(answers[0]);
  return read_whole(w.from.get(), &in_force, sizeof in_force) ? std::string() : "the policy was not applied";
}

/// What the kernel may say where the model says that nothing refuses: it does not look at what a directory holds, who
/// listens, or who reads a FIFO.
bool agrees(const nono::decision& d, int seen) {
  if (d.os_errno == seen) return true;
  // Whether what is mounted has a parent in its file system cannot be seen; that it is a directory can.
  if (d.what == operation::link && d.why == nono::cause::unsuitable) return seen == EPERM;
  // Of what a mount hides neither owner nor rules can be seen: it stays where it is, for one reason or the other.
  if (d.os_errno == EBUSY) return seen != 0;
  if (d.os_errno != 0) return false;
  switch (seen) {
    case ENOTEMPTY:
      return d.what == operation::rmdir || d.what == operation::rename;
    case EBUSY:  // something is mounted there, seen by another way than the one asked about
      return d.what == operation::rmdir || d.what == operation::rename || d.what == operation::exchange;
    case ENXIO:  // a FIFO that nobody reads
      return d.need_count == 1 && d.needs[0].type == nono::file_type::fifo;
    case ENOTTY:
      return d.what == operation::ioctl;
    case ECONNREFUSED:
      return d.what == operation::connect_unix || d.what == operation::connect_tcp;
    case EADDRINUSE:
      return d.what == operation::bind_tcp;
    default:
      return false;
  }
}

nono::privileges privileges_in(const scenario& s) {
  return is_child(s) ? nono::privileges::none : nono::privileges::as_they_are;
}

/// Asks the model. Of a call that does not follow links it is asked in its two halves: no operation stands for one.
nono::decision predict(const nono::query& model, nono::privileges who, const nono::question& q, change how,
                       std::array<nono::place, 2>& places) {
  nono::decision d;
  // As for link(): a slash behind a link follows it.
  const bool follows = q.path.ends_with('/') || q.path.ends_with("/.") || q.path.ends_with("/..");
  if (q.what == operation::chmod && is_of_link(how) && !follows) {
    places[0] = nono::look(q.path, {.follow = false, .who = who, .changes_file = true});
    d = model.decide(q, places[0], nullptr);
  } else {
    d = model.ask(q, places);
  }
  return d;
}

/// True when the suggested grants, without `less` of the first, make the sandbox let it happen. The policy stays bound
/// to the files that it was bound to: the tree has changed since.
bool would_change(const scenario& s, const nono::explanation& why, nono::right less,
                  const nono::bound_policy& policy, const nono::enforcement& in_force,
                  const nono::question& q, change how) {
  nono::capability_set set;
  for (const nono::suggested_grant& g : why.grants) {
    const nono::right rights = &g == &why.grants.front() ? g.rights & ~less : g.rights;
    if (rights == nono::no_rights) continue;
    if (!set.add({g.path, rights, g.kind, nono::must_exist, nono::origin::user, {}}))
      return less == nono::no_rights;  // "$x" in its name: no policy can name it
  }
  auto more = nono::bind(set.ref(), {});
  if (!more) give_up("binding a suggestion");
  const auto both = more->memory.array<nono::bound_rule>(policy.rules.size() + more->rules.size());
  std::copy(more->rules.begin(), more->rules.end(), both.begin());
  std::transform(policy.rules.begin(), policy.rules.end(),
                 both.begin() + static_cast<std::ptrdiff_t>(more->rules.size()),
                 [](nono::bound_rule r) { return r.fd = -1, r; });
  more->rules = both;
  more->network = policy.network;
  more->sockets = policy.sockets;
  const auto who = privileges_in(s);
  std::array<nono::place, 2> found;
  const nono::cause c = predict(nono::query(*more, in_force, who), who, q, how, found).why;
  return c != nono::cause::not_granted && c != nono::cause::gains_access;
}

/// What is suggested must help, and be no more than it takes. An empty string, or what is wrong with it.
std::string judge_suggestion(const scenario& s, const nono::decision& d, const nono::bound_policy& policy,
                             const nono::enforcement& in_force, const nono::question& q, change how) {
  const nono::explanation why = nono::explain(d, policy);
  if (why.grants.empty()) return "a suggestion";
  if (!would_change(s, why, nono::no_rights, policy, in_force, q, how)) return "a suggestion that helps";
  for (const auto& [value, word] : nono::right_names)
    if (contains(why.grants.front().rights, value) && would_change(s, why, value, policy, in_force, q, how))
      return "a suggestion without " + std::string(word);
  return {};
}

void count(tally& t, const nono::decision& d) {
  ++(d.os_errno == 0 ? t.allowed : d.why == nono::cause::not_granted ? t.by_policy : t.otherwise);
}

std::string errno_text(int why) { return why == 0 ? "success" : ::strerrorname_np(why); }

}  // namespace

const shared_resources& resources() {
  static const shared_resources made = [] {
    shared_resources r;
    const auto bound_socket = [&](std::uint16_t& port, bool listens) {
      const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      socklen_t length = sizeof address;
      if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), length) != 0 ||
          ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0 ||
          (listens && ::listen(fd, 4096) != 0))
        give_up("a TCP socket");
      port = ntohs(address.sin_port);
      if (listens) r.listening = fd;
      if (!listens) ::close(fd);
    };
    bound_socket(r.ports[0], true);
    bound_socket(r.ports[1], false);
    r.abstract_name = std::string(1, '\0') + "nono-differential-" + std::to_string(::getpid());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, r.abstract_name.data(), r.abstract_name.size());
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address),
               static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + r.abstract_name.size())) != 0 ||
        ::listen(fd, 4096) != 0)
      give_up("an abstract socket");
    r.process = ::getpid();
    r.null_device = nono::look("/dev/null", {}).file.id;
    return r;
  }();
  return made;
}

outcome run(const scenario& s, const std::string& work) {
  outcome out;
  const planted tree(s, work);
  nono::capability_set set = policy_of(s, tree);
  std::optional<nono::bound_policy> bound = bound_of(set, out.broken);
  if (!bound) return out;
  // The model has a binding of its own: spawn() uses up the other.
  std::optional<nono::bound_policy> mine = bound_of(set, out.broken);
  if (!mine) return out;
  worker w;
  nono::enforcement in_force;
  if (out.broken = start(s, *bound, w, in_force); !out.broken.empty()) return out;
  const auto who = privileges_in(s);
  const nono::query model(*mine, in_force, who);
  macos_twin on_macos(s, *mine, out.on_macos);
  std::vector<nono::inode_id> servers;  // inside the sandbox
  for (std::size_t i = 0; i < s.questions.size(); ++i) {
    const asked& q = s.questions[i];
    std::string path = tree.whole(q.path);
    const std::string to = tree.whole(q.to);
    const bool socket = q.what == operation::connect_unix || q.what == operation::bind_unix;
    if (socket && path.size() >= sizeof(sockaddr_un::sun_path)) continue;  // no address is that long
    const std::uint16_t port = resources().ports[q.port];
    const nono::question asked_for{q.what, path, to, port};
    std::array<nono::place, 2> places;
    nono::decision d = predict(model, who, asked_for, q.how, places);
    const nono::place& found = places[0];
    bool inside_server = false;
    const bool changes = q.what == operation::chmod;
    if (changes && found.file.id == resources().null_device) continue;  // the tree has devices of its own
    const bool decided = q.what == operation::connect_unix &&
                         in_force.of(nono::protection::pathname_unix) == nono::standing::by_supervisor;
    // The model speaks of servers outside. Those inside may be called, whatever is granted.
    if (q.what == operation::connect_unix && d.why == nono::cause::not_granted &&
        std::find(servers.begin(), servers.end(), found.file.id) != servers.end()) {
      d.why = nono::cause::granted;
      d.os_errno = 0;
      inside_server = true;
    }
    const bool ours = d.why == nono::cause::not_granted || d.why == nono::cause::gains_access;
    const bool of_link = changes && found.file.type == nono::file_type::symlink;  // no grant is one of a link
    if (ours && !of_link && (s.seed + i) % 4 == 0)
      if (const std::string bad = judge_suggestion(s, d, *mine, in_force, asked_for, q.how); !bad.empty()) {
        out.wrong = {i, bad, nono::to_text(d, asked_for, *mine)};
        return out;
      }
    if (q.what == operation::connect_abstract) path = resources().abstract_name;
    const wire_question sent{static_cast<std::uint32_t>(q.what),
                             static_cast<std::uint32_t>(path.size()),
                             static_cast<std::uint32_t>(to.size()),
                             resources().process,
                             port,
                             q.how,
                             q.listens};
    int seen = 0;
    on_macos.look();
    if (!write_whole(w.to.get(), &sent, sizeof sent) || !write_whole(w.to.get(), path.data(), path.size()) ||
        !write_whole(w.to.get(), to.data(), to.size()) || !read_whole(w.from.get(), &seen, sizeof seen)) {
      out.broken = "the worker ended";
      return out;
    }
    ++out.pairs;
    ++out.causes[static_cast<std::size_t>(d.why)];
    if (decided) count(out.connections, d);
    if (changes && in_force.of(nono::protection::metadata) == nono::standing::by_supervisor)
      count(out.changes, d);
    if (!agrees(d, seen)) {
      out.wrong = {i, errno_text(d.os_errno), errno_text(seen)};
      return out;
    }
    if (std::string bad = on_macos.compare(asked_for, d, places, seen, in_force, inside_server);
        !bad.empty()) {
      out.wrong = {i, std::move(bad), errno_text(seen)};
      return out;
    }
    if (q.listens && seen == 0) servers.push_back(nono::look(path, {.follow = false}).file.id);
  }
  return out;
}

}  // namespace differential
