// SPDX-License-Identifier: Apache-2.0
#include <nono/bind.hpp>
#include <nono/capability_set.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "cli/temporary_directory.hpp"
#include "constexpr_check.hpp"
#include "environment_variable.hpp"

using namespace std::string_literals;
using nono::bound_policy;
using nono::capability_set;
using nono::errc;
using nono::right;
using nono_test::environment_variable;
using nono_test::temporary_directory;

namespace {

std::size_t open_descriptors() {
  DIR* dir = opendir("/proc/self/fd");
  REQUIRE(dir != nullptr);
  std::size_t n = 0;
  while (readdir(dir) != nullptr) ++n;  // NOLINT(concurrency-mt-unsafe)
  closedir(dir);
  return n;
}

/// Fails if the scope ends with more or fewer descriptors than it began with.
class no_descriptor_leak {
 public:
  no_descriptor_leak() : before_(open_descriptors()) {}
  no_descriptor_leak(const no_descriptor_leak&) = delete;
  no_descriptor_leak& operator=(const no_descriptor_leak&) = delete;
  ~no_descriptor_leak() { CHECK(open_descriptors() == before_); }

 private:
  std::size_t before_;
};

/// Leaves room for `more` descriptors beyond those that are open.
class descriptor_limit {
 public:
  explicit descriptor_limit(std::size_t more) {
    REQUIRE(getrlimit(RLIMIT_NOFILE, &old_) == 0);
    int highest = 0;
    for (int fd = 0; fd < 1024; ++fd)
      if (fcntl(fd, F_GETFD) >= 0) highest = fd;
    for (int fd = 0; fd < highest; ++fd)  // no gaps: the limit is one of numbers
      if (fcntl(fd, F_GETFD) < 0) fillers_.push_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
    rlimit tight = old_;
    tight.rlim_cur = static_cast<rlim_t>(highest) + 1 + more;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &tight) == 0);
  }
  descriptor_limit(const descriptor_limit&) = delete;
  descriptor_limit& operator=(const descriptor_limit&) = delete;
  ~descriptor_limit() {
    setrlimit(RLIMIT_NOFILE, &old_);
    for (const int fd : fillers_) close(fd);
  }

 private:
  rlimit old_{};
  std::vector<int> fillers_;
};

struct grant {
  std::string path;
  right rights;
};

capability_set set_of(const std::vector<grant>& grants, const std::vector<std::string>& denies = {}) {
  capability_set set;
  for (const grant& g : grants)
    REQUIRE(set.add({g.path, g.rights, nono::path_kind::any, nono::must_exist, nono::origin::user, {}})
                .has_value());
  for (const std::string& d : denies) REQUIRE(set.deny_path(d).has_value());
  return set;
}

errc code_of(const capability_set& set, std::span<const nono::binding> values = {}) {
  const no_descriptor_leak leak;
  const auto got = nono::bind(set, values);
  return got ? errc::none : got.error().code;
}

bool contradicts(const std::vector<grant>& grants, const std::string& denied) {
  const errc code = code_of(set_of(grants, {denied}));
  CHECK((code == errc::none || code == errc::deny_contradicts_grant));
  return code != errc::none;
}

const nono::bound_rule* rule_at(const bound_policy& p, std::string_view canonical) {
  for (const auto& r : p.rules)
    if (r.canonical == canonical) return &r;
  return nullptr;
}

/// "path" of the kept rules, without the prefix, in their order.
std::string kept(const bound_policy& p, const temporary_directory& root) {
  std::string out;
  for (const auto& r : p.rules)
    if (!r.subsumed) out += std::string(r.canonical.substr(root.path().size())) + " ";
  return out;
}

}  // namespace

TEST_CASE("bind: variables") {
  const temporary_directory root;
  root.directory("data/in");
  capability_set set;
  REQUIRE(set.variable("$DATA").has_value());
  REQUIRE(set.allow_path<nono::read>("$DATA/in").has_value());

  const std::string data = root / "data";
  const nono::binding good[] = {nono::bind("$DATA", data)};
  {
    const auto got = nono::bind(set, good);
    REQUIRE(got.has_value());
    CHECK(got->rules[0].path == data + "/in");
  }
  const std::string odd = root.path() + "//data/./";
  const nono::binding folded[] = {nono::bind("$DATA", odd)};
  {
    const auto got = nono::bind(set, folded);
    REQUIRE(got.has_value());
    CHECK(got->rules[0].path == data + "/in");
  }
  CHECK(code_of(set) == errc::variable_unbound);
  const auto with = [&](std::string_view value) {
    const nono::binding values[] = {nono::bind("$DATA", value)};
    return code_of(set, values);
  };
  CHECK(with("") == errc::variable_unbound);
  CHECK(with("data") == errc::variable_bad_value);
  CHECK(with("..") == errc::variable_bad_value);
  CHECK(with(data + "/../data") == errc::variable_bad_value);
  CHECK(with("$HOME") == errc::variable_bad_value);
  CHECK(with("~") == errc::variable_bad_value);
  CHECK(with(data + "\0/x"s) == errc::variable_bad_value);
  CHECK(with("/" + std::string(4095, 'x')) == errc::variable_bad_value);
  CHECK(with("/" + std::string(4092, 'x')) == errc::path_too_long);
  const nono::binding unknown[] = {nono::bind("$DATA", data), nono::bind("$OTHER", data)};
  CHECK(code_of(set, unknown) == errc::variable_unknown);
}

