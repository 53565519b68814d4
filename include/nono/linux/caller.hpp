// SPDX-License-Identifier: Apache-2.0
// The thread whose call waits, as its supervisor sees it: memory, descriptors, and paths as that thread would walk them.
// Each is copied or pinned once; what the caller changes afterwards changes nothing.
#pragma once

#if defined(__linux__)
#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <nono/path.hpp>
#include <nono/resolve.hpp>

namespace nono::detail {

/// A descriptor, or why there is none.
struct pinned {
  descriptor fd{};
  int os_errno = 0;
};

/// Copies from a thread's memory. 0 or errno: EFAULT for a bad address, EPERM where it may not be read (the program made
/// itself unreadable).
inline int read_memory(int pid, std::uint64_t address, void* to, std::size_t length) noexcept {
  if (length == 0) return 0;
  const iovec local{to, length};
  const iovec remote{reinterpret_cast<void*>(address), length};  // NOLINT: an address of the caller's
  const ssize_t got = ::process_vm_readv(pid, &local, 1, &remote, 1, 0);
  return got == static_cast<ssize_t>(length) ? 0 : got < 0 ? errno : EFAULT;
}

/// Copies a text that ends with NUL. 0 or errno; `too_long` when there is no end within `most` bytes.
inline int read_text(int pid, std::uint64_t address, std::string& out, std::size_t most, int too_long) {
  constexpr std::size_t page = 4096;
  char buffer[page];
  out.clear();
  while (out.size() <= most) {
    const std::uint64_t from = address + out.size();
    const std::size_t want = std::min(page - from % page, out.empty() ? std::size_t{256} : page);
    if (const int why = read_memory(pid, from, buffer, want); why != 0) return why;
    const void* end = std::memchr(buffer, '\0', want);
    out.append(buffer,
               end == nullptr ? want : static_cast<std::size_t>(static_cast<const char*>(end) - buffer));
    if (end != nullptr) return out.size() <= most ? 0 : too_long;
  }
  return too_long;
}

/// The thread that called last, held: most calls come in rows from one.
struct held_thread {
  int pid = 0;
  descriptor fd;
};

/// A signal on its way to a thread: its own, or one that another thread of its process may take instead.
enum class pending_signal : std::uint8_t { none, own, of_any_thread };

/// Everything is read by thread number: after reading, ask the listener whether the call still waits.
class caller {
 public:
  caller(int pid, held_thread& last) noexcept : pid_(pid), last_(last) {}

  [[nodiscard]] int read(std::uint64_t address, void* to, std::size_t length) const noexcept {
    return read_memory(pid_, address, to, length);
  }
  [[nodiscard]] int read_text(std::uint64_t address, std::string& out, std::size_t most, int too_long) const {
    return detail::read_text(pid_, address, out, most, too_long);
  }

