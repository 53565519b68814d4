// SPDX-License-Identifier: Apache-2.0
// PATH look-up, and the interpreters of scripts and ELF files.
#include "cli/resolve/program.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>

#include <nono/error.hpp>
#include <nono/resolve.hpp>

namespace nono::cli {
namespace {

constexpr int most_levels = 5;               // as in fs/exec.c
constexpr std::size_t script_line = 256;     // BINPRM_BUF_SIZE of binfmts.h
constexpr std::size_t most_bytes = 65536;    // of one file, all reads together
constexpr std::uint32_t segment_interp = 3;  // PT_INTERP of elf(5)

/// Reads a regular file within a budget of bytes.
class bounded_file {
 public:
  /// O_NONBLOCK so that a FIFO in place of the program cannot hold us.
  explicit bounded_file(const std::string& path)
      : fd_(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)) {
    struct stat info{};
    if (fd_ >= 0 && (fstat(fd_, &info) != 0 || !S_ISREG(info.st_mode))) {
      close(fd_);
      fd_ = -1;
    }
  }
  bounded_file(const bounded_file&) = delete;
  bounded_file& operator=(const bounded_file&) = delete;
  ~bounded_file() {
    if (fd_ >= 0) close(fd_);
  }

  /// At most `size` bytes at `offset`; fewer at the end of the file or of the budget.
  std::string read(std::uint64_t offset, std::size_t size) {
    std::string bytes(std::min(size, left_), '\0');
    std::size_t have = 0;
    while (fd_ >= 0 && have < bytes.size() && offset <= largest_offset - bytes.size()) {
      const ssize_t n =
          pread(fd_, bytes.data() + have, bytes.size() - have, static_cast<off_t>(offset + have));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      have += static_cast<std::size_t>(n);
    }
    bytes.resize(have);
    left_ -= have;
    return bytes;
  }

 private:
  static constexpr std::uint64_t largest_offset =
      static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());
  int fd_;
  std::size_t left_ = most_bytes;
};

/// An unsigned number of `size` bytes; the caller has checked that the bytes are there.
std::uint64_t number_at(std::string_view bytes, std::size_t offset, std::size_t size, bool big_endian) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t at = offset + (big_endian ? i : size - 1 - i);
    value = value << 8 | static_cast<unsigned char>(bytes[at]);
  }
  return value;
}

/// Where the fields lie in the two classes of elf(5).
struct elf_layout {
  std::size_t header, word, phoff, phentsize, phnum, segment, offset, filesz;
};
constexpr elf_layout elf32 = {52, 4, 28, 42, 44, 32, 4, 16};
constexpr elf_layout elf64 = {64, 8, 32, 54, 56, 56, 8, 32};

/// The kernel uses the first PT_INTERP only and wants it terminated, 2 to PATH_MAX bytes long; so do we.
std::string elf_interpreter(bounded_file& file) {
  const std::string header = file.read(0, elf64.header);
  if (header.size() < elf32.header || !header.starts_with("\177ELF")) return {};
  const bool big_endian = header[5] == 2;
  const elf_layout& at = header[4] == 2 ? elf64 : elf32;
  if (header.size() < at.header || number_at(header, at.phentsize, 2, big_endian) != at.segment) return {};
  const std::size_t size = static_cast<std::size_t>(number_at(header, at.phnum, 2, big_endian)) * at.segment;
  if (size > most_bytes - PATH_MAX - 2 * elf64.header - script_line) return {};
  const std::string table = file.read(number_at(header, at.phoff, at.word, big_endian), size);
  for (std::size_t start = 0; start + at.segment <= table.size(); start += at.segment) {
    const std::string_view segment = std::string_view(table).substr(start, at.segment);
    if (number_at(segment, 0, 4, big_endian) != segment_interp) continue;
    const std::uint64_t length = number_at(segment, at.filesz, at.word, big_endian);
    if (length < 2 || length > PATH_MAX) return {};
    std::string path =
        file.read(number_at(segment, at.offset, at.word, big_endian), static_cast<std::size_t>(length));
    if (path.size() != length || path.back() != '\0') return {};
    path.resize(std::strlen(path.c_str()));
    return path;
  }
  return {};
}

std::string below_directory(std::string_view path, std::string_view cwd) {
  if (path.starts_with('/')) return std::string(path);
  while (path.starts_with("./")) path.remove_prefix(2);
  std::string result(cwd);
  if (!result.ends_with('/')) result += '/';
  return result.append(path);
}

std::string_view last_component(std::string_view path) { return path.substr(path.rfind('/') + 1); }

program_error failure(program_failure kind, std::string_view what, std::string_view rest) {
  return {kind, in_quotes(what).append(rest)};
}

/// The found path, or why this one cannot run.
std::variant<std::string, program_error> check_candidate(std::string path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) {
    if (errno == EACCES)
      return failure(program_failure::permission, path,
                     " lies in a directory that you may not search; ask its owner for access");
    return failure(program_failure::not_found, path, " does not exist; check the spelling");
  }
  if (S_ISDIR(info.st_mode))
    return failure(program_failure::is_directory, path, " is a directory; name a program inside it");
  if (!S_ISREG(info.st_mode))
    return failure(program_failure::not_executable, path, " is not a regular file; name a program");
  if (faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0) return path;
  if ((info.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0)
    return failure(program_failure::not_executable, path,
                   " is not marked as executable; run chmod +x on it, or give it to its interpreter");
  return failure(program_failure::permission, path,
                 " may not be executed by you, or its file system is mounted noexec; copy it elsewhere");
}

