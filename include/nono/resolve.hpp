// SPDX-License-Identifier: Apache-2.0
// The one seam to the file system: a path becomes a held inode and its canonical name.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include <nono/path.hpp>

#if defined(__linux__)
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>
#elif defined(__APPLE__)
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace nono {

enum class file_type : std::uint8_t { directory, regular, device, other, fifo, socket, symlink };

/// A file as the kernel knows it.
struct inode_id {
  std::uint64_t device = 0;
  std::uint64_t number = 0;
  friend constexpr bool operator==(const inode_id&, const inode_id&) = default;
};

namespace detail {

// A device's number and its halves, as every C library of Linux packs them: glibc's functions are not musl's, and the macros
// major() and minor() are undefined again by many a header.
constexpr std::uint64_t device_number(std::uint32_t major, std::uint32_t minor) noexcept {
  const std::uint64_t high = major, low = minor;
  return (high & 0xfffff000U) << 32U | (high & 0xfffU) << 8U | (low & 0xffffff00U) << 12U | (low & 0xffU);
}
constexpr std::uint32_t major_of_device(std::uint64_t device) noexcept {
  return static_cast<std::uint32_t>((device >> 32U & 0xfffff000U) | (device >> 8U & 0xfffU));
}
constexpr std::uint32_t minor_of_device(std::uint64_t device) noexcept {
  return static_cast<std::uint32_t>((device >> 12U & 0xffffff00U) | (device & 0xffU));
}

}  // namespace detail

constexpr std::string_view name_of(file_type type) noexcept {
  constexpr std::string_view names[] = {"directory", "regular", "device", "other",
                                        "fifo",      "socket",  "symlink"};
  static_assert(std::size(names) == static_cast<std::size_t>(file_type::symlink) + 1);
  return names[static_cast<std::size_t>(type)];
}

/// `2049:131`: the device, then the number on it.
inline std::string to_text(const inode_id& id) {
  return std::to_string(id.device) + ':' + std::to_string(id.number);
}

/// A file system that may make an inode anew at each look: a rule on the old one then grants nothing.
enum class file_system : std::uint8_t { lasting, plan9, fuse };

constexpr std::string_view name_of(file_system kind) noexcept {
  constexpr std::string_view names[] = {"lasting", "9p", "FUSE"};
  return names[static_cast<std::size_t>(kind)];
}

/// By the number that statfs(2) calls f_type.
constexpr file_system file_system_of(std::uint64_t type) noexcept {
  constexpr std::uint64_t v9fs_magic = 0x01021997;  // Windows' drives under WSL2, shares of a virtual machine
  constexpr std::uint64_t fuse_super_magic = 0x65735546;
  return type == v9fs_magic         ? file_system::plan9
         : type == fuse_super_magic ? file_system::fuse
                                    : file_system::lasting;
}

/// What a path led to. `canonical` is empty when the kernel has no name for it (deleted, outside the root).
struct resolved_path {
  int os_errno = 0;  ///< 0, or why the path could not be resolved
  int fd = -1;       ///< O_PATH descriptor, close-on-exec; the caller closes it
  inode_id id;
  file_type type{};
  std::string_view canonical;  ///< in the caller's buffer, or the path itself
};

/// Room for one path with its NUL.
struct path_buffer {
  char text[max_path + 1];
};

#if defined(__linux__) || defined(__APPLE__)

namespace detail {

inline file_type type_of_mode(unsigned mode) noexcept {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return file_type::directory;
    case S_IFREG:
      return file_type::regular;
    case S_IFCHR:
    case S_IFBLK:
      return file_type::device;
    case S_IFIFO:
      return file_type::fifo;
    case S_IFSOCK:
      return file_type::socket;
    case S_IFLNK:
      return file_type::symlink;
    default:
      return file_type::other;
  }
}

}  // namespace detail

#endif

#if defined(__linux__)

