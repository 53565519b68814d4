// SPDX-License-Identifier: Apache-2.0
// One question, decided as the kernel decides it: its checks, in its order, over what look() found. Pure.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include <nono/bound_policy.hpp>
#include <nono/place.hpp>
#include <nono/question.hpp>
#include <nono/report.hpp>
#include <nono/rule_index.hpp>

namespace nono::detail {

/// The rights that mean something on a file itself: the others only count where a directory is moved.
inline constexpr right file_rights = ~directory_rights;

/// The rights of which one is enough to change modes, owners, times and attributes. Writing to a device is no say over
/// its node, which the whole system shares.
constexpr right changes_metadata(file_type type) noexcept {
  return type == file_type::device ? right::create : right::write_file | right::create;
}

/// What questions are judged by: a policy, and what of it is in force.
struct judged {
  judged(const bound_policy& p, const enforcement& e, privileges who)
      : policy(&p), in_force(&e), me(identity_of(who)), index(p.rules) {
    const auto add = [&](protection id, right rights) {
      if (e.of(id) == standing::by_landlock) by_landlock |= rights;
      if (e.of(id) == standing::by_landlock || e.of(id) == standing::by_supervisor) handled |= rights;
      if (e.of(id) == standing::missing || e.of(id) == standing::not_enforceable) open |= rights;
    };
    add(protection::filesystem, right::read | (right::write & ~right::truncate));
    add(protection::truncate, right::truncate);
    add(protection::device_ioctl, right::ioctl);
    add(protection::pathname_unix, right::connect_unix);
    no_unix = p.sockets == unix_sockets::none && e.of(protection::pathname_unix) == standing::by_seccomp;
  }
  const bound_policy* policy;
  const enforcement* in_force;
  identity me;
  rule_index index;
  right handled{};      ///< rights that are enforced
  right by_landlock{};  ///< those of them that the kernel itself knows, and weighs where a file is moved
  right open{};         ///< rights that the policy asks for and this kernel does not enforce
  bool no_unix = false;
};

/// One question's checks, in the kernel's order: the first that fails gives errno. The cause is the first in the
/// order of attribution.
class judge {
 public:
  judge(const judged& q, const question& asked, const place& from, const place* to)
      : q_(q), asked_(asked), from_(from), to_(to) {
    out_.what = asked.what;
    out_.why = cause::granted;
  }

  decision run() {
    switch (asked_.what) {
      case operation::connect_unix:
        out_.concerns = protection::pathname_unix;
        if (q_.no_unix) fail(EACCES, cause::not_in_policy);
        if (!reached(from_) || !exists(from_)) break;
        if (from_.file_access != EROFS) check(from_.file_access);  // nothing is written on the mount
        if (from_.file.type != file_type::socket) fail(ECONNREFUSED, cause::unsuitable);
        grant(file_of(from_), right::connect_unix);
        break;
      case operation::stat:
        out_.concerns = protection::names;
        if (reached(from_) && exists(from_)) any_grant(right::read | right::write);
        break;
      case operation::chmod:
        out_.concerns = protection::metadata;
        if (!reached(from_) || !exists(from_)) break;
        any_grant(changes_metadata(from_.file.type));  // a supervisor is asked before the kernel is
        if (from_.file_read_only) check(EROFS);
        if (from_.file.owner != q_.me.user && !q_.me.owns_all) check(EPERM);
        break;
      case operation::truncate:
        truncate();
        break;
      case operation::mkdir:
      case operation::mkfifo:
      case operation::mksock:
      case operation::mkdev:
      case operation::symlink:
      case operation::bind_unix:
        make();
        break;
      case operation::unlink:
      case operation::rmdir:
        remove();
        break;
      case operation::rename:
      case operation::exchange:
        rename();
        break;
      case operation::link:
        link();
        break;
      default:
        open();
        break;
    }
    return finish();
  }

