// SPDX-License-Identifier: Apache-2.0
// Running a program with pipes.
#include "secrets/child.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <iterator>
#include <memory>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nono/resolve.hpp>

namespace nono::secrets {

namespace {

using detail::descriptor;
using clock = std::chrono::steady_clock;

constexpr int above_standard = 10;  // no number that a child's standard files go to, whatever is closed here
constexpr std::size_t kept_of_errors = 4096;

#ifdef MSG_NOSIGNAL
constexpr int quietly = MSG_NOSIGNAL;
#else
constexpr int quietly = 0;
#endif

/// Where SIGCHLD is ignored, which is inherited, the kernel keeps no exit code.
class keeps_exit_codes {
 public:
  keeps_exit_codes() noexcept {
    struct sigaction plain{};
    plain.sa_handler = SIG_DFL;
    (void)::sigaction(SIGCHLD, nullptr, &before_);
    lost_ = before_.sa_handler == SIG_IGN || (before_.sa_flags & SA_NOCLDWAIT) != 0;
    if (lost_) (void)::sigaction(SIGCHLD, &plain, nullptr);
  }
  keeps_exit_codes(const keeps_exit_codes&) = delete;
  keeps_exit_codes& operator=(const keeps_exit_codes&) = delete;
  ~keeps_exit_codes() {
    if (lost_) (void)::sigaction(SIGCHLD, &before_, nullptr);
  }

