// SPDX-License-Identifier: Apache-2.0
// Where the documents of a run are written: for the one who started it, and for what runs inside.
#pragma once

#include <string>
#include <string_view>

#include <nono/error.hpp>

namespace nono::cli {

/// The file of `--report`: opened before anything starts, so that what cannot be written stops the run, and written once
/// the sandbox is in force.
class report_file {
 public:
  report_file() = default;
  report_file(const report_file&) = delete;
  report_file& operator=(const report_file&) = delete;
  ~report_file();

  /// Opens `path`, made 0600 where it is missing; its old content stays until write().
  /// Errors: a sentence: no such directory, no permission, a FIFO without a reader, a link that is not the system's.
  error open(const std::string& path);

  [[nodiscard]] bool wanted() const noexcept { return fd_ >= 0; }

  /// Puts `text` in place of the old content, whole, and closes. Works in a sandbox, too: the descriptor is older.
  /// Errors: a sentence; the file is empty then, where it is a regular one.
  error write(std::string_view text);

 private:
  int fd_ = -1;
  bool regular_ = false;
  std::string path_;
};

/// Makes a new file, 0600, with this content. Errors: a sentence; nothing is left of it then.
error write_new(const std::string& path, std::string_view text);

}  // namespace nono::cli
