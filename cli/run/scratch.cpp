// SPDX-License-Identifier: Apache-2.0
// Creating, locking and removing scratch directories by descriptor.
#include "cli/run/scratch.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nono::cli {
namespace {

constexpr std::size_t longest_tmp = 40;
constexpr std::size_t random_length = 6;
constexpr int most_names_tried = 64;
constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

using steady = std::chrono::steady_clock;

class closed_at_end {
 public:
  explicit closed_at_end(int fd) : fd_(fd) {}
  closed_at_end(const closed_at_end&) = delete;
  closed_at_end& operator=(const closed_at_end&) = delete;
  ~closed_at_end() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_;
};

constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz234567";

std::string random_name() {
  std::array<unsigned char, random_length> bytes{};
  if (getentropy(bytes.data(), bytes.size()) != 0) return {};
  std::string name;
  for (const unsigned char byte : bytes) name += alphabet[byte % alphabet.size()];
  return name;
}

bool is_scratch_name(std::string_view name, std::string_view prefix) {
  return name.size() == prefix.size() + random_length && name.starts_with(prefix) &&
         name.find_first_not_of(alphabet, prefix.size()) == std::string_view::npos;
}

/// A directory that lacks permissions of its owner gets them: the child may have left it read-only.
/// EACCES speaks of a directory only (of anything else open says ENOTDIR), so fchmodat cannot meet a file.
int open_directory(int parent, const char* name) {
  int fd = openat(parent, name, directory_flags);
  if (fd < 0 && errno == EACCES && fchmodat(parent, name, S_IRWXU, AT_SYMLINK_NOFOLLOW) == 0)
    fd = openat(parent, name, directory_flags);
  struct stat info{};
  if (fd >= 0 && fstat(fd, &info) == 0 && (info.st_mode & S_IRWXU) != S_IRWXU) (void)fchmod(fd, S_IRWXU);
  return fd;
}

#if defined(__linux__)
constexpr int only_to_look_up = O_PATH;

/// A bind mount of the same file system has the same device; only the attribute tells (Linux 5.8).
bool is_bind_mount(int fd) {
  struct statx extended{};
  // Some containers refuse statx; what is left then is the EBUSY of a rename.
  if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &extended) != 0)
    return errno != ENOSYS && errno != EPERM;
  return (extended.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}
#else
constexpr int only_to_look_up = O_RDONLY;

bool is_bind_mount(int) { return false; }
#endif

bool is_mount_point(int fd, dev_t expected) {
  struct stat info{};
  return fstat(fd, &info) != 0 || info.st_dev != expected || is_bind_mount(fd);
}

bool same_directory(int parent, const std::string& name, int fd) {
  struct stat by_name{};
  struct stat by_descriptor{};
  return fstatat(parent, name.c_str(), &by_name, AT_SYMLINK_NOFOLLOW) == 0 &&
         fstat(fd, &by_descriptor) == 0 && by_name.st_dev == by_descriptor.st_dev &&
         by_name.st_ino == by_descriptor.st_ino;
}

/// Calls `visit(name)` for each entry but "." and ".." until it says false; entries may be removed meanwhile.
/// False when the directory cannot be read.
template <typename Visit>
bool for_each_entry(int directory, Visit visit) {
  const int own = openat(directory, ".", directory_flags);
  if (own < 0) return false;
  DIR* stream = fdopendir(own);
  if (stream == nullptr) {
    close(own);
    return false;
  }
  int failed = 0;
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(stream);
    if (entry == nullptr) {
      failed = errno;
      break;
    }
    const char* name = entry->d_name;
    if (std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0) continue;
    if (!visit(name)) break;
  }
  closedir(stream);
  return failed == 0;
}

/// Empties a directory with at most five descriptors and no recursion, however deep it is: the sub
/// directories of a first-level directory move up to the first level, under fresh names, and wait there for
/// the next pass.
class emptier {
 public:
  emptier(int root, steady::time_point deadline)
      : root_(root), deadline_(deadline), prefix_(".nono-" + random_name() + "-") {
    struct stat info{};
    if (fstat(root, &info) == 0) device_ = info.st_dev;
  }

  bool run() {
    if (is_mount_point(root_, device_)) return false;
    for (;;) {
      (void)fchmod(root_, S_IRWXU);
      seen_ = progress_ = false;
      if (!for_each_entry(root_, [this](const char* name) { return visit(name); })) return false;
      if (!seen_) return true;
      if (!progress_ || late()) return false;
    }
  }

