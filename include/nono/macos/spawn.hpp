// SPDX-License-Identifier: Apache-2.0
// A child that confines itself between fork and exec, for macOS.
// Consistent with Apple's and Chromium's published descriptions; not yet seen on a Mac.
#pragma once

#include <nono/child.hpp>
#include <nono/macos/apply.hpp>

#if defined(__APPLE__)

#include <cerrno>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <crt_externs.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nono/bound_policy.hpp>
#include <nono/error.hpp>

namespace nono::detail {

/// Starts one child. signal_mask, ends_with_parent and observed of the options mean nothing here.
class spawner {
 public:
  explicit spawner(const spawn_options& options, const seatbelt::settings& with = {})
      : options_(options), with_(with) {}

  result<child> run(bound_policy& bound, std::span<const std::string_view> argv) {
    if (argv.empty())
      return error{errc::bad_argument, 0, {}, {}, "spawn() needs at least the name of a program"};
    for (const std::string_view a : argv) words_.emplace_back(a);
    for (std::string& w : words_) {
      if (w.find('\0') != std::string::npos)
        return error{errc::bad_argument, 0, {}, {}, "an argument of spawn() has a NUL byte"};
      argv_.push_back(w.data());
    }
    argv_.push_back(nullptr);
    directory_ = options_.directory;
    if (error why = find_program(options_.program.empty() ? argv[0] : options_.program);
        why.code != errc::none)
      return why;
    const auto way = seatbelt::entrance::of(bound, with_);
    if (!way) return way.error();
    if (way->sandboxed()) return error{errc::already_sandboxed, 0, {}, {}, {}};
    if (error why = open_streams(); why.code != errc::none) return why;
    return start(*way, seatbelt::report_of(bound));
  }

 private:
  static bool is_program(const std::string& path) {
    struct stat st{};
    return ::stat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode) && ::access(path.c_str(), X_OK) == 0;
  }
  error find_program(std::string_view name) {
    if (name.find('/') != std::string_view::npos) {
      path_ = name;
    } else {
      const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe)
      for (std::string_view rest = path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path; path_.empty();) {
        const std::size_t colon = rest.find(':');
        const std::string one = std::string(rest.substr(0, colon)) + '/' + std::string(name);
        if (one.front() == '/' && is_program(one)) path_ = one;
        if (colon == std::string_view::npos) break;
        rest.remove_prefix(colon + 1);
      }
    }
    if (path_.empty() || ::access(path_.c_str(), F_OK) != 0)
      return {errc::program_not_found, ENOENT, {}, std::string(name), {}};
    return is_program(path_) ? error{} : error{errc::program_not_executable, EACCES, {}, path_, {}};
  }

  /// A descriptor above the standard ones, closed by exec.
  static int high(int fd) { return ::fcntl(fd, F_DUPFD_CLOEXEC, 3); }
  error open_streams() {
    const stream wanted[3] = {options_.in, options_.out, options_.err};
    for (int i = 0; i < 3; ++i) {
      descriptor source;
      int ends[2] = {-1, -1};
      switch (wanted[i].what()) {
        case stream::kind::inherit:
          continue;
        case stream::kind::null:
          source = descriptor(::open("/dev/null", i == 0 ? O_RDONLY : O_WRONLY));
          break;
        case stream::kind::pipe:
          if (::pipe(ends) != 0) return {errc::stdio_failed, errno, {}, {}, "pipe"};
          source = descriptor(ends[i == 0 ? 0 : 1]);
          parents_[i] = descriptor(high(ends[i == 0 ? 1 : 0]));
          ::close(ends[i == 0 ? 1 : 0]);
          break;
        case stream::kind::descriptor:
          childs_[i] = descriptor(high(wanted[i].fd()));
          break;
      }
      if (source.get() >= 0) childs_[i] = descriptor(high(source.get()));
      if (childs_[i].get() < 0) return {errc::stdio_failed, errno, {}, {}, "fcntl(F_DUPFD_CLOEXEC)"};
    }
    return {};
  }

  struct failure {
    errc code = errc::none;
    int os_errno = 0;
  };

  result<child> start(const seatbelt::entrance& way, const enforcement& report) {
    int ends[2];
    if (::pipe(ends) != 0) return error{errc::stdio_failed, errno, {}, {}, "pipe"};
    const descriptor hears(high(ends[0]));
    descriptor tells(high(ends[1]));
    ::close(ends[0]);
    ::close(ends[1]);
    const int most = ::getdtablesize();
    const int pid = ::fork();
    if (pid < 0) return error{errc::fork_failed, errno, {}, {}, "fork"};
    if (pid == 0) become(way, tells.get(), most);
    tells = descriptor();
    failure why;
    ssize_t got = 0;
    do got = ::read(hears.get(), &why, sizeof why);
    while (got < 0 && errno == EINTR);
    child out(pid);
    if (got == static_cast<ssize_t>(sizeof why)) {
      (void)out.wait();
      return error{why.code,
                   why.os_errno,
                   {},
                   why.code == errc::chdir_failed ? directory_ : path_,
                   why.code == errc::sandbox_refused ? "in the child" : std::string()};
    }
    out.in_ = std::move(parents_[0]);
    out.out_ = std::move(parents_[1]);
    out.err_ = std::move(parents_[2]);
    out.report_ = report;
    return out;
  }

  [[noreturn]] void become(const seatbelt::entrance& way, int tells, int most) const {
    const auto fail = [&](errc code) {
      const failure why{code, errno};
      (void)!::write(tells, &why, sizeof why);
      ::_exit(126);
    };
    for (int i = 0; i < 3; ++i)
      if (childs_[i].get() >= 0 && ::dup2(childs_[i].get(), i) < 0) fail(errc::stdio_failed);
    if (!directory_.empty() && ::chdir(directory_.c_str()) != 0) fail(errc::chdir_failed);
    for (int fd = 3; fd < most; ++fd)
      if (fd != tells) ::close(fd);
    char* words = nullptr;
    if (way.enter(words) != 0) fail(errc::sandbox_refused);
    const char* const* environment =
        options_.environment != nullptr ? options_.environment : *::_NSGetEnviron();
    ::execve(path_.c_str(), argv_.data(),
             const_cast<char* const*>(environment));  // NOLINT: execve's old signature
    fail(errc::exec_failed);
    ::_exit(127);
  }

  const spawn_options& options_;
  seatbelt::settings with_;
  std::vector<std::string> words_;
  std::vector<char*> argv_;
  std::string path_;
  std::string directory_;
  descriptor childs_[3];
  descriptor parents_[3];
};

}  // namespace nono::detail

#endif