 private:
  void fail(int why, cause c) {
    if (out_.os_errno == 0) out_.os_errno = why;
    if (c < out_.why) out_.why = c;
  }
  /// Ordinary permissions: errno as the kernel gave it, nothing if it is 0.
  void check(int why) {
    if (why != 0) fail(why, cause::permissions);
  }
  /// The way to the last part of the path.
  bool reached(const place& p) {
    if (p.os_errno == 0) return true;
    fail(p.os_errno, p.os_errno == EACCES || p.os_errno == EPERM ? cause::permissions : cause::missing);
    return false;
  }
  bool exists(const place& p) {
    if (!p.exists) {
      fail(ENOENT, cause::missing);
      return false;
    }
    if (p.slash && p.file.type != file_type::directory) {
      fail(ENOTDIR, cause::unsuitable);
      return false;
    }
    return true;
  }
  [[nodiscard]] static bool is_directory(const place& p) {
    return p.exists && p.file.type == file_type::directory;
  }

  struct level {  // where a grant is looked for: at a file, or at the directory around it
    const place* at;
    bool file;
  };
  static level file_of(const place& p) { return {&p, true}; }
  static level directory_of(const place& p) { return {&p, false}; }

  /// Calls f(entry) from the file or directory up to the root, while it returns true.
  template <class F>
  void walk(const level& l, F&& f) const {
    const auto step = [&](const inode_id& id) {
      const rule_index::entry e = q_.index.find(id);
      return e.first == nullptr || f(e);
    };
    if (l.file && !step(l.at->file.id)) return;
    for (const inode_id& id : l.at->above)
      if (!step(id)) return;
  }
  [[nodiscard]] right granted(const level& l) const {
    right out = no_rights;
    walk(l, [&](const rule_index::entry& e) { return out |= e.rights, true; });
    return out;
  }

  /// Asks the grants for `wanted` there. EACCES if one is missing.
  void grant(const level& l, right wanted) {
    need& n = out_.needs[out_.need_count++];
    n.wanted = wanted;
    right left = wanted;
    std::size_t used = 0;
    walk(l, [&](const rule_index::entry& e) {
      if ((e.rights & left) != no_rights && used < n.by.size()) n.by[used++] = e.first;
      left &= ~e.rights;
      return left != no_rights;
    });
    n.missing = left & (q_.handled | q_.open);
    n.path = l.file ? l.at->path() : l.at->directory;
    n.type = l.file ? l.at->file.type : file_type::directory;
    if ((left & q_.handled) != no_rights) fail(EACCES, cause::not_granted);
    if ((left & q_.open) != no_rights) open_ = true;
    if ((wanted & (q_.handled | q_.open)) != no_rights) asked_of_policy_ = true;
  }
  /// What no kernel refuses, and at best a supervisor: allowed by the policy where a grant gives one of the rights.
  void any_grant(right any_of) {
    const standing s = q_.in_force->of(out_.concerns);
    if (s == standing::not_asked) return;
    asked_of_policy_ = true;
    if ((granted(file_of(from_)) & any_of) != no_rights) return;
    if (s != standing::by_supervisor) {
      open_ = true;
      return;
    }
    need& n = out_.needs[out_.need_count++];
    // Directories are changed by who may make entries in them, and devices by who may make them: no grant of the file
    // itself would do.
    const bool device = !contains(any_of, right::write_file);
    n.wanted = n.missing = is_directory(from_) || device ? right::create : right::write_file;
    n.path = device ? from_.directory : from_.path();
    n.type = device ? file_type::directory : from_.file.type;
    fail(EPERM, cause::not_granted);
  }