TEST_CASE("bind: the message of a variable names it, and quotes its value") {
  capability_set set;
  REQUIRE(set.variable("$DATA").has_value());
  REQUIRE(set.allow_path<nono::read>("$DATA").has_value());
  const nono::binding bad[] = {nono::bind("$DATA", "x\ny")};
  CHECK(nono::bind(set, bad).error().message() ==
        "the variable '$DATA' has the value 'x\\ny', which is no absolute path without '..'; to change that, "
        "bind "
        "it to one");
  CHECK(
      nono::bind(set, {}).error().message() ==
      "the variable '$DATA' was declared and got no value; to change that, pass nono::bind('$DATA', value)");
}

TEST_CASE("bind: known variables come from the environment unless they are bound") {
  const temporary_directory root;
  const std::string one = root.directory("one");
  const std::string two = root.directory("two");
  capability_set set;
  REQUIRE(set.allow_path<nono::read>("~").has_value());
  {
    const environment_variable home("HOME", one.c_str());
    CHECK(nono::bind(set, {})->rules[0].path == one);
    const nono::binding other[] = {nono::bind("$HOME", two)};
    CHECK(nono::bind(set, other)->rules[0].path == two);
  }
  {
    const environment_variable home("HOME", nullptr);
    CHECK(code_of(set) == errc::variable_unbound);
  }
  for (const char* bad : {"relative", "/a/../b", "$HOME", "~"}) {
    const environment_variable home("HOME", bad);
    CHECK(code_of(set) == errc::variable_bad_value);
  }
  {
    const environment_variable home("HOME", "/");
    CHECK(nono::bind(set, {})->rules[0].path == "/");
  }
}

TEST_CASE("bind: a known variable never opens the system for writing, whatever its value") {
  const temporary_directory root;
  const std::string own = root.directory("own");
  root.link("link", "/etc");
  const auto code = [&](std::string_view rule, right rights, const std::string& value,
                        nono::path_kind kind = nono::path_kind::any) {
    capability_set set;
    REQUIRE(set.variable("$DATA").has_value());
    REQUIRE(set.add({rule, rights, kind, nono::if_exists, nono::origin::user, {}}).has_value());
    const nono::binding values[] = {nono::bind(rule.starts_with("$DATA") ? "$DATA" : "$WORKDIR", value)};
    return code_of(set, values);
  };
  for (const std::string_view system :
       {"/", "/etc", "/usr", "/usr/bin", "/etc/ssl", "/proc/self", "/sys/kernel"}) {
    INFO(std::string(system));
    CHECK(code("$WORKDIR", nono::read_write, std::string(system)) == errc::variable_opens_system);
    CHECK(code("$WORKDIR", right::truncate, std::string(system)) == errc::variable_opens_system);
    CHECK(code("$WORKDIR", nono::read, std::string(system)) == errc::none);
    CHECK(code("$DATA", nono::read_write, std::string(system)) == errc::none);
  }
  CHECK(code("$WORKDIR/passwd", nono::write, "/etc") == errc::variable_opens_system);
  CHECK(code("$WORKDIR", nono::write, root / "link") == errc::variable_opens_system);
  CHECK(code("$WORKDIR/link/passwd", nono::write, root.path()) == errc::variable_opens_system);
  CHECK(code("$WORKDIR", nono::write, own) == errc::none);
  CHECK(code("$WORKDIR", nono::write, "/usr/local") == errc::none);
  {
    const environment_variable home("HOME", "/etc");
    CHECK(code("~/x", nono::write, own) == errc::variable_opens_system);
    CHECK(code("~", nono::read, own) == errc::none);
  }
}

