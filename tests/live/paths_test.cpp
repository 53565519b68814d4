// SPDX-License-Identifier: Apache-2.0
// From names to inodes on a real file system: what is missing, of the wrong kind, or replaced, and what happens
// when descriptors run out.
#include <thread>

#include "harness.hpp"

#include <linux/fuse.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

using live::outcome;
using live::scratch;
using live::try_open;
using nono::errc;
using nono::right;

namespace {

errc bind_error(const nono::capability_set& policy) {
  const auto bound = nono::bind(policy, {});
  return bound ? errc::none : bound.error().code;
}

nono::capability_set path(const std::string& name, nono::when_missing missing = nono::must_exist) {
  nono::capability_set out;
  live::must(out.allow_path<nono::read>(name, missing).has_value(), name);
  return out;
}
nono::capability_set file(const std::string& name, nono::when_missing missing = nono::must_exist) {
  nono::capability_set out;
  live::must(out.allow_file<nono::read>(name, missing).has_value(), name);
  return out;
}

std::size_t open_descriptors() {
  std::size_t n = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++n;
  return n;
}

void limit_descriptors(rlim_t most) {
  const rlimit limit{most, most};
  live::must(::setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
}

}  // namespace

TEST_CASE("paths: missing ones and ones of the wrong kind") {
  const scratch home;
  const std::string here = home.file("file");
  const std::string missing = home / "missing";
  CHECK(bind_error(path(home.path())) == errc::none);
  CHECK(bind_error(path(here)) == errc::not_a_directory);
  CHECK(bind_error(file(home.path())) == errc::not_a_file);
  CHECK(bind_error(path(missing)) == errc::path_not_found);
  CHECK(bind_error(file(missing)) == errc::path_not_found);
  CHECK(bind_error(path(here + "/below")) == errc::path_not_found);
  std::filesystem::create_symlink(missing, home / "dangling");
  CHECK(bind_error(path(home / "dangling")) == errc::path_not_found);
  std::filesystem::create_symlink("loop", home / "loop");
  CHECK(bind_error(path(home / "loop")) == errc::path_not_accessible);
  CHECK(bind_error(file("/proc/self/exe")) == errc::path_not_accessible);  // a magic link

  const auto bound = nono::bind(path(missing), {});
  REQUIRE_FALSE(bound.has_value());
  CHECK(bound.error().os_errno == ENOENT);
  CHECK(bound.error().path == missing);
  CHECK(bound.error().message().find(missing) != std::string::npos);
}

TEST_CASE("paths: a failed apply() leaves the process as it was") {
  const scratch home;
  const std::string outside = home.file("outside");
  CHECK(live::in_child([&] {
          if (nono::apply(path(home / "missing")).has_value()) return live::odd;
          return try_open(outside, O_RDWR);
        }) == 0);
}

TEST_CASE("paths: what cannot be reached is an error, also for grants that may be missing") {
  if (live::is_root()) return;  // root reaches everything
  const scratch home;
  const std::string closed = home.directory("closed/below");
  std::filesystem::permissions(home / "closed", std::filesystem::perms::none);
  CHECK(bind_error(path(closed)) == errc::path_not_accessible);
  CHECK(bind_error(path(closed, nono::if_exists)) == errc::path_not_accessible);
  std::filesystem::permissions(home / "closed", std::filesystem::perms::owner_all);
  CHECK(bind_error(path(closed)) == errc::none);
}

TEST_CASE("paths: if_exists leaves out and counts, create_dir makes") {
  const scratch home;
  const std::string inside = home.file("inside");
  auto policy = live::allow({{inside, right::read}});
  REQUIRE(policy.allow_path<nono::read>(home / "missing", nono::if_exists).has_value());
  REQUIRE(policy.allow_path<nono::read_write>(home / "made/deep", nono::create_dir).has_value());
  CHECK(live::confined(policy, [&](const nono::enforcement& report) {
          if (report.skipped != 1 || report.rules != 2) return live::odd;
          return try_open(home / "made/deep/f", O_WRONLY | O_CREAT);
        }) == 0);
  struct stat st{};
  REQUIRE(::stat((home / "made/deep").c_str(), &st) == 0);
  CHECK(S_ISDIR(st.st_mode));
  CHECK((st.st_mode & 0777) == 0700);
  // All skipped is no licence: nothing is open then.
  CHECK(live::attempt(path(home / "missing", nono::if_exists), [&] { return try_open(inside); }) ==
        outcome{0, EACCES});
  CHECK(bind_error(path(inside + "/below", nono::create_dir)) == errc::path_not_accessible);
}

TEST_CASE("paths: a path that is replaced while it is held is path_changed, and nothing is restricted") {
  const scratch home;
  const std::string dir = home.directory("dir");
  const std::string secret = home.directory("secret");
  scratch::write(dir + "/f", "granted");
  scratch::write(secret + "/f", "secret");
  auto bound = nono::bind(path(dir), {});
  REQUIRE(bound.has_value());
  REQUIRE(bound->rules[0].fd >= 0);
  std::filesystem::rename(dir, home / "moved");
  std::filesystem::rename(secret, dir);  // the same name, another directory
  const std::string kept = home / "moved/f";
  CHECK(live::in_child([&] {
          const auto got = nono::apply(std::move(*bound));
          if (got || got.error().code != nono::errc::path_changed) return live::odd;
          return try_open(dir + "/f") == 0 ? try_open(kept) : live::odd;
        }) == 0);
}

namespace {

// 80 directories, and a limit under which none of them is held.
struct many {
  scratch home;
  std::vector<std::string> dirs;
  nono::capability_set policy;
  explicit many(int count) {
    for (int i = 0; i < count; ++i) {
      dirs.push_back(home.directory("d" + std::to_string(i)));
      scratch::write(dirs.back() + "/f", "text");
      live::must(policy.allow_path<nono::read>(dirs.back()).has_value(), "allow_path");
    }
  }
};

}  // namespace

TEST_CASE("paths: a path that is replaced while it is not held is path_changed") {
  const auto after = [](auto change, bool spawns) {
    const many m(80);
    return live::in_child([&] {
      limit_descriptors(100);
      auto policy = live::with_system();
      for (const auto& dir : m.dirs) live::must(policy.allow_path<nono::read>(dir).has_value(), "allow_path");
      auto bound = nono::bind(policy, {});
      if (!bound) return live::odd;
      for (const auto& rule : bound->rules)
        if (rule.fd != -1) return live::odd;
      change(m);
      const std::string_view argv[] = {"/bin/true"};
      if (spawns) {
        auto child = nono::spawn(std::move(*bound), argv);
        if (!child)
          return child.error().code == errc::path_changed && child.error().path == m.dirs[40] ? 1 : live::odd;
        const auto status = child->wait();
        return status && status->ok() ? 0 : live::odd;
      }
      const auto report = nono::apply(std::move(*bound));
      if (!report)
        return report.error().code == errc::path_changed && try_open(m.dirs[0]) == 0 ? 1 : live::odd;
      return try_open(m.dirs[40] + "/f");
    });
  };
  const auto swap = [](const many& m) {
    std::filesystem::rename(m.dirs[40], m.home / "moved");
    std::filesystem::create_directory(m.dirs[40]);
  };
  const auto remove = [](const many& m) { std::filesystem::remove_all(m.dirs[40]); };
  const auto link_elsewhere = [](const many& m) {
    std::filesystem::rename(m.dirs[40], m.home / "moved");
    std::filesystem::create_directory_symlink("/", m.dirs[40]);
  };
  const auto link_back = [](const many& m) {  // the same directory by another road
    std::filesystem::rename(m.dirs[40], m.home / "moved");
    std::filesystem::create_directory_symlink(m.home / "moved", m.dirs[40]);
  };
  const auto leave = [](const many&) {};
  for (const bool spawns : {false, true}) {
    CAPTURE(spawns);
    CHECK(after(leave, spawns) == 0);
    CHECK(after(swap, spawns) == 1);
    CHECK(after(remove, spawns) == 1);
    CHECK(after(link_elsewhere, spawns) == 1);
    CHECK(after(link_back, spawns) == 0);
  }
}

TEST_CASE("paths: 300 grants under a low limit of descriptors are all in force") {
  const many m(300);
  const std::string outside = m.home.file("outside");
  for (const rlim_t most : {32U, 64U, 320U, 1024U}) {
    CAPTURE(most);
    CHECK(live::in_child([&] {
            limit_descriptors(most);
            const auto report = nono::apply(m.policy);
            if (!report) return live::not_confined;
            if (report->rules != 300 || try_open(outside) != EACCES) return live::odd;
            for (const auto& dir : m.dirs)
              if (try_open(dir + "/f") != 0) return live::odd;
            return 0;
          }) == 0);
  }
}

TEST_CASE("paths: few grants, and fewer descriptors") {
  const many m(40);
  CHECK(live::in_child([&] {
          limit_descriptors(20);  // begins by holding them, and lets go
          if (!nono::apply(m.policy)) return live::not_confined;
          return try_open(m.dirs[39] + "/f");
        }) == 0);
  CHECK(live::in_child([&] {
          limit_descriptors(3);
          const auto bound = nono::bind(m.policy, {});
          if (bound) return live::odd;
          return bound.error().code == errc::too_many_open_files && bound.error().os_errno == EMFILE
                     ? 0
                     : live::odd;
        }) == 0);
}

TEST_CASE("paths: no descriptor is left, whatever happened") {
  const scratch home;
  const many m(80);
  const std::size_t before = open_descriptors();
  {
    CHECK(nono::bind(m.policy, {}).has_value());
  }
  CHECK(bind_error(path(home / "missing")) == errc::path_not_found);
  CHECK(bind_error(file(home.path())) == errc::not_a_file);
  auto late = live::allow({{home.path(), right::read}, {m.dirs[0], right::read}});
  REQUIRE(late.allow_path<nono::read>("/zzz/missing").has_value());
  CHECK(bind_error(late) == errc::path_not_found);
  REQUIRE(late.deny_path(home / "x").has_value());
  CHECK(bind_error(late) == errc::path_not_found);
  CHECK(open_descriptors() == before);
}

namespace {

/// A file system of one empty directory, served by a thread; in a mount namespace of this process's own.
class fuse_directory {
 public:
  explicit fuse_directory(const std::string& at) : fd_(::open("/dev/fuse", O_RDWR | O_CLOEXEC)) {
    if (fd_ < 0 || ::unshare(CLONE_NEWNS) != 0) return;
    live::must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "mount private");
    const std::string options = "fd=" + std::to_string(fd_) + ",rootmode=40000,user_id=0,group_id=0";
    mounted_ = ::mount("nono-test", at.c_str(), "fuse", 0, options.c_str()) == 0;
    if (mounted_)
      std::thread([this] {
        while (serve()) {
        }
      }).detach();
  }
  [[nodiscard]] bool mounted() const { return mounted_; }