  void open() {
    const operation what = asked_.what;
    const bool makes = what == operation::create || what == operation::overwrite;
    if (!reached(from_)) return;
    if (makes && from_.slash) return fail(EISDIR, cause::unsuitable);
    if (!from_.exists && makes) return open_new();
    if (!exists(from_)) {  // what it would need besides, once it is there
      if (!from_.exists) grant(directory_of(from_), row_of(what).wanted);
      return;
    }
    const file_type type = from_.file.type;
    const bool directory = type == file_type::directory;
    right wanted = row_of(what).wanted;
    if (what == operation::execute) {
      if (type != file_type::regular) fail(EACCES, cause::unsuitable);
    } else if (what == operation::list) {
      if (!directory) return fail(ENOTDIR, cause::unsuitable);
    } else if (directory && contains(wanted, right::write_file)) {
      return fail(EISDIR, cause::unsuitable);
    } else if (directory) {
      wanted = right::list;
    }
    if (makes) somebody_elses();
    if (what == operation::overwrite && type == file_type::regular && from_.file_read_only) check(EROFS);
    check(from_.file_access);
    grant(file_of(from_), wanted);
    if (type == file_type::socket && what != operation::execute) fail(ENXIO, cause::unsuitable);
    if (what == operation::overwrite && type == file_type::regular) more(right::truncate);
    if (what == operation::ioctl) {
      if (type != file_type::device) return fail(ENOTTY, cause::unsuitable);
      out_.concerns = protection::device_ioctl;
      more(right::ioctl);
    }
  }
  /// O_CREAT of somebody else's file in a sticky directory. Source: fs/namei.c, may_create_in_sticky()
  void somebody_elses() {
    const unsigned around = from_.around.mode;
    const file_type type = from_.file.type;
    const int strict = type == file_type::regular ? q_.me.protected_regular
                       : type == file_type::fifo  ? q_.me.protected_fifos
                                                  : 1;
    if ((around & 01000U) == 0 || strict == 0) return;
    if (from_.file.owner == from_.around.owner || from_.file.owner == q_.me.user) return;
    if ((around & 0002U) != 0 || ((around & 0020U) != 0 && strict >= 2)) fail(EACCES, cause::permissions);
  }
  /// One more right at the same place, asked later.
  void more(right wanted) {
    const right before = out_.needs[0].wanted;
    out_.need_count = 0;
    out_.needs[0] = {};
    grant(file_of(from_), before | wanted);
  }

  void open_new() {
    removed(from_);
    read_only(from_);
    grant(directory_of(from_), right::create | right::write_file);
    check(from_.directory_access);
  }
  /// A directory that was removed takes no new entries, though a mount or a working directory still leads to it.
  void removed(const place& p) {
    if (p.around.links == 0) fail(ENOENT, cause::missing);
  }
  /// A read-only file system refuses before Landlock is asked.
  void read_only(const place& p) {
    if (p.read_only) check(EROFS);
  }
  /// The same for a new name, which is looked up first.
  void read_only_for_new(const place& p) {
    if (p.read_only) removed(p);
    read_only(p);
  }

  void truncate() {
    if (!reached(from_) || !exists(from_)) return;
    if (from_.file.type == file_type::directory) fail(EISDIR, cause::unsuitable);
    if (from_.file.type != file_type::regular) fail(EINVAL, cause::unsuitable);
    out_.concerns = protection::truncate;
    if (q_.in_force->of(protection::truncate) == standing::by_seccomp) {
      if (out_.os_errno != 0) out_.os_errno = EACCES;  // the filter comes before everything
      fail(EACCES, cause::not_in_policy);
    }
    check(from_.file_access);
    grant(file_of(from_), right::truncate);
  }

  void make() {
    const operation what = asked_.what;
    if (what == operation::bind_unix && q_.no_unix) {
      out_.concerns = protection::pathname_unix;
      fail(EACCES, cause::not_in_policy);
    }
    if (!reached(from_)) return;
    const int there = what == operation::bind_unix ? EADDRINUSE : EEXIST;
    if (from_.last != last_part::normal || from_.exists) return fail(there, cause::unsuitable);
    if (from_.slash && what != operation::mkdir) return fail(ENOENT, cause::unsuitable);
    read_only_for_new(from_);
    grant(directory_of(from_), right::create);
    removed(from_);
    check(from_.directory_access);
    if (what == operation::mkdev && !q_.me.makes_devices) fail(EPERM, cause::permissions);
  }

  /// In a sticky directory only the owner of the file or of the directory removes. Source: rename(2), EPERM
  void sticky(const place& p) {
    const bool is = (p.around.mode & 01000U) != 0;
    if (is && p.file.owner != q_.me.user && p.around.owner != q_.me.user && !q_.me.owns_all)
      fail(EPERM, cause::permissions);
  }
  [[nodiscard]] static bool is_mount(const place& p) { return p.exists && p.file.mount != p.around.mount; }