TEST_CASE("bind: nothing is made in the system by a variable, and what gives way is left out") {
  const environment_variable home("HOME", "/etc/nono-test-none");
  capability_set set;
  REQUIRE(set.allow_path<nono::read_write>("~/cache", nono::create_dir).has_value());
  CHECK(code_of(set) == errc::variable_opens_system);
  CHECK_FALSE(nono_test::exists("/etc/nono-test-none"));
  capability_set yielding;
  for (const char* path : {"$WORKDIR", "$WORKDIR/ssl"}) {
    nono::rule r{path, nono::write, nono::path_kind::any, nono::must_exist, nono::origin::profile, {}};
    r.gives_way = true;
    REQUIRE(yielding.add(r).has_value());
  }
  const nono::binding values[] = {nono::bind("$WORKDIR", "/etc")};
  const auto got = nono::bind(yielding, values);
  REQUIRE(got.has_value());
  CHECK(got->rules.empty());
  CHECK(got->skipped.size() == 2);
}

TEST_CASE("bind: // and /./ and a slash at the end are folded") {
  const temporary_directory root;
  const std::string plain = root.directory("a/b");
  root.directory("a/.b");
  for (const char* odd : {"//a//b", "/./a/./b", "/a/b/.", "/a/.//./b/./", "/a///./b//."}) {
    INFO(std::string(odd));
    const auto got = nono::bind(set_of({{root.path() + odd, nono::read}}), {});
    REQUIRE(got.has_value());
    CHECK(got->rules[0].path == plain);
    CHECK(got->rules[0].canonical == plain);
  }
  CHECK(nono::bind(set_of({{root / "a/.b", nono::read}}), {})->rules[0].path == root / "a/.b");
  CHECK(nono::bind(set_of({{"//", nono::read}}), {})->rules[0].canonical == "/");
  CHECK(nono::bind(set_of({{"/.", nono::read}}), {})->rules[0].canonical == "/");
  // Longer than a path may be only before it is folded.
  std::string folds = root / "a";
  while (folds.size() < 4080) folds += "/.";
  CHECK(nono::bind(set_of({{folds + "/b", nono::read}}), {})->rules[0].path == plain);
}

TEST_CASE("bind: links are resolved, and both names kept") {
  const temporary_directory root;
  const std::string target = root.directory("target/sub");
  root.link("link", "target");
  const auto got = nono::bind(set_of({{root / "link/sub", nono::read}}), {});
  REQUIRE(got.has_value());
  CHECK(got->rules[0].path == root / "link/sub");
  CHECK(got->rules[0].canonical == target);
  CHECK(to_text(*got).find("written '" + (root / "link/sub") + "'") != std::string::npos);
}

TEST_CASE("bind: directory, file, and either") {
  const temporary_directory root;
  const std::string dir = root.directory("dir");
  const std::string file = root.file("file");
  const auto code = [&](const auto& add) {
    capability_set set;
    REQUIRE(add(set).has_value());
    return code_of(set);
  };
  CHECK(code([&](auto& s) { return s.template allow_path<nono::read>(dir); }) == errc::none);
  CHECK(code([&](auto& s) { return s.template allow_path<nono::read>(file); }) == errc::not_a_directory);
  CHECK(code([&](auto& s) { return s.template allow_file<nono::read>(file); }) == errc::none);
  CHECK(code([&](auto& s) { return s.template allow_file<nono::read>(dir); }) == errc::not_a_file);
  CHECK(code([&](auto& s) { return s.template allow_file<nono::read>("/dev/null"); }) == errc::none);
  CHECK(code_of(set_of({{dir, nono::read}, {file, nono::read}})) == errc::none);
  CHECK(code_of(set_of({{file, right::list}})) == errc::directory_right_on_file);
  CHECK(code_of(set_of({{file + "/x", nono::read}})) == errc::path_not_found);
}

TEST_CASE("bind: a file keeps no directory rights, a device gets its ioctls when it is written") {
  const temporary_directory root;
  const std::string file = root.file("file");
  const auto got = nono::bind(set_of({{file, nono::read_write},
                                      {"/dev/null", nono::write},
                                      {"/dev/zero", nono::read},
                                      {root.path(), nono::read}}),
                              {});
  REQUIRE(got.has_value());
  CHECK(rule_at(*got, file)->rights ==
        (right::read_file | right::execute | right::write_file | right::truncate));
  CHECK(rule_at(*got, "/dev/null")->rights == (right::write_file | right::truncate | right::ioctl));
  CHECK(rule_at(*got, "/dev/zero")->rights == (right::read_file | right::execute));
  CHECK(rule_at(*got, root.path())->rights == nono::read);
}

