// SPDX-License-Identifier: Apache-2.0
// The private scratch directory of one run: the child's TMPDIR, removed when the run ends.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace nono::cli {

/// A fresh 0700 directory, `<tmp>/nono-<euid>/xxxxxx`, locked while its owner lives and removed by its
/// destructor.
/// `<tmp>` is $TMPDIR when that is absolute, an existing directory, at most 40 bytes long and not writable by
/// everybody without the sticky bit; else /tmp.
/// The path is at most 63 bytes long, so that 43 are left for the name of a unix socket below it.
/// When somebody else holds the name `nono-<euid>`, the directory is `<tmp>/nono-<euid>-xxxxxx` instead.
/// Not protected: a process with write access to `<tmp>` can rename the directory; its content is then still
/// removed, its name is not.
class scratch_directory {
 public:
  /// Creates one, and removes those whose owner died (3 seconds at most; later runs go on).
  /// On failure `error` is one sentence.
  static std::optional<scratch_directory> create(std::string& error);

  scratch_directory(scratch_directory&& other) noexcept;
  scratch_directory& operator=(scratch_directory&& other) noexcept;
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;
  ~scratch_directory();

  /// The absolute path, as spelled below `<tmp>`.
  const std::string& path() const { return path_; }

  /// Removes the directory and everything in it, never through a symbolic link and never across a mount
  /// point. False when something is left: a mount point, a file this user cannot remove, or what `patience`
  /// was too short for, as when entries keep appearing. Gives up the lock either way; a later run tries again.
  /// A second call does nothing.
  bool remove(std::chrono::milliseconds patience = std::chrono::seconds(20));

  /// For a forked child: closes the descriptors without removing anything. Async-signal-safe.
  void disown() noexcept;

  /// For a process that executes the program in its own place: the lock then lives as long as the program and
  /// its descendants, and a later run removes the directory. False when the kernel refuses.
  bool keep_across_exec() noexcept;

  /// The descriptor that carries the lock (-1 after remove() or disown()), for code that closes all others.
  int lock_descriptor() const noexcept { return self_; }

 private:
  scratch_directory(std::string path, int parent, int self)
      : path_(std::move(path)), parent_(parent), self_(self) {}
  static std::optional<scratch_directory> create_below(const std::string& tmp, int& os_error);
  static std::optional<scratch_directory> create_in(int parent, const std::string& path_prefix,
                                                    const std::string& name_prefix, int& os_error);

  std::string path_;
  int parent_ = -1;
  int self_ = -1;
};

}  // namespace nono::cli