namespace detail {

/// Opens for its name only. flags: O_DIRECTORY, O_NOFOLLOW. A descriptor, or -1 with errno.
inline int openat2_path(int directory, const char* path, std::uint64_t resolve, int flags = 0) noexcept {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(O_PATH | O_CLOEXEC | flags);
  how.resolve = resolve;
  return static_cast<int>(::syscall(SYS_openat2, directory, path, &how, sizeof how));
}

/// "/proc/self/fd/N": the file behind a descriptor, for calls that take a path.
struct fd_path {
  explicit fd_path(int fd) noexcept {
    char* digits = text + std::strlen(text);
    char reversed[12];
    int n = 0;
    for (int rest = fd; n == 0 || rest != 0; rest /= 10) reversed[n++] = static_cast<char>('0' + rest % 10);
    while (n > 0) *digits++ = reversed[--n];
  }
  char text[32] = "/proc/self/fd/";
};

/// The kernel's name of what a descriptor holds, in the caller's buffer (NUL-terminated); empty when there is none.
inline std::string_view name_of_descriptor(int fd, path_buffer& buffer) noexcept {
  const ssize_t length = ::readlink(fd_path(fd).text, buffer.text, max_path);
  if (length <= 0 || length >= static_cast<ssize_t>(max_path) || buffer.text[0] != '/') return {};
  buffer.text[length] = '\0';
  return {buffer.text, static_cast<std::size_t>(length)};
}

}  // namespace detail

/// Opens `path` (NUL-terminated, absolute) for its name only and says what it is. Symbolic links are
/// followed, magic links of /proc never: what they lead to depends on who asks. Two system calls where no
/// link is on the way, four where one is.
inline resolved_path resolve_path(const char* path, path_buffer& buffer) noexcept {
  resolved_path out;
  bool straight = true;  // no link on the way: the name is canonical as it stands
  int fd = detail::openat2_path(AT_FDCWD, path, RESOLVE_NO_SYMLINKS);
  if (fd < 0 && errno == ELOOP) {
    straight = false;
    fd = detail::openat2_path(AT_FDCWD, path, RESOLVE_NO_MAGICLINKS);
  }
  if (fd < 0) {
    out.os_errno = errno;
    return out;
  }
  out.fd = fd;
  struct stat st{};
  if (::fstat(out.fd, &st) != 0) {
    out.os_errno = errno;
    ::close(out.fd);
    out.fd = -1;
    return out;
  }
  out.id = {st.st_dev, st.st_ino};
  out.type = detail::type_of_mode(st.st_mode);
  out.canonical = straight           ? std::string_view(path)
                  : st.st_nlink != 0 ? detail::name_of_descriptor(out.fd, buffer)
                                     : std::string_view{};
  return out;
}

/// The file system that `fd` lies on. One system call.
inline file_system file_system_of_descriptor(int fd) noexcept {
  struct statfs st{};
  return ::fstatfs(fd, &st) == 0 ? file_system_of(static_cast<std::uint64_t>(st.f_type))
                                 : file_system::lasting;
}

#elif defined(__APPLE__)

namespace detail {

/// The system's name of what a descriptor holds, in the caller's buffer (NUL-terminated); empty when there is none.
/// Source: fcntl(2) of macOS, F_GETPATH
inline std::string_view name_of_descriptor(int fd, path_buffer& buffer) noexcept {
  static_assert(sizeof buffer.text >= 1024, "F_GETPATH writes up to MAXPATHLEN bytes");
  if (::fcntl(fd, F_GETPATH, buffer.text) != 0 || buffer.text[0] != '/') return {};
  return buffer.text;
}

}  // namespace detail

/// The same without a descriptor: Seatbelt holds names, not inodes. Not yet seen on a Mac.
inline resolved_path resolve_path(const char* path, path_buffer& buffer) noexcept {
  resolved_path out;
  struct stat st{};
  if (::realpath(path, buffer.text) == nullptr || ::stat(buffer.text, &st) != 0) {
    out.os_errno = errno;
    return out;
  }
  out.id = {static_cast<std::uint64_t>(st.st_dev), static_cast<std::uint64_t>(st.st_ino)};
  out.type = detail::type_of_mode(st.st_mode);
  out.canonical =
      std::strcmp(path, buffer.text) == 0 ? std::string_view(path) : std::string_view(buffer.text);
  return out;
}
inline file_system file_system_of_descriptor(int) noexcept { return file_system::lasting; }

#endif

#if defined(__linux__) || defined(__APPLE__)

/// True when there is no symbolic link by that name (NUL-terminated): another file, or none. One system call.
inline bool is_no_link(const char* path) noexcept {
  struct stat st{};
  return ::lstat(path, &st) != 0 ? errno == ENOENT : !S_ISLNK(st.st_mode);
}