 private:
  struct sigaction before_{};
  bool lost_ = false;
};

/// Whoever ends this process meanwhile ends what it waits for: the signal comes through when that is gone.
class held_signals {
 public:
  held_signals() noexcept {
    sigemptyset(&held_);
    for (const int s : ending) {
      struct sigaction is{};
      if (::sigaction(s, nullptr, &is) == 0 && is.sa_handler != SIG_IGN) sigaddset(&held_, s);
    }
    (void)::pthread_sigmask(SIG_BLOCK, &held_, &before_);
  }
  held_signals(const held_signals&) = delete;
  held_signals& operator=(const held_signals&) = delete;
  ~held_signals() { (void)::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  [[nodiscard]] bool any_came() const noexcept {
    sigset_t came;
    if (::sigpending(&came) != 0) return false;
    return std::any_of(std::begin(ending), std::end(ending), [&](int s) {
      return sigismember(&came, s) == 1 && sigismember(&held_, s) == 1 && sigismember(&before_, s) == 0;
    });
  }

 private:
  static constexpr int ending[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
  sigset_t held_{};
  sigset_t before_{};
};

/// Two ends of a stream, ours not blocking. What it reads comes through a socket: a write to one can do without SIGPIPE.
struct stream {
  descriptor ours;
  descriptor theirs;

  int open(bool for_input) noexcept {
    int ends[2];
#ifdef __APPLE__  // POSIX_SPAWN_CLOEXEC_DEFAULT closes them
    const int made = for_input ? ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) : ::pipe(ends);
#else
    const int made =
        for_input ? ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) : ::pipe2(ends, O_CLOEXEC);
#endif
    if (made != 0) return errno;
    const descriptor low[] = {descriptor(ends[0]), descriptor(ends[1])};
    ours = descriptor(::fcntl(ends[0], F_DUPFD_CLOEXEC, above_standard));
    theirs = descriptor(::fcntl(ends[1], F_DUPFD_CLOEXEC, above_standard));
    if (ours.get() < 0 || theirs.get() < 0) return errno;
#ifdef SO_NOSIGPIPE
    const int yes = 1;
    (void)::setsockopt(ours.get(), SOL_SOCKET, SO_NOSIGPIPE, &yes, sizeof yes);
#endif
    return ::fcntl(ours.get(), F_SETFL, O_NONBLOCK) == 0 ? 0 : errno;
  }
};

#ifdef __linux__
/// Adds the children of these processes, theirs, and so on. Nothing where there is no /proc.
void add_descendants(std::vector<pid_t>& of) {
  std::vector<std::pair<pid_t, pid_t>> all;  // each with its parent
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(::opendir("/proc"), [](DIR* d) { return ::closedir(d); });
  while (const dirent* const entry = proc != nullptr ? ::readdir(proc.get()) : nullptr) {
    const pid_t pid = static_cast<pid_t>(std::strtol(entry->d_name, nullptr, 10));
    if (pid <= 0) continue;
    const descriptor file(
        ::open((std::string("/proc/") + entry->d_name + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
    char text[512];
    const ssize_t n = file.get() < 0 ? -1 : ::read(file.get(), text, sizeof text - 1);
    if (n <= 0) continue;
    text[n] = '\0';
    // PID (NAME) STATE PPID, and a name may have any byte. Source: proc_pid_stat(5)
    const char* const name_ends = std::strrchr(text, ')');
    if (name_ends != nullptr && name_ends + 3 < text + n)
      all.emplace_back(pid, static_cast<pid_t>(std::strtol(name_ends + 3, nullptr, 10)));
  }
  for (std::size_t i = 0; i < of.size(); ++i)
    for (const auto& [pid, parent] : all)
      if (parent == of[i] && std::find(of.begin(), of.end(), pid) == of.end()) of.push_back(pid);
}
#endif

/// The process, and what it has started that has not gone its own way, as a daemon does. A process group would be simpler, and
/// the terminal would let one of its own ask for no password.
void kill_all_of(pid_t pid) {
  std::vector<pid_t> all{pid};
#ifdef __linux__
  // Stopped first, none of them starts another meanwhile.
  for (std::size_t stopped = 0; stopped < all.size(); add_descendants(all))
    for (; stopped < all.size(); ++stopped) (void)::kill(all[stopped], SIGSTOP);
#endif
  for (const pid_t one : all) (void)::kill(one, SIGKILL);
}

void close_now(descriptor& d) { const descriptor gone = std::move(d); }

class conversation {
 public:
  conversation(const errand& what, outcome& out) : what_(what), out_(out), bytes_(what.room + 1) {}

  /// 0, or errno.
  int start() {
    if (bytes_.data() == nullptr) return ENOMEM;
    for (stream* s : {&in_, &output_, &errors_})
      if (const int why = s->open(s == &in_); why != 0) return why;
    std::vector<char*> words;
    words.push_back(const_cast<char*>(what_.program.c_str()));  // neither exec nor posix_spawn writes to them
    for (const std::string& word : what_.words) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    char* const nothing[] = {nullptr};
    char* const* const environment =
        what_.environment != nullptr ? const_cast<char* const*>(what_.environment) : nothing;
    const int why = spawn(words.data(), environment);
    for (stream* s : {&in_, &output_, &errors_}) close_now(s->theirs);
    return why;
  }

  void hold() {
    const auto end = clock::now() + what_.limit;
    for (;;) {
      pass_on();
      if (done_ > what_.room) return stop(outcome::ending::too_long);
      if (has_ended()) {
        pass_on();  // what it wrote last
        return done_ > what_.room ? stop(outcome::ending::too_long) : finish();
      }
      if (signals_.any_came()) return stop(outcome::ending::signalled);
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - clock::now()).count();
      if (left <= 0) return stop(outcome::ending::late);
      wait(left);
    }
  }

 private:
#ifdef __linux__
  /// What posix_spawn does, and one thing more: the child ends with this process, even where that is killed. A program that is
  /// set-user-ID or set-group-ID, as op may be, leaves that off. Source: PR_SET_PDEATHSIG(2const)
  int spawn(char* const* words, char* const* environment) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return errno;
    const descriptor report(ends[0]);
    descriptor failed(ends[1]);
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) return errno;
    if (pid_ == 0) become(words, environment, parent, failed.get());
    close_now(failed);
    int why = 0;
    ssize_t n = 0;
    do n = ::read(report.get(), &why, sizeof why);
    while (n < 0 && errno == EINTR);
    if (n != sizeof why) return 0;  // closed by exec
    while (::waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
    }
    return why;
  }

  /// In the child.
  [[noreturn]] void become(char* const* words, char* const* environment, pid_t parent, int failed) const {
    constexpr int report = 3;
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (::getppid() != parent) ::_exit(127);  // it has ended before it could be waited for
    // Through numbers that none of the targets has.
    const int above = ::fcntl(failed, F_DUPFD, above_standard);
    if (above >= 0 && ::dup2(in_.theirs.get(), STDIN_FILENO) >= 0 &&
        ::dup2(output_.theirs.get(), STDOUT_FILENO) >= 0 &&
        ::dup2(errors_.theirs.get(), STDERR_FILENO) >= 0 && ::dup3(above, report, O_CLOEXEC) >= 0) {
      ::closefrom(report + 1);
      sigset_t none;
      sigemptyset(&none);
      (void)::signal(SIGPIPE, SIG_DFL);
      (void)::signal(SIGCHLD, SIG_DFL);
      (void)::pthread_sigmask(SIG_SETMASK, &none, nullptr);
      (void)::execve(what_.program.c_str(), words, environment);
      (void)!::write(report, &errno, sizeof errno);
    } else if (above >= 0) {
      (void)!::write(above, &errno, sizeof errno);
    }
    ::_exit(127);
  }
#else
  int spawn(char* const* words, char* const* environment) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    if (const int why = ::posix_spawn_file_actions_init(&actions); why != 0) return why;
    if (const int why = ::posix_spawnattr_init(&attributes); why != 0) {
      (void)::posix_spawn_file_actions_destroy(&actions);
      return why;
    }
    (void)::posix_spawn_file_actions_adddup2(&actions, in_.theirs.get(), STDIN_FILENO);
    (void)::posix_spawn_file_actions_adddup2(&actions, output_.theirs.get(), STDOUT_FILENO);
    (void)::posix_spawn_file_actions_adddup2(&actions, errors_.theirs.get(), STDERR_FILENO);
    constexpr short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_CLOEXEC_DEFAULT;
    sigset_t signals;
    sigemptyset(&signals);
    (void)::posix_spawnattr_setsigmask(&attributes, &signals);
    sigaddset(&signals, SIGPIPE);
    sigaddset(&signals, SIGCHLD);
    (void)::posix_spawnattr_setsigdefault(&attributes, &signals);
    (void)::posix_spawnattr_setflags(&attributes, flags);
    const int why = ::posix_spawn(&pid_, what_.program.c_str(), &actions, &attributes, words, environment);
    (void)::posix_spawn_file_actions_destroy(&actions);
    (void)::posix_spawnattr_destroy(&attributes);
    return why;
  }
#endif

