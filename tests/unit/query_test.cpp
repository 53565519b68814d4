// SPDX-License-Identifier: Apache-2.0
// The pure half of the evaluator, over places made by hand. tests/differential holds the whole against the kernel.
#include <nono/explain.hpp>
#include <nono/query.hpp>

#include <cerrno>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <range/v3/view/cartesian_product.hpp>

using nono::cause;
using nono::decision;
using nono::file_type;
using nono::operation;
using nono::place;
using nono::protection;
using nono::right;
using nono::standing;
using nono::verdict;

namespace {

constexpr std::uint64_t root_inode = 2;

struct world {
  nono::bound_policy policy;
  nono::enforcement report;

  explicit world(std::initializer_list<std::pair<std::uint64_t, right>> grants,
                 standing files = standing::by_landlock) {
    policy.rules = policy.memory.array<nono::bound_rule>(grants.size());
    std::size_t i = 0;
    for (const auto& [inode, rights] : grants) {
      nono::bound_rule& r = policy.rules[i++];
      r.path = r.canonical = policy.memory.copy("/inode" + std::to_string(inode));
      r.rights = rights;
      r.id = {1, inode};
    }
    report.landlock_abi = 7;
    report.protections.fill(standing::by_landlock);
    set(protection::network, standing::not_asked);
    set(protection::metadata, standing::not_enforceable);
    set(protection::names, standing::not_enforceable);
    for (const protection id :
         {protection::filesystem, protection::truncate, protection::device_ioctl, protection::pathname_unix})
      set(id, files);
  }
  void set(protection id, standing s) { report.protections[static_cast<std::size_t>(id)] = s; }

  [[nodiscard]] decision ask(operation what, const place& from) const {
    return nono::query(policy, report, nono::privileges::as_they_are).decide({what, "/from"}, from, nullptr);
  }
  [[nodiscard]] decision ask(operation what, const place& from, const place& to) const {
    return nono::query(policy, report, nono::privileges::as_they_are)
        .decide({what, "/from", "/to"}, from, &to);
  }
  [[nodiscard]] decision ask(operation what, std::uint16_t port = 0) const {
    return nono::query(policy, report, nono::privileges::as_they_are).ask({what, {}, {}, port});
  }
};

/// A file `inode` (0: none there) in the directory `directory`, which lies in the root.
place at(std::uint64_t inode, file_type type, std::uint64_t directory = 10) {
  place p;
  p.exists = inode != 0;
  p.file = {{1, inode}, 1, type, 0644, 0, 1};
  p.directory = "/d" + std::to_string(directory);
  p.name = "f" + std::to_string(inode);
  p.around = {{1, directory}, 1, file_type::directory, 0755, 0, 2};
  p.above = {{1, directory}, {1, root_inode}};
  return p;
}
place nothing(std::uint64_t directory = 10) { return at(0, file_type::regular, directory); }

constexpr file_type types[] = {file_type::directory, file_type::regular, file_type::device, file_type::other,
                               file_type::fifo,      file_type::socket,  file_type::symlink};

constexpr bool ours(cause c) {
  return c == cause::not_granted || c == cause::gains_access || c == cause::not_in_policy;
}

/// Every operation on every type of file, with a second name that is free, in another directory.
constexpr bool both[] = {true, false};
template <class F>
void for_each_question(F&& f) {
  for (const auto& [row, type, there] : ranges::views::cartesian_product(nono::operations, types, both)) {
    if (row.paths == 0) continue;
    const place from = there ? at(100, type) : nothing();
    const place to = nothing(20);
    f(row, from, to);
  }
}
decision answer(const world& w, const nono::operation_row& row, const place& from, const place& to) {
  return row.paths == 2 ? w.ask(row.what, from, to) : w.ask(row.what, from);
}

}  // namespace

TEST_CASE("query: with every right on the root, the sandbox refuses nothing") {
  const world w({{root_inode, nono::all_rights}});
  for_each_question([&](const auto& row, const place& from, const place& to) {
    const decision d = answer(w, row, from, to);
    CAPTURE(row.name);
    CAPTURE(static_cast<int>(from.file.type));
    CHECK_FALSE(ours(d.why));
    CHECK((d.status == verdict::allowed) == (d.os_errno == 0));
    for (const nono::need& n : d.needs) CHECK(n.missing == nono::no_rights);
  });
}