TEST_CASE("bind: a missing path is an error, is skipped, or is made") {
  const temporary_directory root;
  const std::string missing = root / "a/b";
  capability_set strict;
  REQUIRE(strict.allow_path<nono::read>(missing).has_value());
  CHECK(code_of(strict) == errc::path_not_found);
  capability_set lenient;
  REQUIRE(lenient.allow_path<nono::read>(missing, nono::if_exists).has_value());
  {
    const auto got = nono::bind(lenient, {});
    REQUIRE(got.has_value());
    CHECK(got->rules.empty());
    REQUIRE(got->skipped.size() == 1);
    CHECK(got->skipped[0].path == missing);
    CHECK(to_text(*got) == "missing  '" + missing + "'\nnetwork(unrestricted)\n");
  }
  CHECK_FALSE(nono_test::exists(root / "a"));
  capability_set making;
  REQUIRE(making.allow_path<nono::read>(missing, nono::create_dir).has_value());
  const mode_t old = umask(0);
  const auto got = nono::bind(making, {});
  umask(old);
  REQUIRE(got.has_value());
  CHECK(got->skipped.empty());
  CHECK(got->rules[0].canonical == missing);
  for (const char* part : {"a", "a/b"}) {
    struct stat info{};
    REQUIRE(stat((root / part).c_str(), &info) == 0);
    CHECK((info.st_mode & 07777) == 0700);
  }
}

TEST_CASE("bind: create_dir where no directory can be made is an error, not a rule left out") {
  const temporary_directory root;
  root.file("file");
  root.link("dangling", "nowhere");
  for (const char* below : {"file/cache", "dangling"}) {
    INFO(std::string(below));
    capability_set set;
    REQUIRE(set.allow_path<nono::read>(root / below, nono::create_dir).has_value());
    CHECK(code_of(set) != errc::none);
  }
}

TEST_CASE("bind: what may not be looked at is an error even where it may be missing") {
  const temporary_directory root;
  const std::string closed = root.directory("closed");
  root.directory("closed/sub");
  REQUIRE(chmod(root.path().c_str(), 0755) == 0);
  REQUIRE(chmod(closed.c_str(), 0700) == 0);
  capability_set set;
  REQUIRE(set.allow_path<nono::read>(closed + "/sub", nono::if_exists).has_value());
  REQUIRE(set.allow_path<nono::read>(closed + "/none", nono::if_exists).has_value());
  if (geteuid() == 0) {
    REQUIRE(seteuid(65534) == 0);
  } else {
    REQUIRE(chmod(closed.c_str(), 0) == 0);
  }
  const auto got = nono::bind(set, {});
  const errc code = got ? errc::none : got.error().code;
  if (getuid() == 0) REQUIRE(seteuid(0) == 0);
  CHECK(code == errc::path_not_accessible);
}

TEST_CASE("bind: a rule inside a wider one is dropped") {
  const temporary_directory root;
  root.directory("data/x/y");
  root.directory("data-1");
  root.file("data/file");
  const auto kept_of = [&](const std::vector<grant>& grants) {
    const no_descriptor_leak leak;
    const auto got = nono::bind(set_of(grants), {});
    REQUIRE(got.has_value());
    for (const auto& r : got->rules) CHECK((r.fd < 0) == r.subsumed);
    return kept(*got, root);
  };
  const std::string data = root / "data";
  CHECK(kept_of({{data, nono::read}, {data + "/x", nono::read}}) == "/data ");
  CHECK(kept_of({{data + "/x", nono::read}, {data, nono::read}}) == "/data ");
  CHECK(kept_of({{data, nono::read}, {data + "/x/y", right::list}}) == "/data ");
  CHECK(kept_of({{data, nono::read}, {data, nono::read}}) == "/data ");
  CHECK(kept_of({{data, nono::read}, {data, nono::read_write}}) == "/data ");
  CHECK(kept_of({{data, nono::read_write}, {data, nono::read}}) == "/data ");
  CHECK(kept_of({{data, nono::read}, {data + "/x", nono::read_write}}) == "/data /data/x ");
  CHECK(kept_of({{data, nono::read}, {data, nono::write}}) == "/data /data ");
  // Not the union of several: each rule alone must be wide enough.
  CHECK(kept_of({{data, nono::read}, {data, nono::write}, {data + "/x", nono::read_write}}) ==
        "/data /data /data/x ");
  // The wide one is not the nearest.
  CHECK(kept_of({{data, nono::read_write},
                 {data + "/x", nono::read_write | right::ioctl},
                 {data + "/x/y", nono::write}}) == "/data /data/x ");
  CHECK(kept_of({{data, nono::read_write}, {data + "/x", right::ioctl}, {data + "/x/y", nono::write}}) ==
        "/data /data/x ");
  // A name that begins like another is no name below it, wherever it sorts.
  CHECK(kept_of({{data, nono::read}, {root / "data-1", nono::read}, {data + "/x", nono::read}}) ==
        "/data /data-1 ");
  CHECK(kept_of({{root / "data-1", nono::read}, {data + "/x", nono::read}}) == "/data/x /data-1 ");
  // A file below a directory, with what a file can have.
  CHECK(kept_of({{data, nono::read}, {data + "/file", nono::read}}) == "/data ");
  CHECK(kept_of({{data, right::read_file | right::execute}, {data + "/file", nono::read}}) == "/data ");
  CHECK(kept_of({{data, nono::read}, {data + "/file", nono::write}}) == "/data /data/file ");
  CHECK(kept_of({{root.path(), nono::read}, {data, nono::read}, {root / "data-1", nono::read}}) == " ");
}