  /// Writes and reads what can be without waiting.
  void pass_on() {
    while (in_.ours.get() >= 0) {
      const std::string_view rest = what_.input.substr(given_);
      const ssize_t n = rest.empty() ? -1 : ::send(in_.ours.get(), rest.data(), rest.size(), quietly);
      if (n >= 0) {
        given_ += static_cast<std::size_t>(n);
      } else if (!rest.empty() && errno == EAGAIN) {
        break;
      } else if (rest.empty() || errno != EINTR) {
        close_now(in_.ours);  // all of it, or nobody reads it
      }
    }
    while (output_.ours.get() >= 0 && done_ <= what_.room) {
      const ssize_t n = ::read(output_.ours.get(), bytes_.data() + done_, what_.room + 1 - done_);
      if (n > 0)
        done_ += static_cast<std::size_t>(n);
      else if (n == 0 || (errno != EINTR && errno != EAGAIN))
        close_now(output_.ours);
      else if (errno == EAGAIN)
        break;
    }
    while (errors_.ours.get() >= 0) {
      char part[1024];
      const ssize_t n = ::read(errors_.ours.get(), part, sizeof part);
      if (n > 0) {
        said_.append(part, static_cast<std::size_t>(n));
        if (said_.size() > kept_of_errors) said_.erase(0, said_.size() - kept_of_errors);
      } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
        close_now(errors_.ours);
      } else if (errno == EAGAIN) {
        break;
      }
    }
  }

  bool has_ended() {
    pid_t got = 0;
    do got = ::waitpid(pid_, &status_, WNOHANG);
    while (got < 0 && errno == EINTR);
    return ended_ = got != 0;
  }