  /// A second descriptor of what the caller has open.
  [[nodiscard]] pinned open_file(int number) const noexcept {
    constexpr unsigned of_thread = O_EXCL;  // PIDFD_THREAD, Linux 6.9
    const auto get = [&](const descriptor& process) {
      return descriptor(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), number, 0U)));
    };
    if (last_.pid == pid_) {
      descriptor out = get(last_.fd);
      if (out.get() >= 0 ||
          errno != ESRCH) {  // ESRCH: that thread has ended, and this is another by its number
        const int why = out.get() < 0 ? errno : 0;
        return {std::move(out), why};
      }
    }
    descriptor thread(static_cast<int>(::syscall(SYS_pidfd_open, pid_, of_thread)));
    const bool held = thread.get() >= 0;
    if (!held) thread = descriptor(static_cast<int>(::syscall(SYS_pidfd_open, group(), 0U)));
    if (thread.get() < 0) return {descriptor(), errno};
    descriptor out = get(thread);
    const int why = out.get() < 0 ? errno : 0;
    if (held) last_ = {pid_, std::move(thread)};
    return {std::move(out), why};
  }

  /// Whether a signal that is not blocked is on its way to the caller.
  [[nodiscard]] pending_signal signal() const noexcept {
    char text[4096];
    if (!read_status(text)) return pending_signal::none;
    const unsigned long long open = ~field(text, "\nSigBlk:", 16);
    const bool of_group = (field(text, "\nShdPnd:", 16) & open) != 0;
    if ((field(text, "\nSigPnd:", 16) & open) != 0 || (of_group && field(text, "\nThreads:", 10) == 1))
      return pending_signal::own;
    return of_group ? pending_signal::of_any_thread : pending_signal::none;
  }

  /// Walks `path` as the caller would, from its directory, root and /proc/self. Errors: those of open(2).
  [[nodiscard]] pinned walk(int directory, const std::string& path, bool follow) const {
    if (path.empty()) return {descriptor(), ENOENT};
    pinned base;
    if (path.front() != '/') {
      base = start_at(directory);
      if (base.os_errno != 0) return base;
    }
    // Without a link on the way it is the same walk for everybody.
    const int from = base.fd.get() < 0 ? AT_FDCWD : base.fd.get();
    descriptor straight(openat2_path(from, path.c_str(), RESOLVE_NO_SYMLINKS, follow ? 0 : O_NOFOLLOW));
    if (straight.get() >= 0) return {std::move(straight), 0};
    if (errno != ELOOP) return {descriptor(), errno};
    return walk_links(std::move(base.fd), path, follow);
  }

 private:
  /// The number of the process that the thread belongs to.
  [[nodiscard]] int group() const noexcept {
    if (group_ != 0) return group_;
    char text[4096];
    group_ = read_status(text) ? static_cast<int>(field(text, "\nTgid:", 10)) : pid_;
    return group_;
  }

  template <std::size_t N>
  bool read_status(char (&text)[N]) const noexcept {
    char name[32];
    (void)std::snprintf(name, sizeof name, "/proc/%d/status", pid_);
    const descriptor fd(::open(name, O_RDONLY | O_CLOEXEC));
    const ssize_t got = fd.get() < 0 ? -1 : ::read(fd.get(), text, N - 1);
    text[got < 0 ? 0 : got] = '\0';
    return got > 0;
  }
  static unsigned long long field(const char* text, const char* name, int base) noexcept {
    const char* at = std::strstr(text, name);
    return at == nullptr ? 0 : std::strtoull(at + std::strlen(name), nullptr, base);
  }

  [[nodiscard]] pinned start_at(int directory) const {
    char name[48];
    if (directory == AT_FDCWD) {
      (void)std::snprintf(name, sizeof name, "/proc/%d/cwd", pid_);
    } else {
      (void)std::snprintf(name, sizeof name, "/proc/%d/fd/%d", pid_, directory);
    }
    descriptor out(::open(name, O_PATH | O_CLOEXEC | O_DIRECTORY));
    const int why = out.get() >= 0 ? 0 : errno == ENOENT && directory != AT_FDCWD ? EBADF : errno;
    return {std::move(out), why};
  }

  static bool is_on_proc(int fd) noexcept {
    struct statfs fs{};
    return ::fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
  }

  /// Where a link of /proc leads the caller; `at` is the directory that it stands in. Text, or a descriptor: magic links
  /// have no text that means anything.
  pinned follow_on_proc(int at, const std::string& name, std::string& text) const {
    struct stat st{};
    constexpr ino_t proc_root = 1;
    if (::fstat(at, &st) == 0 && st.st_ino == proc_root) {
      if (name == "self") {
        text = std::to_string(group());
      } else if (name == "thread-self") {
        text = std::to_string(group()) + "/task/" + std::to_string(pid_);
      }
      return {descriptor(), 0};
    }
    path_buffer buffer{};
    const std::string own = "/proc/" + std::to_string(group()) + "/";
    const std::string where = std::string(name_of_descriptor(at, buffer)) + '/';
    text.clear();
    if (!where.starts_with(own)) return {descriptor(), EACCES};  // the kernel asks who may look into whom
    descriptor out(::openat(at, name.c_str(), O_PATH | O_CLOEXEC));
    const int why = out.get() < 0 ? errno : 0;
    return {std::move(out), why};
  }

  pinned walk_links(descriptor at, const std::string& path, bool follow) const {
    std::string rest = path;
    int links = 0;
    const auto fail = [](int why) { return pinned{descriptor(), why}; };
    for (;;) {
      if (rest.starts_with('/')) at = descriptor(::open("/", O_PATH | O_CLOEXEC | O_DIRECTORY));
      const std::size_t start = rest.find_first_not_of('/');
      if (start == std::string::npos) return {std::move(at), 0};
      const std::size_t end = std::min(rest.find('/', start), rest.size());
      const std::string name = rest.substr(start, end - start);
      const bool ended = end == rest.size();
      rest.erase(0, std::min(rest.find_first_not_of('/', end), rest.size()));
      const bool last = rest.empty();
      const bool slash = last && !ended;
      descriptor next(openat2_path(at.get(), name.c_str(), RESOLVE_NO_SYMLINKS, O_NOFOLLOW));
      if (next.get() < 0) return fail(errno);
      struct stat st{};
      if (::fstat(next.get(), &st) != 0) return fail(errno);
      if (S_ISLNK(st.st_mode) && (!last || follow || slash)) {
        if (++links > 40) return fail(ELOOP);
        char text[max_path + 1];
        const ssize_t length = ::readlinkat(next.get(), "", text, max_path);
        if (length <= 0) return fail(length < 0 ? errno : ENOENT);
        std::string target(text, static_cast<std::size_t>(length));
        if (is_on_proc(next.get())) {
          pinned jumped = follow_on_proc(at.get(), name, target);
          if (jumped.os_errno != 0) return jumped;
          if (target.empty()) {
            if (last) return jumped;
            at = std::move(jumped.fd);
            continue;
          }
        }
        if (!last) target += '/' + rest;
        if (slash) target += '/';
        rest = std::move(target);
        continue;
      }
      if (last) {
        if (slash && !S_ISDIR(st.st_mode)) return fail(ENOTDIR);
        return {std::move(next), 0};
      }
      at = std::move(next);
    }
  }

  int pid_;
  held_thread& last_;
  mutable int group_ = 0;
};

}  // namespace nono::detail
#endif
