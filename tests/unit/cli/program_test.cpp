// SPDX-License-Identifier: Apache-2.0
// Finding programs as execvp does, and their interpreters, in honest and in hostile files.
#include "cli/resolve/program.hpp"

#include <algorithm>
#include <cstdint>

#include "temporary_directory.hpp"

using namespace nono::cli;
using nono_test::temporary_directory;
using std::string;
using files = std::vector<string>;

namespace {

program found(std::string_view command, std::string_view path, std::string_view cwd) {
  auto result = find_program(command, path, cwd);
  if (const auto* error = std::get_if<program_error>(&result)) FAIL(error->message);
  return std::get<program>(std::move(result));
}

program_error refused(std::string_view command, std::string_view path, std::string_view cwd) {
  auto result = find_program(command, path, cwd);
  REQUIRE(std::holds_alternative<program_error>(result));
  auto error = std::get<program_error>(std::move(result));
  CHECK(error.message.find('\n') == string::npos);
  return error;
}

bool has(const files& list, const string& path) {
  return std::find(list.begin(), list.end(), path) != list.end();
}

void put(string& bytes, std::size_t offset, std::uint64_t value, std::size_t size, bool big_endian = false) {
  if (bytes.size() < offset + size) bytes.resize(offset + size);
  for (std::size_t i = 0; i < size; ++i)
    bytes[offset + (big_endian ? size - 1 - i : i)] = static_cast<char>(value >> (8 * i) & 0xff);
}

struct elf_shape {
  bool wide = true;
  bool big_endian = false;
  std::uint64_t phnum = 2;
  std::uint64_t phoff = 0;   // 0: behind the header
  std::uint64_t length = 0;  // 0: that of the interpreter with its null
  std::uint64_t offset = 0;  // 0: behind the table
  bool terminated = true;
};

/// An ELF header and two segments, the second of them PT_INTERP.
string elf(const string& interpreter, const elf_shape& shape = {}) {
  const std::size_t header = shape.wide ? 64 : 52;
  const std::size_t segment = shape.wide ? 56 : 32;
  const std::size_t word = shape.wide ? 8 : 4;
  string bytes = "\177ELF";
  put(bytes, 4, shape.wide ? 2 : 1, 1);
  put(bytes, 5, shape.big_endian ? 2 : 1, 1);
  bytes.resize(header);
  const auto number = [&](std::size_t at, std::uint64_t value, std::size_t size) {
    put(bytes, at, value, size, shape.big_endian);
  };
  const std::uint64_t table = shape.phoff != 0 ? shape.phoff : header;
  number(shape.wide ? 32 : 28, table, word);
  number(shape.wide ? 54 : 42, segment, 2);
  number(shape.wide ? 56 : 44, shape.phnum, 2);
  const std::size_t second = header + segment;
  bytes.resize(second + segment);
  number(header, 1, 4);
  number(second, 3, 4);
  const std::uint64_t at = shape.offset != 0 ? shape.offset : second + segment;
  number(second + (shape.wide ? 8 : 4), at, word);
  number(second + (shape.wide ? 32 : 16), shape.length != 0 ? shape.length : interpreter.size() + 1, word);
  bytes += interpreter;
  if (shape.terminated) bytes += '\0';
  return bytes;
}

}  // namespace

TEST_CASE("a program with its ELF interpreter, from PATH") {
  const program sh = found("sh", "/nowhere:/bin", "/");
  CHECK(sh.path == "/bin/sh");
  CHECK(sh.name == "sh");
  REQUIRE(sh.files.size() >= 1);
  CHECK(sh.files[0] == canonical_path("/bin/sh"));
}

TEST_CASE("PATH is read as execvp reads it") {
  const temporary_directory tmp;
  const string cwd = tmp.directory("cwd");
  tmp.file("cwd/here", "", 0755);
  tmp.file("cwd/sub/below", "", 0755);
  tmp.file("one/tool", "", 0644);
  tmp.directory("two/tool");
  tmp.file("three/tool", "", 0755);
  CHECK(found("here", "", cwd).path == cwd + "/here");
  CHECK(found("here", "/nowhere:", cwd).path == cwd + "/here");
  CHECK(found("here", ":/nowhere", cwd).path == cwd + "/here");
  CHECK(found("here", "/nowhere::/bin", cwd).path == cwd + "/here");
  CHECK(found("here", ".", cwd).path.ends_with("/here"));
  CHECK(found("below", "sub", cwd).path == cwd + "/sub/below");
  CHECK(found("tool", tmp / "one" + ":" + tmp / "two" + ":" + tmp / "three", cwd).path == tmp / "three/tool");
  CHECK(found("sh", std::string_view(), cwd).path == "/bin/sh");
  CHECK(refused("sh", "", cwd).kind == program_failure::not_found);
  CHECK(refused("here", "/bin:/usr/bin", cwd).kind == program_failure::not_found);
  CHECK(refused("tool", tmp / "two", cwd).kind == program_failure::not_found);
  CHECK(refused("tool", tmp / "one" + ":" + tmp / "two", cwd).kind == program_failure::not_executable);
}