TEST_CASE("bind: a device below a written directory keeps its rule for the ioctls") {
  const auto got = nono::bind(
      set_of({{"/dev", nono::read_write}, {"/dev/null", nono::read_write}, {"/dev/zero", nono::read}}), {});
  REQUIRE(got.has_value());
  CHECK_FALSE(rule_at(*got, "/dev/null")->subsumed);
  CHECK(rule_at(*got, "/dev/zero")->subsumed);
}

TEST_CASE("bind: subsumption goes by canonical names") {
  const temporary_directory root;
  root.directory("data/x");
  root.link("link", "data");
  root.link("data/out", "../elsewhere");
  root.directory("elsewhere");
  const auto got = nono::bind(
      set_of({{root / "data", nono::read}, {root / "link/x", nono::read}, {root / "data/out", nono::read}}),
      {});
  REQUIRE(got.has_value());
  CHECK(kept(*got, root) == "/data /elsewhere ");
}

TEST_CASE("bind: denies contradict grants that are equal, below or above, by both spellings") {
  const temporary_directory root;
  root.directory("data/secret/key");
  root.directory("data-1");
  root.file("data/file");
  root.link("link", "data");
  root.link("data/to_secret", "secret");
  const auto at = [&](const char* below) { return std::vector<grant>{{root / below, nono::read}}; };
  for (const char* secret : {"data/secret", "link/secret", "data/to_secret", "link/to_secret"}) {
    INFO(std::string(secret));
    for (const char* granted : {"data", "link", "data/secret", "link/secret", "data/to_secret",
                                "data/secret/key", "link/secret/key", "link/to_secret/key"}) {
      INFO(std::string(granted));
      CHECK(contradicts(at(granted), root / secret));
    }
    CHECK(contradicts({{root.path(), nono::read}}, root / secret));
    CHECK(contradicts({{"/", right::list}}, root / secret));
    CHECK_FALSE(contradicts(at("data-1"), root / secret));
    CHECK_FALSE(contradicts(at("data/file"), root / secret));
  }
  CHECK(contradicts(at("link/file"), root / "data/file"));
  CHECK(contradicts(at("data/file"), root / "link/file"));
  CHECK_FALSE(contradicts(at("data-1"), root / "data"));
  CHECK_FALSE(contradicts(at("data"), root / "data-1"));
  CHECK(contradicts(at("data"), "/"));
  // Nothing lies below a file.
  CHECK_FALSE(contradicts(at("data/file"), root / "data/file/x"));
}

TEST_CASE("bind: a deny of what does not exist yet holds, below links too") {
  const temporary_directory root;
  root.directory("data/sub");
  root.directory("other");
  root.link("link", "data");
  const auto at = [&](const char* below) { return std::vector<grant>{{root / below, nono::read}}; };
  for (const char* missing :
       {"data/none", "link/none", "link/none/deeper", "link/sub/none", "link//./none/"}) {
    INFO(std::string(missing));
    CHECK(contradicts(at("data"), root / missing));
    CHECK(contradicts(at("link"), root / missing));
    CHECK_FALSE(contradicts(at("other"), root / missing));
  }
  CHECK_FALSE(contradicts(at("data/sub"), root / "link/none"));
  CHECK_FALSE(contradicts(at("other"), "/none/such/path"));
  CHECK(contradicts({{"/", nono::read}}, "/none/such/path"));
  // Several below one directory: what is known of the first serves the others.
  CHECK(code_of(set_of(at("other"), {root / "link/a", root / "link/b", root / "data/a", root / "data/b",
                                     root / "data"})) == errc::none);
  CHECK(code_of(set_of(at("data"), {root / "other/a", root / "other/b", root / "link/b"})) ==
        errc::deny_contradicts_grant);
}

TEST_CASE("bind: a deny of a dangling link closes what the link will lead to") {
  const temporary_directory root;
  root.directory("data");
  root.link("secret", "data/later");
  CHECK(contradicts({{root / "data", nono::read_write}}, root / "secret"));
}

TEST_CASE("bind: the message of a contradiction names both rules") {
  const temporary_directory root;
  root.directory("data/secret");
  const auto got = nono::bind(set_of({{root / "data", nono::read}}, {root / "data/secret"}), {});
  REQUIRE_FALSE(got.has_value());
  const std::string message = got.error().message();
  INFO(message);
  CHECK(message.find("allow_path<read>('" + (root / "data") + "')") != std::string::npos);
  CHECK(message.find("deny_path('" + (root / "data/secret") + "'") != std::string::npos);
}

