// SPDX-License-Identifier: Apache-2.0
// Where a path of a question leads, walked as the kernel walks it: the file, the directory around it, everything above,
// and what ordinary permissions say. The second half of the seam to the file system, beside resolve.hpp.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nono/path.hpp>
#include <nono/resolve.hpp>

#if defined(__linux__)
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>
#endif

namespace nono {

/// Who is asked about in questions of ordinary permissions.
enum class privileges : std::uint8_t {
  as_they_are,  ///< this process, with the capabilities that it has: after apply()
  none,         ///< this user without any capability: a child of spawn()
};

/// What one look at a file tells.
struct file_facts {
  inode_id id;
  std::uint64_t mount = 0;
  file_type type{};
  unsigned mode = 0;  ///< type and permission bits
  unsigned owner = 0;
  unsigned links = 1;  ///< names; a directory without one was removed and takes no new entries
};

/// The last part of a path: only a normal one can be made, removed or renamed.
enum class last_part : std::uint8_t { normal, dot, dot_dot, root };

/// Where a path leads.
struct place {
  int os_errno = 0;  ///< why the way to the last part could not be gone; 0 when only the last part is missing
  bool exists = false;  ///< there is a file by that name
  last_part last{};
  bool slash = false;           ///< the path ended in a slash: only a directory will do
  file_facts file;              ///< when it exists
  std::string directory;        ///< the directory around it, without links
  std::string name;             ///< the last part; empty for "/"
  file_facts around;            ///< the directory around it
  std::vector<inode_id> above;  ///< the directory around it first, the root last
  std::size_t in_mount = 0;     ///< how many of them, from the first, are of one mount
  bool read_only = false;       ///< the directory around it lies on a read-only mount or file system
  bool file_read_only = false;  ///< the file does, where look() is to find it out
  int file_access = 0;          ///< 0, or why ordinary permissions refuse what was asked of the file
  int directory_access = 0;     ///< 0, or why they refuse a new or removed entry