TEST_CASE("a command with a slash is taken relative to the working directory") {
  const temporary_directory tmp;
  const string cwd = tmp.directory("cwd");
  tmp.file("cwd/tool", "", 0755);
  tmp.link("cwd/alias", "tool");
  tmp.file("other/tool", "", 0755);
  CHECK(found("./tool", tmp / "other", cwd).path == cwd + "/tool");
  CHECK(found("../other/tool", "", cwd).files == files{tmp / "other/tool"});
  CHECK(found(tmp / "other/tool", "", cwd).path == tmp / "other/tool");
  const program alias = found("./alias", "", cwd);
  CHECK(alias.path == cwd + "/alias");
  CHECK(alias.name == "alias");
  CHECK(alias.files == files{cwd + "/tool"});
}

TEST_CASE("what cannot run is refused with its reason") {
  const temporary_directory tmp;
  tmp.directory("directory");
  tmp.file("plain", "", 0644);
  tmp.file("not mine", "", geteuid() == 0 ? 0644 : 0611);
  REQUIRE(mkfifo((tmp / "fifo").c_str(), 0755) == 0);
  tmp.link("dangling", "nothing");
  tmp.link("loop", "loop");
  CHECK(refused("./directory", "", tmp.path()).kind == program_failure::is_directory);
  CHECK(refused("./directory/", "", tmp.path()).kind == program_failure::is_directory);
  CHECK(refused("./plain", "", tmp.path()).kind == program_failure::not_executable);
  CHECK(refused("./plain", "", tmp.path()).message.find("chmod +x") != string::npos);
  CHECK(refused("./fifo", "", tmp.path()).kind == program_failure::not_executable);
  CHECK(refused("/dev/null", "", "/").kind == program_failure::not_executable);
  CHECK(refused("./dangling", "", tmp.path()).kind == program_failure::not_found);
  CHECK(refused("./loop", "", tmp.path()).kind == program_failure::not_found);
  CHECK(refused("./plain/x", "", tmp.path()).kind == program_failure::not_found);
  CHECK(refused("", "/bin", "/").kind == program_failure::not_found);
  CHECK(refused(std::string_view("sh\0x", 4), "/bin", "/").kind == program_failure::not_found);
  CHECK(refused("a\nb\x1b[31m", "/bin", "/").message.find("'a\\nb\\x1b[31m'") == 0);
  CHECK(refused(string(5000, 'x'), "/bin", "/").message.size() < 300);
  if (geteuid() != 0) {
    CHECK(refused("./not mine", "", tmp.path()).kind == program_failure::permission);
    tmp.file("closed/tool", "", 0755);
    REQUIRE(chmod((tmp / "closed").c_str(), 0) == 0);
    CHECK(refused("./closed/tool", "", tmp.path()).kind == program_failure::permission);
    CHECK(refused("tool", tmp / "closed", "/").kind == program_failure::permission);
  }
}

TEST_CASE("a script brings its interpreter") {
  const temporary_directory tmp;
  const string interpreter = tmp.file("bin/interpreter", "", 0755);
  const string script = tmp / "script";
  string line;
  SUBCASE("plain") { line = "#!" + interpreter + "\nrest"; }
  SUBCASE("with blanks and an argument") { line = "#! \t" + interpreter + " -x y\n"; }
  SUBCASE("without an end of line") { line = "#!" + interpreter; }
  SUBCASE("relative to the working directory") { line = "#!bin/interpreter\n"; }
  SUBCASE("with a very long argument") { line = "#!" + interpreter + " " + string(1000, 'x'); }
  tmp.file("script", line, 0755);
  CHECK(found("./script", "", tmp.path()).files == files{script, interpreter});
}