  void remove() {
    const bool directory = asked_.what == operation::rmdir;
    if (!reached(from_)) return;
    if (from_.last != last_part::normal) {
      const int why = !directory                         ? EISDIR
                      : from_.last == last_part::dot     ? EINVAL
                      : from_.last == last_part::dot_dot ? ENOTEMPTY
                                                         : EBUSY;
      return fail(why, cause::unsuitable);
    }
    read_only(from_);
    if (!from_.exists) return fail(ENOENT, cause::missing);
    if (from_.slash && !directory) return fail(is_directory(from_) ? EISDIR : ENOTDIR, cause::unsuitable);
    // What a mount hides cannot be seen from here; it stays where it is, for whatever reason.
    if (is_mount(from_)) return fail(EBUSY, cause::unsuitable);
    grant(directory_of(from_), right::remove);
    check(from_.directory_access);
    sticky(from_);
    if (directory && !is_directory(from_)) fail(ENOTDIR, cause::unsuitable);
    if (!directory && is_directory(from_)) fail(EISDIR, cause::unsuitable);
  }

  /// True when `p` lies in `directory`, within one mount.
  [[nodiscard]] static bool holds(const place& directory, const place& p) {
    const auto end = p.above.begin() + static_cast<std::ptrdiff_t>(p.in_mount);
    return !is_mount(directory) && std::find(p.above.begin(), end, directory.file.id) != end;
  }

  void rename() {
    const bool exchange = asked_.what == operation::exchange;
    if (!reached(from_) || !reached(*to_)) return;
    if (from_.around.mount != to_->around.mount) return fail(EXDEV, cause::unsuitable);
    if (from_.last != last_part::normal || to_->last != last_part::normal)
      return fail(EBUSY, cause::unsuitable);
    read_only(from_);
    if (!from_.exists || (exchange && !to_->exists)) return fail(ENOENT, cause::missing);
    if ((from_.slash && !is_directory(from_)) ||
        (to_->slash && (exchange ? !is_directory(*to_) : !is_directory(from_))))
      return fail(ENOTDIR, cause::unsuitable);
    const bool itself = from_.around.id == to_->around.id && from_.name == to_->name;
    if (!itself && (is_mount(from_) || is_mount(*to_))) return fail(EBUSY, cause::unsuitable);
    if (holds(from_, *to_)) return fail(EINVAL, cause::unsuitable);
    if (to_->exists && holds(*to_, from_)) return fail(exchange ? EINVAL : ENOTEMPTY, cause::unsuitable);
    move(right::remove | (exchange ? right::create : no_rights),
         right::create | (to_->exists ? right::remove : no_rights), exchange);
    if (to_->exists && from_.file.id == to_->file.id) return;  // two names of one file: nothing to do
    check(from_.directory_access);
    sticky(from_);
    if (!to_->exists) removed(*to_);
    check(to_->directory_access);
    if (to_->exists) {
      sticky(*to_);
      if (!exchange && is_directory(from_) && !is_directory(*to_)) fail(ENOTDIR, cause::unsuitable);
      if (!exchange && !is_directory(from_) && is_directory(*to_)) fail(EISDIR, cause::unsuitable);
    }
    if (from_.around.id != to_->around.id) {  // a directory that moves has its ".." changed
      if (is_directory(from_)) check(from_.file_access);
      if (exchange && is_directory(*to_)) check(to_->file_access);
    }
  }

  void link() {
    if (!reached(from_) || !exists(from_) || !reached(*to_)) return;
    if (to_->last != last_part::normal || to_->exists) return fail(EEXIST, cause::unsuitable);
    if (to_->slash) return fail(ENOENT, cause::unsuitable);
    read_only_for_new(*to_);
    if (from_.file.mount != to_->around.mount) return fail(EXDEV, cause::unsuitable);
    const bool own = from_.file.owner == q_.me.user || q_.me.owns_all;
    if (q_.me.protected_hardlinks != 0 && !own) {  // Source: proc_sys_fs(5)
      const unsigned mode = from_.file.mode;
      const bool safe = from_.file.type == file_type::regular && (mode & 04000U) == 0 &&
                        (mode & 02010U) != 02010U && from_.file_access == 0;
      if (!safe) fail(EPERM, cause::permissions);
    }
    move(no_rights, right::create, false);
    removed(*to_);
    check(to_->directory_access);
    if (is_directory(from_)) fail(EPERM, cause::unsuitable);
  }