TEST_CASE("bind: a grant that gives way is left out where it meets a deny, and takes nothing with it") {
  const temporary_directory root;
  root.directory("data/secret");
  root.directory("data/x");
  root.directory("other/y");
  root.directory("z");
  const no_descriptor_leak leak;
  capability_set set =
      set_of({{root / "data/x", nono::read}, {root / "other/y", nono::read}}, {root / "data/secret"});
  for (const char* name : {"data", "other", "z", "data/secret"}) {
    const std::string path = root / name;
    nono::rule r{path, nono::read, nono::path_kind::any, nono::must_exist, nono::origin::user, {}};
    r.gives_way = true;
    REQUIRE(set.add(r).has_value());
  }
  const auto got = nono::bind(set, {});
  REQUIRE(got.has_value());
  CHECK(kept(*got, root) == "/data/x /other /z ");
  REQUIRE(got->skipped.size() == 2);
  for (const auto& skipped : got->skipped) {
    REQUIRE(skipped.denied != nullptr);
    CHECK(skipped.denied->path == root / "data/secret");
  }
  CHECK(to_text(*got).find("gave way '" + (root / "data") + "'\n") != std::string::npos);
  // The one beside it that does not give way is an error as before.
  REQUIRE(set.allow_path<nono::read>(root / "data").has_value());
  CHECK(code_of(set) == errc::deny_contradicts_grant);
}

TEST_CASE("bind: the rest of the policy is carried over") {
  capability_set set;
  set.network(nono::only(nono::connect_tcp(443)))
      .unix_sockets(nono::unix_sockets::none)
      .best_effort(nono::protection::network)
      .lift(nono::protection::ipc)
      .strict();
  auto got = nono::bind(set, {});
  REQUIRE(got.has_value());
  const bound_policy moved = std::move(*got);
  CHECK(moved.network.mode == nono::network_mode::ports);
  CHECK(moved.network.ports[0] == nono::connect_tcp(443));
  CHECK(moved.sockets == nono::unix_sockets::none);
  CHECK(moved.best_effort.has(nono::protection::network));
  CHECK(moved.lifted.has(nono::protection::ipc));
  CHECK(moved.strict);
  CHECK(moved.hosts.empty());
}

TEST_CASE("bind: hosts are carried over, and outlive the policy") {
  auto got = [] {
    capability_set set;
    const std::string_view names[] = {"b.example", "*.example"};
    REQUIRE(set.network(names).has_value());
    return nono::bind(set, {});
  }();
  REQUIRE(got.has_value());
  const bound_policy moved = std::move(*got);
  CHECK(got->hosts.empty());
  CHECK(moved.network.mode == nono::network_mode::hosts);
  CHECK(to_text(moved) == "network(hosts{\"*.example\", \"b.example\"})\n");
}

TEST_CASE("bind: no descriptor is left behind, whatever goes wrong") {
  const temporary_directory root;
  root.directory("a");
  root.directory("b");
  root.file("file");
  const std::vector<grant> good = {
      {root / "a", nono::read}, {root / "b", nono::read}, {"/dev/null", nono::write}};
  const auto with = [&](const grant& last, nono::path_kind kind) {
    capability_set set = set_of(good, {"/none"});
    REQUIRE(set.add({last.path, last.rights, kind, nono::must_exist, nono::origin::user, {}}).has_value());
    return code_of(set);
  };
  using enum nono::path_kind;
  CHECK(code_of(set_of(good)) == errc::none);
  CHECK(with({root / "none", nono::read}, any) == errc::path_not_found);
  CHECK(with({root / "file", nono::read}, directory) == errc::not_a_directory);
  CHECK(with({root / "b", nono::read}, file) == errc::not_a_file);
  CHECK(with({root / "file", right::list}, any) == errc::directory_right_on_file);
  CHECK(with({"/proc/self/exe", nono::read}, any) == errc::path_not_accessible);
  CHECK(code_of(set_of(good, {root / "b/x"})) == errc::deny_contradicts_grant);
  capability_set unbound = set_of(good);
  REQUIRE(unbound.variable("$X").has_value());
  REQUIRE(unbound.allow_path<nono::read>("$X").has_value());
  CHECK(code_of(unbound) == errc::variable_unbound);
  const nono::binding bad[] = {nono::bind("$X", "x")};
  CHECK(code_of(unbound, bad) == errc::variable_bad_value);
  const nono::binding unknown[] = {nono::bind("$Y", "/")};
  CHECK(code_of(unbound, unknown) == errc::variable_unknown);
}