  /// The whole path without links.
  [[nodiscard]] std::string path() const {
    if (name.empty()) return directory.empty() ? "/" : directory;
    return directory == "/" ? "/" + name : directory + "/" + name;
  }
};

/// What look() is to find out.
struct look_request {
  bool follow = true;              ///< a link at the end is followed
  unsigned file_access = 0;        ///< of the file: 4 read, 2 write, 1 execute, as in access(2)
  bool changes_directory = false;  ///< of the directory around it: an entry is made or removed
  privileges who = privileges::as_they_are;
  bool changes_file = false;  ///< whether the file lies on a read-only mount
};

/// What this process may do beyond its permission bits, and the system's own rules on links.
struct identity {
  unsigned user = 0;
  bool owns_all = false;       ///< CAP_FOWNER
  bool makes_devices = false;  ///< CAP_MKNOD
  // Source: proc_sys_fs(5)
  int protected_hardlinks = 1;
  int protected_regular = 1;
  int protected_fifos = 1;
};

#if defined(__linux__)

namespace detail {

#ifndef STATX_MNT_ID
inline constexpr unsigned statx_mount_id = 0x1000;
#else
inline constexpr unsigned statx_mount_id = STATX_MNT_ID;
#endif

/// The mount of what statx() looked at; some C libraries leave its place in their structure unnamed.
template <typename Statx>
std::uint64_t mount_of(const Statx& got) noexcept {
  if constexpr (requires { got.stx_mnt_id; }) {
    return got.stx_mnt_id;
  } else {
    std::uint64_t id = 0;
    std::memcpy(
        &id, reinterpret_cast<const char*>(&got) + offsetof(Statx, stx_dev_minor) + sizeof got.stx_dev_minor,
        sizeof id);
    return id;
  }
}

/// One look, without following a link at the end; `name` empty: the directory's descriptor itself. 0 or errno.
inline int facts_of(int directory, const char* name, file_facts& out) noexcept {
  struct statx got{};
  const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*name == '\0' ? AT_EMPTY_PATH : 0);
  if (::statx(directory, name, flags, STATX_BASIC_STATS | statx_mount_id, &got) != 0) return errno;
  out.id = {device_number(got.stx_dev_major, got.stx_dev_minor), got.stx_ino};
  out.mount = mount_of(got);
  out.type = type_of_mode(got.stx_mode);
  out.mode = got.stx_mode;
  out.owner = got.stx_uid;
  out.links = got.stx_nlink;
  return 0;
}

/// The kernel's own answer on ordinary permissions, access lists and read-only mounts included. 0 or errno.
inline int access_of(int directory, const char* name, unsigned mode) noexcept {
  constexpr long faccessat2 = 439;
  const int flags = AT_EACCESS | AT_SYMLINK_NOFOLLOW | (*name == '\0' ? AT_EMPTY_PATH : 0);
  return ::syscall(faccessat2, directory, name, mode, flags) == 0 ? 0 : errno;
}

/// True for what lies on a read-only mount or file system: the kernel's answer on permissions says so only where the
/// permission bits would allow it.
inline bool is_read_only(int fd) noexcept {
  struct statfs fs{};
  return ::fstatfs(fd, &fs) == 0 && (fs.f_flags & ST_RDONLY) != 0;
}

/// The calling thread without its effective capabilities, until this goes: the kernel then answers as it would answer
/// a child that has none.
class capabilities_aside {
 public:
  explicit capabilities_aside(privileges who) noexcept {
    if (who != privileges::none || ::syscall(SYS_capget, &header_, kept_) != 0) return;
    if ((kept_[0].effective | kept_[1].effective) == 0) return;
    __user_cap_data_struct less[_LINUX_CAPABILITY_U32S_3] = {kept_[0], kept_[1]};
    less[0].effective = less[1].effective = 0;
    aside_ = ::syscall(SYS_capset, &header_, less) == 0;
  }
  capabilities_aside(const capabilities_aside&) = delete;
  capabilities_aside& operator=(const capabilities_aside&) = delete;
  ~capabilities_aside() {
    if (aside_) (void)::syscall(SYS_capset, &header_, kept_);
  }

 private:
  __user_cap_header_struct header_{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct kept_[_LINUX_CAPABILITY_U32S_3] = {};
  bool aside_ = false;
};

/// Calls f(facts) for every directory above `directory`, up to the root, until it returns false. 0 or errno.
template <class F>
int climb(int directory, file_facts last, F&& f) {
  constexpr std::size_t most = 64;  // steps before a new start: the name of a step is as long as the way
  char up[3 * most];
  std::size_t length = 0;
  descriptor start;
  for (;;) {
    std::memcpy(up + length, length == 0 ? ".." : "/..", 4 - (length == 0 ? 1 : 0));
    length += length == 0 ? 2 : 3;
    file_facts next;
    if (const int why = facts_of(directory, up, next); why != 0) return why;
    if (next.id == last.id && next.mount == last.mount) return 0;  // above the root is the root
    if (!f(next)) return 0;
    last = next;
    if (length + 3 < sizeof up) continue;
    descriptor higher(openat2_path(directory, up, 0, O_DIRECTORY));
    if (higher.get() < 0) return errno;
    start = std::move(higher);
    directory = start.get();
    length = 0;
  }
}

/// Walks one path; the parts of look().
class walker {
 public:
  explicit walker(const look_request& how) : how_(how) {}