TEST_CASE(
    "query: without grants, whatever is not refused anyway is refused by us, but for metadata and names") {
  const world w({});
  for_each_question([&](const auto& row, const place& from, const place& to) {
    const decision open = answer(world({{root_inode, nono::all_rights}}), row, from, to);
    const decision d = answer(w, row, from, to);
    CAPTURE(row.name);
    CAPTURE(static_cast<int>(from.file.type));
    if (row.what == operation::stat || row.what == operation::chmod) {
      CHECK(d.os_errno == open.os_errno);
      CHECK((d.status == verdict::not_enforceable) == (open.os_errno == 0));
      return;
    }
    CHECK(d.status == verdict::denied);
    if (open.os_errno == 0) {
      CHECK(ours(d.why));
      CHECK(d.os_errno == EACCES);
    } else {
      CHECK(d.why == open.why);  // attribution: without a sandbox it would fail as well
    }
  });
}

TEST_CASE("query: what this kernel cannot enforce is said so, never denied; what is lifted is allowed") {
  const world missing({}, standing::missing);
  const world lifted({}, standing::not_asked);
  for_each_question([&](const auto& row, const place& from, const place& to) {
    const decision open = answer(world({{root_inode, nono::all_rights}}), row, from, to);
    const decision m = answer(missing, row, from, to);
    const decision l = answer(lifted, row, from, to);
    CAPTURE(row.name);
    CAPTURE(static_cast<int>(from.file.type));
    CHECK(m.os_errno == open.os_errno);
    CHECK(l.os_errno == open.os_errno);
    if (open.os_errno != 0 || row.what == operation::stat || row.what == operation::chmod) return;
    CHECK(m.status == verdict::not_enforceable);
    CHECK(m.why == cause::not_enforced);
    CHECK(l.status == verdict::allowed);
    CHECK(l.why == cause::not_restricted);
  });
}

TEST_CASE("query: rights add up from the file to the root, and one inode is one file under every name") {
  const world w({{100, right::write_file}, {10, right::read_file}, {root_inode, right::execute}});
  const place f = at(100, file_type::regular);
  CHECK(w.ask(operation::open_read, f).allowed());
  CHECK(w.ask(operation::open_read_write, f).allowed());
  CHECK(w.ask(operation::execute, f).allowed());
  CHECK(w.ask(operation::truncate, f).needs[0].missing == right::truncate);
  CHECK(w.ask(operation::open_write, at(100, file_type::regular, 77)).allowed());  // a hard link elsewhere
  CHECK(w.ask(operation::open_read, at(100, file_type::regular, 77)).os_errno == EACCES);
  CHECK(w.ask(operation::open_read_write, f).needs[0].by[0]->canonical == "/inode100");  // nearest first
  CHECK(w.ask(operation::open_read_write, f).needs[0].by[1]->canonical == "/inode10");
}

TEST_CASE("query: moving between directories, row by row") {
  constexpr right move = right::create | right::remove | right::refer;
  const place f = at(100, file_type::regular, 10);
  const place free = nothing(20);
  const auto rename = [&](right source, right target, right own = nono::no_rights) {
    return world({{10, source}, {20, target}, {100, own}}).ask(operation::rename, f, free).os_errno;
  };
  CHECK(rename(move, move) == 0);
  CHECK(rename(move & ~right::refer, move) == EXDEV);
  CHECK(rename(move, move & ~right::refer) == EXDEV);
  CHECK(rename(move & ~right::remove, move) == EACCES);  // before EXDEV
  CHECK(rename(move & ~(right::remove | right::refer), move) == EACCES);
  CHECK(rename(move, move & ~right::create) == EACCES);
  CHECK(rename(move, move | right::read_file) == EXDEV);                // it would gain
  CHECK(rename(move | right::read_file, move) == 0);                    // it may lose
  CHECK(rename(move, move | right::read_file, right::read_file) == 0);  // it has that of its own
  CHECK(rename(move, move | right::list) == 0);                         // means nothing on a file
  const place directory = at(100, file_type::directory, 10);
  CHECK(world({{10, move}, {20, move | right::list}}).ask(operation::rename, directory, free).os_errno ==
        EXDEV);
  // Within one directory no refer is asked.
  CHECK(world({{10, right::create | right::remove}}).ask(operation::rename, f, nothing(10)).os_errno == 0);
  CHECK(world({{10, right::create}}).ask(operation::link, f, nothing(10)).os_errno == 0);
  // On ABI 1 no move between directories is possible.
  world first({{10, nono::all_rights}, {20, nono::all_rights}});
  first.report.landlock_abi = 1;
  CHECK(first.ask(operation::rename, f, free).os_errno == EXDEV);
  CHECK(first.ask(operation::rename, f, nothing(10)).os_errno == 0);
}