TEST_CASE("a script behind env brings env and the tool") {
  const temporary_directory tmp;
  const string env = tmp.file("e/env", "", 0755);
  const string tool = tmp.file("bin/tool", "", 0755);
  const string other = tmp.file("other/tool", "", 0755);
  const string path = tmp / "bin";
  const auto files_of = [&](const string& arguments) {
    tmp.file("script", "#!" + env + " " + arguments + "\n", 0755);
    files result = found("./script", path, tmp.path()).files;
    REQUIRE(result.size() >= 2);
    CHECK(result[0] == tmp / "script");
    CHECK(result[1] == env);
    result.erase(result.begin(), result.begin() + 2);
    return result;
  };
  CHECK(files_of("tool") == files{tool});
  CHECK(files_of("tool  ") == files{tool});
  CHECK(files_of("-S tool -u") == files{tool});
  CHECK(files_of("-Stool -u") == files{tool});
  CHECK(files_of("-S A=b -u X C=d tool") == files{tool});
  CHECK(files_of("--split-string=tool x") == files{tool});
  CHECK(files_of("-S PATH=" + tmp / "other" + " tool") == files{other});
  CHECK(files_of("tool -u").empty());
  CHECK(files_of("missing").empty());
  CHECK(files_of("-S").empty());
  CHECK(files_of("-S -u").empty());
  CHECK(files_of("A=b").empty());
  CHECK(files_of("").empty());
}

TEST_CASE("broken first lines bring nothing and do no harm") {
  const temporary_directory tmp;
  const string script = tmp / "script";
  for (const string& line :
       {string("#!"), string("#!\n"), string("#!   \n"), string("#!/missing/interpreter\n"),
        string("#!/bin\n"), "#!/" + string(5000, 'x'), string("#!/bin/s\0h\n", 11), string("# !/bin/sh\n"),
        string("#"), string()}) {
    CAPTURE(line);
    tmp.file("script", line, 0755);
    CHECK(found("./script", "", tmp.path()).files == files{script});
  }
  // The kernel sees 256 bytes: a name that is cut off there must not be taken for a shorter one.
  const string cut = tmp.file("cut", "", 0755);
  tmp.file("script", "#!" + string(256 - 2 - cut.size(), '/') + cut + "-and-more\n", 0755);
  CHECK(found("./script", "", tmp.path()).files == files{script});
}

TEST_CASE("scripts that lead to scripts end after five levels or where they loop") {
  const temporary_directory tmp;
  tmp.file("a", "#!" + tmp / "b" + "\n", 0755);
  tmp.file("b", "#!" + tmp / "a" + "\n", 0755);
  tmp.file("self", "#!" + tmp / "self" + "\n", 0755);
  CHECK(found("./a", "", tmp.path()).files == files{tmp / "a", tmp / "b"});
  CHECK(found("./self", "", tmp.path()).files == files{tmp / "self"});
  for (int i = 0; i < 9; ++i)
    tmp.file("s" + std::to_string(i), "#!" + tmp / ("s" + std::to_string(i + 1)) + "\n", 0755);
  CHECK(found("./s0", "", tmp.path()).files.size() == 6);
  // The fifth interpreter is a program, and has an ELF interpreter of its own.
  const string loader = tmp.file("loader", "", 0755);
  tmp.file("s5", elf(loader), 0755);
  CHECK(has(found("./s0", "", tmp.path()).files, loader));
  for (int i = 0; i < 20; ++i)
    tmp.file("e" + std::to_string(i), elf(tmp / ("e" + std::to_string(i + 1))), 0755);
  CHECK(found("./e0", "", tmp.path()).files.size() == 7);
}

TEST_CASE("ELF interpreters in both classes and byte orders") {
  const temporary_directory tmp;
  const string loader = tmp.file("loader", "", 0755);
  for (const bool wide : {true, false}) {
    for (const bool big_endian : {true, false}) {
      CAPTURE(wide);
      CAPTURE(big_endian);
      elf_shape shape;
      shape.wide = wide;
      shape.big_endian = big_endian;
      tmp.file("program", elf(loader, shape), 0755);
      CHECK(found("./program", "", tmp.path()).files == files{tmp / "program", loader});
    }
  }
  tmp.file("program", elf("loader"), 0755);
  CHECK(found("./program", "", tmp.path()).files == files{tmp / "program", loader});
}