  place run(std::string_view path) {
    std::string rest(path);
    if (rest.empty()) return fail(ENOENT);
    if (rest.find('\0') != std::string::npos) return fail(EINVAL);
    if (rest.front() != '/') return fail(EINVAL);  // relative to what, only the asker could say
    descriptor base;
    for (int hops = 0; hops <= 40; ++hops) {
      if (rest.size() > max_path) return fail(ENAMETOOLONG);
      while (rest.size() > 1 && rest.ends_with('/')) {
        rest.pop_back();
        out_.slash = true;
      }
      const std::size_t cut = rest.rfind('/');
      const std::string name = cut == std::string::npos ? rest : rest.substr(cut + 1);
      const int from = rest.front() == '/' || base.get() < 0 ? AT_FDCWD : base.get();
      out_.last = name.empty()   ? last_part::root
                  : name == "."  ? last_part::dot
                  : name == ".." ? last_part::dot_dot
                                 : last_part::normal;
      if (out_.last != last_part::normal && !how_.follow) {
        // Who would make, remove or rename it does not even look: "a/.." is refused by what its last part is.
        const descriptor fd(
            openat2_path(from, cut == std::string::npos || cut == 0 ? "/" : rest.substr(0, cut).c_str(),
                         RESOLVE_NO_MAGICLINKS, O_DIRECTORY));
        return fd.get() < 0 ? fail(errno) : settle(fd.get(), {});
      }
      if (out_.last != last_part::normal) {
        const descriptor fd(openat2_path(from, rest.c_str(), RESOLVE_NO_MAGICLINKS, O_DIRECTORY));
        return fd.get() < 0 ? fail(errno) : found(fd.get());
      }
      const std::string head = cut == std::string::npos ? "." : cut == 0 ? "/" : rest.substr(0, cut);
      descriptor around(openat2_path(from, head.c_str(), RESOLVE_NO_MAGICLINKS, O_DIRECTORY));
      if (around.get() < 0) return fail(errno);
      const int why = facts_of(around.get(), name.c_str(), out_.file);
      if (why != 0 && why != ENOENT) return fail(why);
      if (why != 0 || out_.file.type != file_type::symlink || !how_.follow) {
        out_.exists = why == 0;
        return settle(around.get(), name);
      }
      // A link to follow. The kernel goes first, with its own rules on links; only where one leads to nothing is it
      // followed by hand, to what could be made there.
      const descriptor fd(openat2_path(around.get(), name.c_str(), RESOLVE_NO_MAGICLINKS));
      if (fd.get() >= 0) return found(fd.get());
      if (errno != ENOENT) return fail(errno);
      const ssize_t length = ::readlinkat(around.get(), name.c_str(), buffer_.text, max_path);
      if (length <= 0) return fail(length < 0 ? errno : ENOENT);
      rest.assign(buffer_.text, static_cast<std::size_t>(length));
      base = std::move(around);
    }
    return fail(ELOOP);
  }

 private:
  place fail(int why) {
    out_.os_errno = why;
    return std::move(out_);
  }

  /// From the file itself to the directory around it, by the kernel's name for it.
  place found(int fd) {
    if (const int why = facts_of(fd, "", out_.file); why != 0) return fail(why);
    out_.exists = true;
    const std::string whole(name_of_descriptor(fd, buffer_));
    if (whole.empty()) return fail(ENOENT);
    if (whole == "/") return settle(fd, {});
    const std::size_t cut = whole.rfind('/');
    const std::string name = whole.substr(cut + 1);
    const descriptor around(openat2_path(AT_FDCWD, cut == 0 ? "/" : whole.substr(0, cut).c_str(),
                                         RESOLVE_NO_SYMLINKS, O_DIRECTORY));
    if (around.get() < 0) return fail(errno);
    file_facts again;
    if (facts_of(around.get(), name.c_str(), again) != 0 || again.id != out_.file.id)
      return fail(ESTALE);  // replaced while we looked, or deleted
    return settle(around.get(), name);
  }