TEST_CASE("query: the first check that fails gives errno, attribution goes to the one before ours") {
  const world w({});
  place f = at(100, file_type::regular);
  f.file_access = EACCES;
  CHECK(w.ask(operation::open_read, f).why == cause::permissions);
  f.directory_access = EACCES;
  f.around.mode = 01777;
  f.around.owner = f.file.owner = 12345;
  const decision d = w.ask(operation::unlink, f);
  CHECK(d.os_errno == EACCES);  // Landlock is asked before the sticky bit is looked at
  CHECK(d.why == cause::permissions);
  place gone = nothing();
  gone.os_errno = ENOENT;
  CHECK(w.ask(operation::open_read, gone).why == cause::missing);
  gone.os_errno = EACCES;
  CHECK(w.ask(operation::open_read, gone).why == cause::permissions);
}

TEST_CASE(
    "query: under a supervisor metadata is changed by who may write, of directories and devices by who may "
    "make") {
  const auto ask = [](std::uint64_t inode, right rights, file_type type) {
    world w({{inode, rights}});
    w.set(protection::metadata, standing::by_supervisor);
    return w.ask(operation::chmod, at(100, type));
  };
  for (const file_type type : types) {
    CAPTURE(static_cast<int>(type));
    const bool device = type == file_type::device;
    CHECK(ask(10, right::create, type).allowed());
    CHECK(ask(100, right::write_file, type).os_errno == (device ? EPERM : 0));
    const decision d = ask(10, nono::all_rights & ~(right::create | right::write_file), type);
    CHECK(d.os_errno == EPERM);
    CHECK(d.why == cause::not_granted);
    // What is suggested can be granted: no file has a right to make entries.
    CHECK(d.needs[0].missing == (device || type == file_type::directory ? right::create : right::write_file));
    CHECK(d.needs[0].path == (device ? "/d10" : "/d10/f100"));
  }
}

TEST_CASE("query: a read-only mount refuses chmod before the owner is asked, and a supervisor before both") {
  place f = at(100, file_type::regular);
  f.file.owner = 4711;
  f.file_read_only = true;
  world w({{10, right::read}});
  const auto chmod = [&] {
    return nono::query(w.policy, w.report, nono::privileges::none)
        .decide({operation::chmod, "/from"}, f, nullptr)
        .os_errno;
  };
  CHECK(chmod() == EROFS);
  f.file_read_only = false;
  CHECK(chmod() == EPERM);
  f.file_read_only = true;
  w.set(protection::metadata, standing::by_supervisor);
  CHECK(chmod() == EPERM);
}

TEST_CASE("query: what only a supervisor decides is not weighed where a file is moved") {
  constexpr right move = right::create | right::remove | right::refer;
  world w({{10, move}, {20, move | right::connect_unix}});
  const auto rename = [&] {
    return w.ask(operation::rename, at(100, file_type::socket), nothing(20)).os_errno;
  };
  CHECK(rename() == EXDEV);
  w.set(protection::pathname_unix, standing::by_supervisor);
  CHECK(rename() == 0);
}

TEST_CASE("query: ports, sockets, scopes") {
  world w({});
  CHECK(w.ask(operation::connect_tcp, 443).why == cause::not_restricted);
  w.policy.network.mode = nono::network_mode::ports;
  w.policy.network.port_count = 2;
  w.policy.network.ports[0] = {nono::port_use::connect_tcp, 443};
  w.policy.network.ports[1] = {nono::port_use::bind_tcp, 8080};
  w.set(protection::network, standing::by_landlock_and_seccomp);
  CHECK(w.ask(operation::connect_tcp, 443).allowed());
  CHECK(w.ask(operation::connect_tcp, 8080).os_errno == EACCES);
  CHECK(w.ask(operation::bind_tcp, 8080).allowed());
  CHECK(w.ask(operation::bind_tcp, 443).os_errno == EACCES);
  CHECK(w.ask(operation::udp).os_errno == EACCES);
  w.set(protection::network, standing::missing);
  CHECK(w.ask(operation::connect_tcp, 80).status == verdict::not_enforceable);
  CHECK(w.ask(operation::connect_abstract).os_errno == EPERM);
  CHECK(w.ask(operation::signal).os_errno == EPERM);
  w.set(protection::signals, standing::missing);
  CHECK(w.ask(operation::signal).status == verdict::not_enforceable);
  w.set(protection::signals, standing::not_asked);
  CHECK(w.ask(operation::signal).why == cause::not_restricted);
  w.policy.sockets = nono::unix_sockets::none;
  w.set(protection::pathname_unix, standing::by_seccomp);
  CHECK(w.ask(operation::connect_abstract).os_errno == EACCES);
  CHECK(w.ask(operation::connect_unix, at(100, file_type::socket)).os_errno == EACCES);
  CHECK(w.ask(operation::connect_unix, at(100, file_type::socket)).why == cause::not_in_policy);
  w.policy.sockets = nono::unix_sockets::granted;
  w.set(protection::pathname_unix, standing::by_landlock);  // ABI 9
  CHECK(w.ask(operation::connect_unix, at(100, file_type::socket)).why == cause::not_granted);
}