std::variant<std::string, program_error> look_up(std::string_view command, std::string_view path_variable,
                                                 std::string_view cwd) {
  if (command.empty())
    return program_error{program_failure::not_found, "the command is empty; name a program to run"};
  if (command.find('\0') != std::string_view::npos)
    return failure(program_failure::not_found, command, " contains a null byte; name a program to run");
  if (command.find('/') != std::string_view::npos) return check_candidate(below_directory(command, cwd));
  if (path_variable.data() == nullptr) path_variable = "/bin:/usr/bin";
  std::optional<program_error> first_refusal;
  for (std::size_t start = 0; start <= path_variable.size();) {
    const std::size_t end = std::min(path_variable.find(':', start), path_variable.size());
    const std::string_view entry = path_variable.substr(start, end - start);
    start = end + 1;
    auto checked = check_candidate(below_directory(command, below_directory(entry, cwd)));
    if (std::holds_alternative<std::string>(checked)) return checked;
    auto& refusal = std::get<program_error>(checked);
    const bool telling =
        refusal.kind == program_failure::not_executable || refusal.kind == program_failure::permission;
    if (telling && !first_refusal) first_refusal = std::move(refusal);
  }
  if (first_refusal) return *std::move(first_refusal);
  return failure(program_failure::not_found, command,
                 " was not found on PATH; install it, or name it with its directory as in ./program");
}

std::vector<std::string_view> split_words(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  std::vector<std::string_view> words;
  for (std::size_t start = text.find_first_not_of(blanks); start != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(blanks, start), text.size());
    words.push_back(text.substr(start, end - start));
    start = text.find_first_not_of(blanks, end);
  }
  return words;
}

class collector {
 public:
  collector(std::string_view path_variable, std::string_view cwd)
      : path_variable_(path_variable), cwd_(cwd) {}

  void add(const std::string& path, int level) {
    const auto canonical = canonical_path(path);
    if (!canonical || std::find(files.begin(), files.end(), *canonical) != files.end()) return;
    struct stat info{};
    // Only regular files are opened: opening a device can have effects of its own.
    if (stat(canonical->c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return;
    files.push_back(*canonical);
    if (level > most_levels) return;
    bounded_file file(*canonical);
    const std::string head = file.read(0, script_line);
    if (head.starts_with("#!")) {
      if (level < most_levels) add_script(head, level + 1);
    } else if (const std::string interpreter = elf_interpreter(file); !interpreter.empty()) {
      add(below_directory(interpreter, cwd_), level + 1);
    }
  }

  std::vector<std::string> files;

 private:
  void add_script(std::string_view head, int level) {
    const std::size_t line_end = head.find('\n');
    std::string_view line = head.substr(2, line_end == std::string_view::npos ? line_end : line_end - 2);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    const std::size_t end = line.find_first_of(" \t");
    // Cut off within the interpreter's name, the kernel refuses the script.
    if (end == std::string_view::npos && line_end == std::string_view::npos && head.size() == script_line)
      return;
    const std::string_view interpreter = line.substr(0, end);
    if (interpreter.empty() || interpreter.find('\0') != std::string_view::npos) return;
    add(below_directory(interpreter, cwd_), level);
    if (last_component(interpreter) == "env" && end != std::string_view::npos)
      add_behind_env(line.substr(end), level);
  }

  /// Without -S the kernel hands the rest of the line to env as one word.
  void add_behind_env(std::string_view arguments, int level) {
    std::vector<std::string_view> words = split_words(arguments);
    if (words.empty()) return;
    const std::string_view path_before = path_variable_;
    if (words[0].starts_with("-S") || words[0].starts_with("-vS")) {
      words[0].remove_prefix(words[0].find('S') + 1);
    } else if (words[0].starts_with("--split-string")) {
      words[0].remove_prefix(std::min<std::size_t>(words[0].size(), std::strlen("--split-string=")));
    } else if (words.size() > 1) {
      return;
    }
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::string_view word = words[i];
      if (word == "-u" || word == "-C") ++i;
      if (word.starts_with("PATH=")) path_variable_ = word.substr(std::strlen("PATH="));
      if (word.empty() || word.starts_with('-') || word.find('=') != std::string_view::npos) continue;
      const auto found = look_up(word, path_variable_, cwd_);
      if (const auto* path = std::get_if<std::string>(&found)) add(*path, level);
      break;
    }
    path_variable_ = path_before;
  }

  std::string_view path_variable_;
  std::string_view cwd_;
};

}  // namespace

std::variant<program, program_error> find_program(std::string_view command, std::string_view path_variable,
                                                  std::string_view cwd) {
  auto found = look_up(command, path_variable, cwd);
  if (auto* error = std::get_if<program_error>(&found)) return std::move(*error);
  collector needed(path_variable, cwd);
  needed.add(std::get<std::string>(found), 0);
  return program{std::get<std::string>(std::move(found)), std::move(needed.files),
                 std::string(last_component(command))};
}

std::optional<std::string> canonical_path(const std::string& path) {
  // Most paths have neither links nor dots: then one open says so, where realpath looks at every part.
  if (path.starts_with('/') && path.size() <= max_path && path.find("//") == path.npos &&
      path.find("/.") == path.npos && (path.size() == 1 || path.back() != '/')) {
    path_buffer buffer{};
    const resolved_path found = resolve_path(path.c_str(), buffer);
    close_descriptor(found.fd);
    if (!found.canonical.empty()) return std::string(found.canonical);
    if (found.os_errno == ENOENT) return std::nullopt;
  }
  char* resolved = realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return std::nullopt;
  std::string result(resolved);
  std::free(resolved);
  return result;
}

std::string in_quotes(std::string_view text, std::size_t longest) {
  std::string result;
  append_quoted(result, text.substr(0, longest));
  if (text.size() > longest) result.insert(result.size() - 1, "...");
  return result;
}

}  // namespace nono::cli