  /// Everything about the directory around the file. name: empty for the root, which is around itself.
  place settle(int around, const std::string& name) {
    out_.name = name;
    if (const int why = facts_of(around, "", out_.around); why != 0) return fail(why);
    out_.directory = name_of_descriptor(around, buffer_);
    out_.above.push_back(out_.around.id);
    out_.in_mount = 1;
    const int why = climb(around, out_.around, [&](const file_facts& next) {
      if (next.mount == out_.around.mount && out_.in_mount == out_.above.size()) ++out_.in_mount;
      out_.above.push_back(next.id);
      return true;
    });
    if (why != 0) return fail(why);
    if (how_.file_access != 0 && out_.exists)
      out_.file_access = access_of(around, name.c_str(), how_.file_access);
    if (how_.changes_file && out_.exists) {
      const descriptor file(openat2_path(around, name.empty() ? "." : name.c_str(), 0, O_NOFOLLOW));
      out_.file_read_only = is_read_only(file.get());
    }
    if (how_.changes_directory) {
      out_.read_only = is_read_only(around);
      out_.directory_access = access_of(around, "", W_OK | X_OK);
    }
    return std::move(out_);
  }

  look_request how_;
  place out_;
  path_buffer buffer_{};
};

}  // namespace detail

/// Walks `path` (absolute; ".." and links are followed as the kernel follows them, magic links of /proc never) and says
/// where it leads. Some ten system calls and one for each directory above; nothing is opened but for its name.
inline place look(std::string_view path, const look_request& how) {
  const detail::capabilities_aside aside(how.who);
  return detail::walker(how).run(path);
}

/// Calls f(id) for the file that a descriptor holds, whatever its names lead to by now, and for each directory above,
/// until f returns false. Two system calls for the file and its directory each, one for every further step.
/// 0 or errno: ENOENT where it has no name (deleted, a pipe), ESTALE where another file has taken it.
template <class F>
int for_file_and_above(int fd, F&& f) {
  file_facts last;
  if (const int why = detail::facts_of(fd, "", last); why != 0) return why;
  if (!f(last.id)) return 0;
  const file_facts file = last;
  path_buffer buffer{};
  const std::string_view whole = detail::name_of_descriptor(fd, buffer);
  if (whole == "/") return 0;
  const std::size_t cut = whole.rfind('/');
  if (cut == std::string_view::npos) return ENOENT;
  // By name, and not by "..", which a directory may refuse to be searched for.
  char* const name = buffer.text + cut + 1;
  buffer.text[cut] = '\0';
  const detail::descriptor around(
      detail::openat2_path(AT_FDCWD, cut == 0 ? "/" : buffer.text, RESOLVE_NO_SYMLINKS, O_DIRECTORY));
  if (around.get() < 0) return errno;
  if (detail::facts_of(around.get(), name, last) != 0 || last.id != file.id) return ESTALE;
  if (const int why = detail::facts_of(around.get(), "", last); why != 0) return why;
  if (!f(last.id)) return 0;
  return detail::climb(around.get(), last, [&](const file_facts& next) { return f(next.id); });
}

/// Who the process is in questions of ordinary permissions. Eleven system calls.
inline identity identity_of(privileges who) noexcept {
  identity out;
  out.user = ::geteuid();
  if (who == privileges::as_they_are) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct have[_LINUX_CAPABILITY_U32S_3] = {};
    if (::syscall(SYS_capget, &header, have) == 0) {
      out.owns_all = (have[0].effective & 1U << CAP_FOWNER) != 0;
      out.makes_devices = (have[0].effective & 1U << CAP_MKNOD) != 0;
    }
  }
  const auto setting = [](const char* file, int& value) {
    const detail::descriptor fd(::open(file, O_RDONLY | O_CLOEXEC));
    char digit = 0;
    if (fd.get() >= 0 && ::read(fd.get(), &digit, 1) == 1 && digit >= '0' && digit <= '9')
      value = digit - '0';
  };
  setting("/proc/sys/fs/protected_hardlinks", out.protected_hardlinks);
  setting("/proc/sys/fs/protected_regular", out.protected_regular);
  setting("/proc/sys/fs/protected_fifos", out.protected_fifos);
  return out;
}

#else

inline place look(std::string_view, const look_request&) {
  place out;
  out.os_errno = ENOSYS;
  return out;
}
inline identity identity_of(privileges) noexcept { return {}; }

#endif

}  // namespace nono