TEST_CASE("query: below ABI 3 truncation by name is closed whatever is granted") {
  world w({{root_inode, nono::all_rights}});
  w.set(protection::truncate, standing::by_seccomp);
  CHECK(w.ask(operation::truncate, at(100, file_type::regular)).os_errno == EACCES);
  CHECK(w.ask(operation::overwrite, at(100, file_type::regular)).os_errno == 0);
}

TEST_CASE("explain: the sentence names the rule, or the smallest grant in three spellings") {
  world w({{10, right::read}});
  const place f = at(100, file_type::regular);
  const auto text = [&](operation what, const place& p) {
    return nono::to_text(w.ask(what, p), {what, "/asked"}, w.policy);
  };
  CHECK(text(operation::open_read, f) == "read '/asked': allowed by allow_path<read>('/inode10')");
  CHECK(text(operation::open_write, f) ==
        "write '/asked': denied, because no grant covers it; to change that, "
        ".allow_file<right::write_file>(\"/d10/f100\")");
  CHECK(text(operation::overwrite, nothing()) ==
        "overwrite '/asked': denied, because no grant covers it; to change that, "
        ".allow_path<right::write_file | right::create>(\"/d10\")");
  CHECK(text(operation::open_read, nothing()) ==
        "read '/asked': denied, with or without a sandbox: No such file or directory");
  const auto why = nono::explain(w.ask(operation::open_write, f), w.policy);
  REQUIRE(why.grants.size() == 1);
  CHECK(nono::flag_of(why.grants[0]) == "--write-file");
  CHECK(nono::profile_field_of(why.grants[0]) == "write_file");
  CHECK(nono::in_dsl({"/a\"\\\n\xff", right::read | right::write_file, nono::path_kind::directory}) ==
        ".allow_path<right::read | right::write_file>(\"/a\\\"\\\\\\012\\377\")");
}

TEST_CASE("explain: a connection has a verb, a flag and a field of its own") {
  const auto spelled = [](right rights, nono::path_kind kind) {
    const nono::suggested_grant g{"/s", rights, kind};
    return nono::in_dsl(g) + ' ' + std::string(nono::flag_of(g)) + ' ' +
           std::string(nono::profile_field_of(g));
  };
  using enum nono::path_kind;
  CHECK(spelled(right::connect_unix, file) == ".allow_unix_socket(\"/s\") --allow-unix-socket unix_socket");
  CHECK(spelled(right::connect_unix, directory) ==
        ".allow_unix_sockets_below(\"/s\") --allow-unix-socket-subtree unix_socket_subtree");
  CHECK(spelled(right::connect_unix | right::write_file, file) ==
        ".allow_file<right::write_file | right::connect_unix>(\"/s\") --allow-unix-socket-bind "
        "unix_socket_bind");
  CHECK(spelled(right::connect_unix | right::create, directory) ==
        ".allow_path<right::create | right::connect_unix>(\"/s\") --allow-unix-socket-subtree-bind "
        "unix_socket_subtree_bind");
  CHECK(spelled(right::connect_unix | right::read_file, file) ==
        ".allow_file<right::read_file | right::connect_unix>(\"/s\") --allow-unix-socket unix_socket");
}

TEST_CASE("explain: a deny over the path or below it takes the suggestion's place") {
  world w({});
  w.policy.denies = w.policy.memory.array<nono::bound_deny>(1);
  const place f = at(100, file_type::regular);
  const auto why = [&](operation what, const place& p) { return nono::explain(w.ask(what, p), w.policy); };
  w.policy.denies[0] = {"/d10", "/d10", nono::origin::group, "secrets"};
  CHECK(why(operation::open_read, f).deny_covers);
  CHECK(why(operation::open_read, f).grants.empty());
  w.policy.denies[0] = {"/link/x", "/d10/x", nono::origin::user, {}};
  CHECK(why(operation::open_read, f).deny == nullptr);
  CHECK(why(operation::mkdir, nothing()).deny != nullptr);
  CHECK_FALSE(why(operation::mkdir, nothing()).deny_covers);
}

TEST_CASE("explain: of two directories, one within the other, the inner gets only what the outer lacks") {
  const world w({});
  place inner = at(100, file_type::regular, 30);
  inner.directory = "/d20/in";
  inner.above = {{1, 30}, {1, 20}, {1, root_inode}};
  const auto why = nono::explain(w.ask(operation::rename, inner, nothing(20)), w.policy);
  REQUIRE(why.grants.size() == 2);
  CHECK(why.grants[0].rights == right::remove);
  CHECK(why.grants[1].rights == (right::create | right::refer));
}