  /// Until there is something to pass on. Its end shows at once, in the streams; where a child of its own keeps them
  /// open, within a twentieth of a second.
  void wait(long long left) const {
    pollfd watched[] = {
        {in_.ours.get(), POLLOUT, 0}, {output_.ours.get(), POLLIN, 0}, {errors_.ours.get(), POLLIN, 0}};
    const bool open = output_.ours.get() >= 0 || errors_.ours.get() >= 0;
    (void)::poll(watched, 3, static_cast<int>(std::min<long long>(left, open ? 50 : 1)));
  }

  void stop(outcome::ending how) {
    if (!ended_) {
      kill_all_of(pid_);
      while (::waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
      }
    }
    out_.how = how;
    keep_last_line();
  }

  void finish() {
    const bool by_signal = WIFSIGNALED(status_);
    out_.how = by_signal ? outcome::ending::signalled : outcome::ending::exited;
    out_.code = by_signal ? WTERMSIG(status_) : WEXITSTATUS(status_);
    bytes_.shrink(done_);
    out_.output = std::move(bytes_);
    keep_last_line();
  }

  void keep_last_line() {
    while (!said_.empty() && (said_.back() == '\n' || said_.back() == '\r' || said_.back() == ' '))
      said_.pop_back();
    out_.last_line = said_.substr(said_.rfind('\n') + 1);  // npos + 1 is 0
  }

  const held_signals signals_;
  const errand& what_;
  outcome& out_;
  secret bytes_;
  stream in_;
  stream output_;
  stream errors_;
  std::size_t given_ = 0;
  std::size_t done_ = 0;
  std::string said_;
  pid_t pid_ = -1;
  int status_ = -1;
  bool ended_ = false;
};

}  // namespace

outcome run_errand(const errand& what) {
  const keeps_exit_codes kept;
  outcome out;
  conversation with(what, out);
  out.code = with.start();
  if (out.code == 0) with.hold();
  return out;
}

const char* value_in(const char* const* environment, std::string_view name) {
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    const std::string_view entry(*environment);
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=')
      return *environment + name.size() + 1;
  }
  return nullptr;
}

std::string find_on_path(std::string_view name, const char* const* environment) {
  const char* const value = value_in(environment, "PATH");
  std::string_view rest = value != nullptr ? value : "";
  while (!rest.empty()) {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    const std::string_view directory = rest.substr(0, colon);
    rest = rest.substr(std::min(colon + 1, rest.size()));
    if (!directory.starts_with('/')) continue;
    std::string file(directory);
    file.append("/").append(name);
    struct stat is{};
    if (::stat(file.c_str(), &is) == 0 && S_ISREG(is.st_mode) && ::access(file.c_str(), X_OK) == 0)
      return file;
  }
  return {};
}

std::string met_on_the_way(std::string_view path, const std::function<std::string(const std::string&)>& of) {
  if (!of) return {};
  constexpr int most_links = 40;  // as the kernel has it: path_resolution(7)
  std::string rest(path);
  std::string at;  // without links; empty: the root
  for (int links = 0; !rest.empty();) {
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const std::string name = rest.substr(0, slash);
    rest.erase(0, slash + 1);
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      at.resize(std::min(at.rfind('/'), at.size()));
      continue;
    }
    std::string next = at;
    next.append("/").append(name);
    if (std::string said = of(next); !said.empty()) return said;
    char target[4096];
    const ssize_t n = ::readlink(next.c_str(), target, sizeof target);
    if (n <= 0) {
      at = next;
    } else {
      if (++links > most_links) return {};
      const std::string_view to(target, static_cast<std::size_t>(n));
      if (to.starts_with('/')) at.clear();
      rest.insert(0, std::string(to) + '/');
    }
  }
  return {};
}

std::string path_for_helpers(std::string_view path,
                             const std::function<std::string(const std::string&)>& of) {
  std::string out;
  while (!path.empty()) {
    const std::size_t colon = std::min(path.find(':'), path.size());
    const std::string_view directory = path.substr(0, colon);
    path.remove_prefix(std::min(colon + 1, path.size()));
    // Any name below it: what is asked of is whether something can be put there.
    if (!directory.starts_with('/') || !met_on_the_way(std::string(directory) + "/x", of).empty()) continue;
    if (!out.empty()) out += ':';
    out += directory;
  }
  return out;
}

}  // namespace nono::secrets