/// What a symbolic link (NUL-terminated) says, in the caller's buffer; empty if it is none.
inline std::string_view read_link(const char* path, path_buffer& buffer) noexcept {
  const ssize_t length = ::readlink(path, buffer.text, max_path);
  return length > 0 ? std::string_view(buffer.text, static_cast<std::size_t>(length)) : std::string_view{};
}

/// Makes a directory, mode 0700, with the missing ones above it. 0, or errno; the buffer says then which could not be
/// made. One that exists is fine.
inline int make_directories(const char* path, path_buffer& buffer) noexcept {
  const std::size_t length = std::strlen(path);
  if (length > max_path) return ENAMETOOLONG;
  std::memcpy(buffer.text, path, length + 1);
  for (std::size_t i = 1; i <= length; ++i) {
    if (buffer.text[i] != '/' && buffer.text[i] != '\0') continue;
    const char kept = buffer.text[i];
    buffer.text[i] = '\0';
    if (::mkdir(buffer.text, 0700) != 0 && errno != EEXIST) {
      struct stat st{};  // a parent that may not be written to is fine as long as it is there
      const int why = errno;
      if (::stat(buffer.text, &st) != 0) return why;
    }
    buffer.text[i] = kept;
  }
  return 0;
}

inline void close_descriptor(int fd) noexcept {
  if (fd >= 0) ::close(fd);
}

/// How many descriptors a policy may hold at once: half of what the process has left to itself.
inline std::size_t descriptors_to_hold() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 64;
  return static_cast<std::size_t>(limit.rlim_cur / 2);
}

/// The value of a known variable of the environment; empty if there is none. $WORKDIR is the working
/// directory.
inline std::string_view environment_variable(std::string_view name, path_buffer& buffer) noexcept {
  const auto value_of = [](const char* key) -> std::string_view {
    const char* value = std::getenv(key);  // NOLINT(concurrency-mt-unsafe)
    return value == nullptr ? std::string_view{} : std::string_view(value);
  };
  const auto below_home = [&](const char* key, std::string_view rest) -> std::string_view {
    if (const auto value = value_of(key); !value.empty()) return value;
    const auto home = value_of("HOME");
    if (home.empty() || home.size() + rest.size() > max_path) return {};
    std::memcpy(buffer.text, home.data(), home.size());
    std::memcpy(buffer.text + home.size(), rest.data(), rest.size());
    return {buffer.text, home.size() + rest.size()};
  };
  if (name == "$HOME") return value_of("HOME");
  if (name == "$WORKDIR") return ::getcwd(buffer.text, sizeof buffer.text) != nullptr ? buffer.text : "";
  if (name == "$TMPDIR") return value_of("TMPDIR").empty() ? "/tmp" : value_of("TMPDIR");
  if (name == "$XDG_CONFIG_HOME") return below_home("XDG_CONFIG_HOME", "/.config");
  if (name == "$XDG_STATE_HOME") return below_home("XDG_STATE_HOME", "/.local/state");
  if (name == "$XDG_CACHE_HOME") return below_home("XDG_CACHE_HOME", "/.cache");
  if (name == "$XDG_DATA_HOME") return below_home("XDG_DATA_HOME", "/.local/share");
  if (name == "$XDG_RUNTIME_DIR") return value_of("XDG_RUNTIME_DIR");
  return {};
}

#else

inline resolved_path resolve_path(const char*, path_buffer&) noexcept {
  resolved_path out;
  out.os_errno = ENOSYS;
  return out;
}
inline file_system file_system_of_descriptor(int) noexcept { return file_system::lasting; }
inline bool is_no_link(const char*) noexcept { return false; }
inline std::string_view read_link(const char*, path_buffer&) noexcept { return {}; }
inline int make_directories(const char*, path_buffer&) noexcept { return ENOSYS; }
inline void close_descriptor(int) noexcept {}
inline std::size_t descriptors_to_hold() noexcept { return 0; }
inline std::string_view environment_variable(std::string_view, path_buffer&) noexcept { return {}; }

#endif

namespace detail {

/// Closes a descriptor when it goes.
class descriptor {
 public:
  explicit descriptor(int fd = -1) noexcept : fd_(fd) {}
  descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~descriptor() { close_descriptor(fd_); }
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

}  // namespace detail

}  // namespace nono