TEST_CASE("truncated and hostile ELF files bring nothing and do no harm") {
  const temporary_directory tmp;
  const string loader = tmp.file("loader", "", 0755);
  const files alone = {tmp / "program"};
  const auto files_of = [&](const string& bytes) {
    tmp.file("program", bytes, 0755);
    return found("./program", "", tmp.path()).files;
  };
  for (const bool wide : {true, false}) {
    elf_shape shape;
    shape.wide = wide;
    const string whole = elf(loader, shape);
    REQUIRE(files_of(whole).size() == 2);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      CAPTURE(size);
      CHECK(files_of(whole.substr(0, size)) == alone);
    }
    const auto with = [&](auto change) {
      elf_shape changed = shape;
      change(changed);
      return files_of(elf(loader, changed));
    };
    const std::uint64_t huge = wide ? ~std::uint64_t{0} : 0xffffffffu;
    CHECK(with([](elf_shape& s) { s.phnum = 0xffff; }) == alone);
    CHECK(with([](elf_shape& s) { s.phnum = 0; }) == alone);
    CHECK(with([&](elf_shape& s) { s.phoff = huge; }) == alone);
    CHECK(with([&](elf_shape& s) { s.phoff = huge >> 1; }) == alone);
    CHECK(with([&](elf_shape& s) { s.offset = huge; }) == alone);
    CHECK(with([&](elf_shape& s) { s.offset = huge >> 1; }) == alone);
    CHECK(with([&](elf_shape& s) { s.length = huge; }) == alone);
    CHECK(with([](elf_shape& s) { s.length = 1; }) == alone);
    CHECK(with([](elf_shape& s) { s.terminated = false; }) == alone);
    CHECK(with([&](elf_shape& s) {
            s.terminated = false;
            s.length = loader.size();
          }) == alone);
    string wrong_size = whole;
    put(wrong_size, wide ? 54 : 42, 8, 2);
    CHECK(files_of(wrong_size) == alone);
  }
  CHECK(files_of(elf("")) == alone);
  CHECK(files_of(elf(loader + string(1000, '\0'))).size() == 2);
  CHECK(files_of(elf(loader + string(5000, '\0'))) == alone);
  CHECK(files_of(elf(tmp.path())) == alone);
  // A FIFO and a device as interpreter: neither opened nor listed.
  REQUIRE(mkfifo((tmp / "fifo").c_str(), 0755) == 0);
  CHECK(files_of(elf(tmp / "fifo")) == alone);
  CHECK(files_of(elf("/dev/zero")) == alone);
  CHECK(files_of("#!" + tmp / "fifo" + "\n") == alone);
}

TEST_CASE("an interpreter far behind in a large sparse file is found") {
  const temporary_directory tmp;
  const string loader = tmp.file("loader", "", 0755);
  elf_shape shape;
  shape.offset = 1u << 30;
  const string path = tmp.file("program", elf("", shape).substr(0, 64 + 2 * 56), 0755);
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
  REQUIRE(fd >= 0);
  string length(8, '\0');
  put(length, 0, loader.size() + 1, 8);
  CHECK(pwrite(fd, length.data(), 8, 64 + 56 + 32) == 8);
  CHECK(pwrite(fd, loader.c_str(), loader.size() + 1, 1 << 30) == static_cast<ssize_t>(loader.size() + 1));
  close(fd);
  CHECK(found("./program", "", tmp.path()).files == files{path, loader});
}

TEST_CASE("a program that may be executed but not read is still found") {
  const temporary_directory tmp;
  tmp.file("program", "#!/bin/sh\n", 0111);
  const program result = found("./program", "", tmp.path());
  CHECK(result.files[0] == tmp / "program");
  if (geteuid() != 0) CHECK(result.files.size() == 1);
}

TEST_CASE("quoted text cannot break a line or steer a terminal") {
  CHECK(in_quotes("plain text") == "'plain text'");
  CHECK(in_quotes("a\n\r\x1b\x7f" + string(1, '\0')) == "'a\\n\\x0d\\x1b\\x7f\\x00'");
  CHECK(in_quotes("it's\\") == "'it\\'s\\\\'");
  CHECK(in_quotes("\xc3\xa9") == "'\xc3\xa9'");
  CHECK(in_quotes("\xc2\x9b") == "'\\xc2\\x9b'");
  CHECK(in_quotes(string(201, 'x')) == "'" + string(200, 'x') + "...'");
}