  /// Landlock on a file that gets a name in another directory, or another one in the same.
  /// Source: security/landlock/fs.c, current_check_refer_path()
  void move(right from_needs, right to_needs, bool exchange) {
    if (from_.around.id == to_->around.id && from_.around.mount == to_->around.mount) {
      grant(directory_of(*to_), from_needs | to_needs);
      return;
    }
    // What is mounted has no directory around it in its file system: it stands for itself.
    const level left =
        asked_.what == operation::link && is_mount(from_) ? file_of(from_) : directory_of(from_);
    grant(left, from_needs | right::refer);
    grant(directory_of(*to_), to_needs | right::refer);
    const right refused = (out_.needs[0].missing | out_.needs[1].missing) & q_.handled;
    // The file must not gain rights by its new place: what a link may add is only what the old place has.
    const right source = granted(left);
    const right target = granted(directory_of(*to_));
    const auto gained = [&](const place& moved, right has, right gets) {
      const right counted = is_directory(moved) ? q_.by_landlock : q_.by_landlock & file_rights;
      return gets & counted & ~(has | q_.index.find(moved.file.id).rights);
    };
    const bool gains =
        (gained(from_, source, target) | (exchange ? gained(*to_, target, source) : no_rights)) != no_rights;
    const bool first_abi = q_.handled != no_rights && q_.in_force->landlock_abi < 2;
    if (out_.os_errno == EACCES && (refused & ~right::refer) == no_rights && out_.why == cause::not_granted)
      out_.os_errno = EXDEV;  // refer alone
    if (gains || first_abi) fail(EXDEV, cause::gains_access);
    // What would have to be granted: at the source, whatever the target has more, or would get besides.
    const auto level_out = [&](const place& moved, need& here, right has, right gets, const need& there) {
      const right more = gained(moved, has | here.missing, gets | there.missing);
      here.wanted |= more;
      here.missing |= more;
    };
    level_out(from_, out_.needs[0], source, target, out_.needs[1]);
    if (exchange) level_out(*to_, out_.needs[1], target, source, out_.needs[0]);
  }

  decision finish() {
    if (out_.os_errno != 0) {
      out_.status = verdict::denied;
    } else if (open_) {
      out_.status = verdict::not_enforceable;
      out_.why = cause::not_enforced;
    } else {
      out_.status = verdict::allowed;
      out_.why = asked_of_policy_ ? cause::granted : cause::not_restricted;
    }
    return std::move(out_);
  }

  const judged& q_;
  const question& asked_;
  const place& from_;
  const place* to_;
  decision out_;
  bool open_ = false;             // not granted, and not refused here
  bool asked_of_policy_ = false;  // the policy restricts it
};

/// Decides what concerns no file: ports, scopes, signals.
inline decision decide_without_file(const judged& w, const question& q) {
  decision out;
  out.what = q.what;
  const auto answer = [&](protection id, int refusal, bool granted_here, cause granted_by = cause::granted) {
    out.concerns = id;
    const standing s = w.in_force->of(id);
    if (s == standing::not_asked) {
      out.why = cause::not_restricted;
    } else if (granted_here) {
      out.why = granted_by;
    } else if (s == standing::missing || s == standing::not_enforceable) {
      out.status = verdict::not_enforceable;
      out.why = cause::not_enforced;
    } else {
      out.status = verdict::denied;
      out.why = cause::not_in_policy;
      out.os_errno = refusal;
    }
  };
  const network_rule& net = w.policy->network;
  const network_mode mode = network_of(*w.policy);
  const bool own = mode == network_mode::loopback;
  switch (q.what) {
    case operation::connect_tcp:
    case operation::bind_tcp:
      answer(protection::network, EACCES,
             own || (mode == network_mode::ports &&
                     (net.opens({q.what == operation::bind_tcp ? port_use::bind_tcp : port_use::connect_tcp,
                                 q.port}) ||
                      (q.what == operation::connect_tcp && w.policy->gate.port != 0 &&
                       q.port == w.policy->gate.port))),
             own ? cause::own_network : cause::granted);
      break;
    case operation::udp:
      answer(protection::network, EACCES, own, cause::own_network);
      break;
    case operation::connect_abstract:
      if (w.no_unix) {
        answer(protection::pathname_unix, EACCES, false);
      } else if (w.in_force->of(protection::network) == standing::by_namespace) {
        answer(protection::network, ECONNREFUSED, false);  // their names belong to the network namespace
      } else {
        answer(protection::abstract_unix, EPERM, false);
      }
      break;
    default:
      answer(protection::signals, EPERM, false);
      break;
  }
  return out;
}

}  // namespace nono::detail