TEST_CASE("bind: a grant that gives way is left out where it cannot be reached, any other is an error") {
  const temporary_directory root;
  const std::string loop = root / "loop";
  REQUIRE(symlink(loop.c_str(), loop.c_str()) == 0);
  const no_descriptor_leak leak;
  for (const bool gives_way : {true, false}) {
    capability_set set;
    nono::rule r{loop, nono::read, nono::path_kind::any, nono::if_exists, nono::origin::system, {}};
    r.gives_way = gives_way;
    REQUIRE(set.add(r).has_value());
    const auto got = nono::bind(set, {});
    REQUIRE(got.has_value() == gives_way);
    if (gives_way) {
      CHECK(got->rules.empty());
      REQUIRE(got->skipped.size() == 1);
      CHECK(got->skipped[0].denied == nullptr);
    } else {
      CHECK(got.error().code == errc::path_not_accessible);
    }
  }
}

TEST_CASE("bind: 2000 rules, held or let go, give the same rules") {
  const temporary_directory root;
  std::vector<grant> grants;
  for (int i = 0; i < 2000; ++i) {
    const std::string name = "d" + std::to_string(i / 50) + (i % 50 == 0 ? "" : "/s" + std::to_string(i));
    grants.push_back({root.directory(name), i % 3 == 0 ? nono::read_write : nono::read});
  }
  const capability_set set = set_of(grants);
  std::string held;
  rlimit limit{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  {
    const no_descriptor_leak leak;
    const auto got = nono::bind(set, {});
    REQUIRE(got.has_value());
    CHECK(got->rules.size() == 2000);
    held = to_text(*got);
    if (limit.rlim_cur / 2 >= 2000)
      for (const auto& r : got->rules) CHECK((r.fd < 0) == r.subsumed);
  }
  {
    const no_descriptor_leak leak;
    const descriptor_limit tight(100);
    const auto got = nono::bind(set, {});
    REQUIRE(got.has_value());
    for (const auto& r : got->rules) CHECK(r.fd == -1);
    CHECK(to_text(*got) == held);
  }
}

TEST_CASE("bind: when descriptors run out, those that are held are let go") {
  const temporary_directory root;
  std::vector<grant> grants;
  for (int i = 0; i < 40; ++i) grants.push_back({root.directory("d" + std::to_string(i)), nono::read});
  const capability_set set = set_of(grants, {"/none"});
  const no_descriptor_leak leak;
  {
    const descriptor_limit tight(10);
    const auto got = nono::bind(set, {});
    REQUIRE(got.has_value());
    CHECK(got->rules.size() == 40);
    for (const auto& r : got->rules) CHECK(r.fd == -1);
  }
  errc code = errc::none;
  {
    const descriptor_limit none(0);
    const auto got = nono::bind(set, {});
    if (!got) code = got.error().code;
  }
  CHECK(code == errc::too_many_open_files);
}

TEST_CASE("bind: a room that is lent, of any size") {
  const temporary_directory root;
  const std::string a = root.directory("a");
  const std::string b = root.directory("b");
  const capability_set set = set_of({{a, nono::read}, {b, nono::read}}, {"/none"});
  const std::string expected = to_text(*nono::bind(set, {}));
  for (const std::size_t size : {0U, 1U, 100U, 500U, 4096U, 65536U}) {
    std::vector<std::byte> room(size);
    const auto got = nono::bind(set, {}, room);
    REQUIRE(got.has_value());
    CHECK(to_text(*got) == expected);
  }
}

namespace {

/// A directory whose whole name is longer than a path can be, and two links that lead to it: the kernel opens it,
/// and cannot tell where it lies.
class nameless_directory {
 public:
  explicit nameless_directory(const temporary_directory& root) : root_(root) {
    const int start = open(".", O_PATH | O_CLOEXEC);
    REQUIRE(start >= 0);
    bool made = chdir(root.path().c_str()) == 0;
    for (int round = 0; round < 2 && made; ++round) {
      half_.clear();
      for (int i = 0; i < 10 && made; ++i) {
        made = mkdir(part_.c_str(), 0755) == 0 && chdir(part_.c_str()) == 0;
        half_ += (i == 0 ? "" : "/") + part_;
      }
      if (round == 0) made = made && symlink(half_.c_str(), "next") == 0;
    }
    for (const char* link : {"one", "two"})
      made = made && symlink((half_ + "/next").c_str(), (root / link).c_str()) == 0;
    const bool back = fchdir(start) == 0;
    close(start);
    REQUIRE(made);
    REQUIRE(back);
  }
  nameless_directory(const nameless_directory&) = delete;
  nameless_directory& operator=(const nameless_directory&) = delete;
  ~nameless_directory() {  // two short trees, so that the root can be removed by name
    CHECK(rename((root_ / half_ + "/" + part_).c_str(), (root_ / "second").c_str()) == 0);
  }

 private:
  const temporary_directory& root_;
  std::string part_ = std::string(250, 'n');
  std::string half_;
};

}  // namespace

TEST_CASE("bind: a grant whose canonical name is unknown takes no other grant with it") {
  const temporary_directory root;
  const std::string other = root.directory("other");
  const nameless_directory nameless(root);
  const auto got = nono::bind(set_of({{root / "one", nono::read_write}, {other, nono::read}}), {});
  if (!got) return;  // refusing such a grant is as good
  CHECK(rule_at(*got, "") != nullptr);
  REQUIRE(rule_at(*got, other) != nullptr);
  CHECK_FALSE(rule_at(*got, other)->subsumed);
}

TEST_CASE("bind: a deny whose canonical name is unknown is not passed over") {
  const temporary_directory root;
  const nameless_directory nameless(root);
  CHECK(code_of(set_of({{root / "one", nono::read}}, {root / "two"})) != errc::none);
  CHECK(code_of(set_of({{root / std::string(250, 'n'), nono::read}}, {root / "two"})) != errc::none);
}

namespace {

/// One file of a random tree, with what leads to it.
struct node {
  std::string path;  // canonical
  bool directory;
  std::size_t parent;
};

}  // namespace

TEST_CASE("bind: what the kept rules give is what all rules give, for random trees and rules") {
  std::mt19937_64 random(11);
  const auto pick = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  const std::vector<std::string> names = {"a", "a-1", "a0", "a b", "b", "\x01", "\xff", "a."};
  std::size_t checked = 0;
  std::size_t covered = 0;
  int bad = 0;
  for (int tree = 0; tree < 60; ++tree) {
    const temporary_directory root;
    std::vector<node> nodes = {{root.path(), true, 0}};
    std::vector<std::string> spellings = {root.path()};  // ways to write the nodes, links included
    std::set<std::string> taken;
    for (std::size_t i = 0, n = 3 + pick(20); i < n; ++i) {
      const std::size_t parent = pick(nodes.size());
      if (!nodes[parent].directory) continue;
      const std::string path = nodes[parent].path + "/" + names[pick(names.size())];
      if (!taken.insert(path).second) continue;
      const std::size_t what = pick(4);
      if (what == 0) {
        const std::size_t to = pick(nodes.size());
        REQUIRE(symlink(nodes[to].path.c_str(), path.c_str()) == 0);
        spellings.push_back(path);
        if (nodes[to].directory && pick(2) == 0) spellings.push_back(path + "/.");
      } else {
        if (what == 1)
          REQUIRE(close(open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) == 0);
        else
          REQUIRE(mkdir(path.c_str(), 0700) == 0);
        nodes.push_back({path, what != 1, parent});
        spellings.push_back(path);
      }
    }
    using id = std::pair<dev_t, ino_t>;
    const auto id_of = [](const std::string& path) {
      struct stat info{};
      REQUIRE(stat(path.c_str(), &info) == 0);
      return id{info.st_dev, info.st_ino};
    };
    for (int round = 0; round < 5; ++round) {
      std::map<id, right> given;  // all rules, by inode
      std::vector<grant> grants;
      for (std::size_t i = 0, n = 1 + pick(12); i < n; ++i) {
        const std::string& path = spellings[pick(spellings.size())];
        right rights =
            static_cast<right>(random() & static_cast<std::uint64_t>(nono::all_rights)) | right::read_file;
        if (pick(2) == 0) rights = pick(2) == 0 ? nono::read : nono::read_write;
        struct stat info{};
        REQUIRE(stat(path.c_str(), &info) == 0);
        grants.push_back({path, rights});
        given[id{info.st_dev, info.st_ino}] |=
            S_ISDIR(info.st_mode) ? rights : rights & ~nono::directory_rights;
      }
      const auto got = nono::bind(set_of(grants), {});
      REQUIRE(got.has_value());
      std::map<id, right> left;  // the kept ones
      for (const auto& r : got->rules) {
        if (!r.subsumed) left[id{r.id.device, r.id.number}] |= r.rights;
        covered += r.subsumed ? 1 : 0;
      }
      for (std::size_t i = 0; i < nodes.size(); ++i) {
        right all = nono::no_rights;
        right now = nono::no_rights;
        for (std::size_t at = i;; at = nodes[at].parent) {
          const auto key = id_of(nodes[at].path);
          if (given.count(key) != 0) all |= given[key];
          if (left.count(key) != 0) now |= left[key];
          if (at == 0) break;
        }
        // On a file directory rights mean nothing, wherever they were granted.
        if (!nodes[i].directory) {
          all &= ~nono::directory_rights;
          now &= ~nono::directory_rights;
        }
        bad += all == now ? 0 : 1;
        ++checked;
      }
    }
  }
  CHECK(bad == 0);
  CHECK(checked > 1000);
  CHECK(covered > 100);
}