 private:
  bool serve() const {
    alignas(fuse_in_header) char request[FUSE_MIN_READ_BUFFER];
    if (::read(fd_, request, sizeof request) <= 0) return errno == EINTR;
    fuse_in_header in;
    std::memcpy(&in, request, sizeof in);
    fuse_init_out init{};
    init.major = FUSE_KERNEL_VERSION;
    init.minor = FUSE_KERNEL_MINOR_VERSION;
    init.max_write = 4096;
    fuse_attr_out attr{};
    attr.attr.ino = 1;
    attr.attr.mode = S_IFDIR | 0755;
    attr.attr.nlink = 2;
    const fuse_statfs_out statfs{};
    switch (in.opcode) {
      case FUSE_INIT:
        return answer(in, 0, init);
      case FUSE_GETATTR:
        return answer(in, 0, attr);
      case FUSE_STATFS:
        return answer(in, 0, statfs);
      case FUSE_FORGET:
        return true;
      default:
        return answer(in, -ENOSYS, attr);
    }
  }
  template <class Body>
  bool answer(const fuse_in_header& in, int error, const Body& body) const {
    char reply[sizeof(fuse_out_header) + sizeof(Body)];
    const fuse_out_header out{static_cast<std::uint32_t>(error == 0 ? sizeof reply : sizeof(fuse_out_header)),
                              error, in.unique};
    std::memcpy(reply, &out, sizeof out);
    std::memcpy(reply + sizeof out, &body, sizeof body);
    return ::write(fd_, reply, out.len) >= 0;
  }
  int fd_;
  bool mounted_ = false;
};

}  // namespace

TEST_CASE("paths: a grant on FUSE is named in the report") {
  if (!live::is_root()) return;
  const scratch home;
  const std::string dir = home.directory("fuse");
  constexpr int no_fuse = 77;
  const int got = live::in_child([&] {
    const fuse_directory fuse(dir);
    if (!fuse.mounted()) return no_fuse;
    auto bound = nono::bind(live::allow({{dir, nono::read}, {"/usr", nono::read}}), {});
    if (!bound) return 1;
    int on_fuse = 0;
    for (const nono::bound_rule& r : bound->rules) on_fuse += r.on == nono::file_system::fuse ? 1 : 0;
    const auto plan = nono::make_plan(*bound, nono::support(), nono::sandbox_target::child);
    if (!plan) return 2;
    if (to_text(plan->report).find("rules on 9p: 0, on FUSE: 1;") == std::string::npos) return 3;
    return on_fuse == 1 ? 0 : 4;
  });
  if (got == no_fuse) return live::skip("no FUSE here, or no mounts");
  CHECK(got == 0);
}