 private:
  bool late() const { return steady::now() >= deadline_; }

  bool visit(const char* name) {
    seen_ = true;
    remove_first_level(name);
    return !late();
  }

  void remove_first_level(const char* name) {
    if (unlinkat(root_, name, 0) == 0) {
      progress_ = true;
      return;
    }
    const closed_at_end directory(open_directory(root_, name));
    if (!directory || is_mount_point(directory.get(), device_)) return;
    for_each_entry(directory.get(), [&](const char* inner) {
      if (unlinkat(directory.get(), inner, 0) == 0 || unlinkat(directory.get(), inner, AT_REMOVEDIR) == 0 ||
          move_up(directory.get(), inner))
        progress_ = true;
      return !late();
    });
    if (unlinkat(root_, name, AT_REMOVEDIR) == 0) progress_ = true;
  }

  /// A mount point answers EBUSY, a directory on another mount EXDEV: both stay where they are.
  bool move_up(int from, const char* name) {
    struct stat info{};
    if (fstatat(from, name, &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(info.st_mode)) return false;
    for (int attempt = 0; attempt < most_names_tried; ++attempt) {
      const std::string fresh = prefix_ + std::to_string(counter_++);
      if (renameat(from, name, root_, fresh.c_str()) == 0) return true;
      if (errno == EACCES) {
        // Changing ".." of a directory needs write permission on the directory itself.
        const closed_at_end made_writable(open_directory(from, name));
        if (renameat(from, name, root_, fresh.c_str()) == 0) return true;
      }
      if (errno != EEXIST && errno != ENOTEMPTY && errno != ENOTDIR) return false;
    }
    return false;
  }

  int root_;
  steady::time_point deadline_;
  std::string prefix_;
  dev_t device_ = 0;
  unsigned long counter_ = 0;
  bool seen_ = false;
  bool progress_ = false;
};

/// Removes directories below `parent` whose owner died. A lock that can be had is the proof.
void remove_stale(int parent, const std::string& prefix) {
  const steady::time_point deadline = steady::now() + std::chrono::seconds(3);
  std::vector<std::string> names;
  for_each_entry(parent, [&](const char* name) {
    if (is_scratch_name(name, prefix)) names.emplace_back(name);
    return names.size() < 10000;
  });
  for (const std::string& name : names) {
    if (steady::now() >= deadline) return;
    struct stat info{};
    if (fstatat(parent, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(info.st_mode) ||
        info.st_uid != geteuid())
      continue;
    const closed_at_end stale(open_directory(parent, name.c_str()));
    if (!stale || fstat(stale.get(), &info) != 0 || info.st_uid != geteuid()) continue;
    if (flock(stale.get(), LOCK_EX | LOCK_NB) != 0) continue;
    if (emptier(stale.get(), deadline).run()) (void)unlinkat(parent, name.c_str(), AT_REMOVEDIR);
  }
}

/// The directory shared by all runs of this user, or -1 when the name is not safely ours.
int open_shared_parent(int tmp, const std::string& name) {
  if (mkdirat(tmp, name.c_str(), S_IRWXU) != 0 && errno != EEXIST) return -1;
  closed_at_end parent(openat(tmp, name.c_str(), directory_flags));
  struct stat info{};
  // The set-group-id bit is inherited on some systems and harmless; every other bit must be the owner's.
  if (!parent || fstat(parent.get(), &info) != 0 || info.st_uid != geteuid() || (info.st_mode & 0077) != 0)
    return -1;
  if ((info.st_mode & S_IRWXU) != S_IRWXU && fchmod(parent.get(), S_IRWXU) != 0) return -1;
  return parent.release();
}

std::string usable_tmpdir() {
  const char* value = std::getenv("TMPDIR");
  std::string path = value == nullptr ? "" : value;
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  if (!path.starts_with('/') || path.size() > longest_tmp) return {};
  for (const char c : path)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return {};
  if ((path + "/").find("/../") != std::string::npos) return {};
  struct stat info{};
  if (stat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) return {};
  // Where others can write and no sticky bit holds them, they could put a directory of theirs in our place.
  if ((info.st_mode & S_IWOTH) != 0 && (info.st_mode & S_ISVTX) == 0) return {};
  return path;
}

}  // namespace

std::optional<scratch_directory> scratch_directory::create(std::string& error) {
  int os_error = 0;
  const std::string own = usable_tmpdir();
  if (!own.empty())
    if (auto made = create_below(own, os_error)) return made;
  if (own != "/tmp")
    if (auto made = create_below("/tmp", os_error)) return made;
  error = std::string("cannot create a scratch directory below /tmp (") + std::strerror(os_error) +
          "): set TMPDIR to a local directory that you can write, with a path of at most 40 bytes";
  return std::nullopt;
}

std::optional<scratch_directory> scratch_directory::create_below(const std::string& tmp, int& os_error) {
  const closed_at_end directory(open(tmp.c_str(), only_to_look_up | O_DIRECTORY | O_CLOEXEC));
  if (!directory) {
    os_error = errno;
    return std::nullopt;
  }
  const std::string below = tmp == "/" ? tmp : tmp + "/";
  const std::string shared = "nono-" + std::to_string(geteuid());
  closed_at_end parent(open_shared_parent(directory.get(), shared));
  if (parent) {
    if (auto made = create_in(parent.get(), below + shared + "/", "", os_error)) {
      made->parent_ = parent.release();
      return made;
    }
  }
  closed_at_end tmp_again(fcntl(directory.get(), F_DUPFD_CLOEXEC, 0));
  auto made = create_in(tmp_again.get(), below, shared + "-", os_error);
  if (made) made->parent_ = tmp_again.release();
  return made;
}

std::optional<scratch_directory> scratch_directory::create_in(int parent, const std::string& path_prefix,
                                                              const std::string& name_prefix, int& os_error) {
  remove_stale(parent, name_prefix);
  os_error = EEXIST;
  for (int attempt = 0; attempt < most_names_tried; ++attempt) {
    const std::string random = random_name();
    if (random.empty()) break;
    const std::string name = name_prefix + random;
    if (mkdirat(parent, name.c_str(), S_IRWXU) != 0) {
      os_error = errno;
      if (errno == EEXIST) continue;
      return std::nullopt;
    }
    closed_at_end self(openat(parent, name.c_str(), directory_flags));
    // Another run may look for stale directories right now: it holds the lock, or has removed ours already.
    const bool locked = self && flock(self.get(), LOCK_EX | LOCK_NB) == 0;
    if (locked && same_directory(parent, name, self.get()) && fchmod(self.get(), S_IRWXU) == 0)
      return scratch_directory(path_prefix + name, -1, self.release());
    os_error = errno;
    (void)unlinkat(parent, name.c_str(), AT_REMOVEDIR);
    if (!locked && os_error != EWOULDBLOCK && os_error != ENOENT) return std::nullopt;
  }
  return std::nullopt;
}

scratch_directory::scratch_directory(scratch_directory&& other) noexcept
    : path_(std::move(other.path_)),
      parent_(std::exchange(other.parent_, -1)),
      self_(std::exchange(other.self_, -1)) {}

scratch_directory& scratch_directory::operator=(scratch_directory&& other) noexcept {
  if (this != &other) {
    remove();
    path_ = std::move(other.path_);
    parent_ = std::exchange(other.parent_, -1);
    self_ = std::exchange(other.self_, -1);
  }
  return *this;
}

scratch_directory::~scratch_directory() { remove(); }

bool scratch_directory::remove(std::chrono::milliseconds patience) {
  if (self_ < 0) return true;
  const std::string name = path_.substr(path_.rfind('/') + 1);
  const bool emptied = emptier(self_, steady::now() + patience).run();
  // A name that something else has taken over meanwhile is left alone.
  const bool removed =
      emptied && same_directory(parent_, name, self_) && unlinkat(parent_, name.c_str(), AT_REMOVEDIR) == 0;
  struct stat info{};
  const bool gone = fstat(self_, &info) == 0 && info.st_nlink == 0;
  disown();
  return removed || gone;
}

void scratch_directory::disown() noexcept {
  if (self_ >= 0) close(self_);
  if (parent_ >= 0) close(parent_);
  self_ = parent_ = -1;
}

bool scratch_directory::keep_across_exec() noexcept {
  const int flags = fcntl(self_, F_GETFD);
  return flags >= 0 && fcntl(self_, F_SETFD, flags & ~FD_CLOEXEC) == 0;
}

}  // namespace nono::cli
