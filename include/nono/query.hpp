// SPDX-License-Identifier: Apache-2.0
// The evaluator: a bound policy, what of it is in force, and a question give a decision, as the kernel would decide. It
// answers queries, `why`, dry runs and diagnostics alike; tests/differential holds it against the kernel.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nono/bound_policy.hpp>
#include <nono/place.hpp>
#include <nono/question.hpp>
#include <nono/report.hpp>

namespace nono {

namespace detail {

/// The grants by inode: what the kernel keys on. Looking one up costs the same for ten grants and for thousands.
class rule_index {
 public:
  explicit rule_index(std::span<const bound_rule> rules) {
    std::size_t live = 0;
    for (const bound_rule& r : rules) live += r.subsumed ? 0 : 1;
    std::size_t size = 8;
    while (size < 2 * live) size *= 2;
    slots_.resize(size);
    for (const bound_rule& r : rules) {
      if (r.subsumed) continue;
      std::size_t at = hash(r.id) & (size - 1);
      while (slots_[at].first != nullptr && slots_[at].first->id != r.id) at = (at + 1) & (size - 1);
      if (slots_[at].first == nullptr) slots_[at].first = &r;
      slots_[at].rights |= r.rights;  // of one inode all rules count together
    }
  }

  struct entry {
    const bound_rule* first = nullptr;
    right rights{};
  };
  [[nodiscard]] entry find(const inode_id& id) const noexcept {
    std::size_t at = hash(id) & (slots_.size() - 1);
    while (slots_[at].first != nullptr) {
      if (slots_[at].first->id == id) return slots_[at];
      at = (at + 1) & (slots_.size() - 1);
    }
    return {};
  }

 private:
  static std::size_t hash(const inode_id& id) noexcept {
    std::uint64_t x = (id.number ^ id.device << 40U) * 0x9e3779b97f4a7c15ULL;
    x ^= x >> 32U;
    return static_cast<std::size_t>(x * 0xd6e8feb86659fd93ULL >> 16U);
  }
  std::vector<entry> slots_;
};

/// The rights that mean something on a file itself: the others only count where a directory is moved.
inline constexpr right file_rights = ~directory_rights;

}  // namespace detail

/// Answers questions about one bound policy. Both arguments must live as long as this.
/// in_force: the report of apply(), spawn() or make_plan().
/// who:      whose ordinary permissions count: `none` for a child of spawn().
class query {
 public:
  query(const bound_policy& policy, const enforcement& in_force, privileges who)
      : policy_(&policy), in_force_(&in_force), who_(who), me_(identity_of(who)), index_(policy.rules) {
    const auto add = [&](protection id, right rights) {
      if (in_force.of(id) == standing::by_landlock) handled_ |= rights;
      if (in_force.of(id) == standing::missing || in_force.of(id) == standing::not_enforceable)
        open_ |= rights;
    };
    add(protection::filesystem, right::read | (right::write & ~right::truncate));
    add(protection::truncate, right::truncate);
    add(protection::device_ioctl, right::ioctl);
    add(protection::pathname_unix, right::connect_unix);
    no_unix_ = policy.sockets == unix_sockets::none &&
               in_force.of(protection::pathname_unix) == standing::by_seccomp;
  }

  /// Asks. Costs a look at each path (see look()), and then the same however many grants there are.
  /// found: gets what was found of each path; its places stay empty for an operation without one.
  decision ask(const question& q, std::array<place, 2>& found) const {
    const operation_row& row = row_of(q.what);
    if (row.paths == 0) return decide_without_file(q);
    look_request how{row.follow, row.file_access, row.changes_directory, who_};
    if (q.what ==
        operation::link)  // the first name is looked up as any other: a slash behind a link follows it
      how.follow = q.path.ends_with('/') || q.path.ends_with("/.") || q.path.ends_with("/..");
    if ((q.what == operation::create || q.what == operation::overwrite) && q.path.ends_with('/'))
      how.follow = false;  // refused for its slash before a link is followed
    found[0] = look(q.path, how);
    if (row.paths == 1) return decide(q, found[0], nullptr);
    how.follow = false;
    found[1] = look(q.to, how);
    return decide(q, found[0], &found[1]);
  }
  [[nodiscard]] decision ask(const question& q) const {
    std::array<place, 2> found;
    return ask(q, found);
  }
  [[nodiscard]] decision ask(operation what, std::string_view path, std::string_view to = {}) const {
    return ask({what, path, to});
  }

  /// The pure half: decides from what look() found. to: the second name, null where there is none.
  [[nodiscard]] decision decide(const question& q, const place& from, const place* to) const {
    return judge(*this, q, from, to).run();
  }

  [[nodiscard]] const bound_policy& policy() const noexcept { return *policy_; }
  [[nodiscard]] const enforcement& in_force() const noexcept { return *in_force_; }

 private:
  /// One question's checks, in the kernel's order: the first that fails gives errno. The cause is the first in the
  /// order of attribution.
  class judge {
   public:
    judge(const query& q, const question& asked, const place& from, const place* to)
        : q_(q), asked_(asked), from_(from), to_(to) {
      out_.what = asked.what;
      out_.why = cause::granted;
    }

    decision run() {
      switch (asked_.what) {
        case operation::connect_unix:
          out_.concerns = protection::pathname_unix;
          if (q_.no_unix_) fail(EACCES, cause::not_in_policy);
          if (!reached(from_) || !exists(from_)) break;
          check(from_.file_access);
          if (from_.file.type != file_type::socket) fail(ECONNREFUSED, cause::unsuitable);
          grant(file_of(from_), right::connect_unix);
          break;
        case operation::stat:
          out_.concerns = protection::names;
          if (reached(from_) && exists(from_)) unenforced(right::read | right::write);
          break;
        case operation::chmod:
          out_.concerns = protection::metadata;
          if (!reached(from_) || !exists(from_)) break;
          if (from_.file.owner != q_.me_.user && !q_.me_.owns_all) fail(EPERM, cause::permissions);
          unenforced(right::write_file | right::create);
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
    using chain =
        std::pair<const inode_id*, std::span<const inode_id>>;  // the file (or null), then what is above

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
        const rule_index::entry e = q_.index_.find(id);
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
      n.missing = left & (q_.handled_ | q_.open_);
      n.path = l.file ? l.at->path() : l.at->directory;
      n.type = l.file ? l.at->file.type : file_type::directory;
      if ((left & q_.handled_) != no_rights) fail(EACCES, cause::not_granted);
      if ((left & q_.open_) != no_rights) open_ = true;
      if ((wanted & (q_.handled_ | q_.open_)) != no_rights) asked_of_policy_ = true;
    }
    /// What no kernel refuses: allowed by the policy where a grant gives one of the rights.
    void unenforced(right any_of) {
      if (q_.in_force_->of(out_.concerns) == standing::not_asked) return;
      asked_of_policy_ = true;
      if ((granted(file_of(from_)) & any_of) == no_rights) open_ = true;
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
      const int strict = type == file_type::regular ? q_.me_.protected_regular
                         : type == file_type::fifo  ? q_.me_.protected_fifos
                                                    : 1;
      if ((around & 01000U) == 0 || strict == 0) return;
      if (from_.file.owner == from_.around.owner || from_.file.owner == q_.me_.user) return;
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
      if (p.directory_access == EROFS) check(EROFS);
    }

    void truncate() {
      if (!reached(from_) || !exists(from_)) return;
      if (from_.file.type == file_type::directory) fail(EISDIR, cause::unsuitable);
      if (from_.file.type != file_type::regular) fail(EINVAL, cause::unsuitable);
      out_.concerns = protection::truncate;
      if (q_.in_force_->of(protection::truncate) == standing::by_seccomp) {
        if (out_.os_errno != 0) out_.os_errno = EACCES;  // the filter comes before everything
        fail(EACCES, cause::not_in_policy);
      }
      check(from_.file_access);
      grant(file_of(from_), right::truncate);
    }

    void make() {
      const operation what = asked_.what;
      if (what == operation::bind_unix && q_.no_unix_) {
        out_.concerns = protection::pathname_unix;
        fail(EACCES, cause::not_in_policy);
      }
      if (!reached(from_)) return;
      const int there = what == operation::bind_unix ? EADDRINUSE : EEXIST;
      if (from_.last != last_part::normal || from_.exists) return fail(there, cause::unsuitable);
      if (from_.slash && what != operation::mkdir) return fail(ENOENT, cause::unsuitable);
      read_only(from_);
      grant(directory_of(from_), right::create);
      removed(from_);
      check(from_.directory_access);
      if (what == operation::mkdev && !q_.me_.makes_devices) fail(EPERM, cause::permissions);
    }

    /// In a sticky directory only the owner of the file or of the directory removes. Source: rename(2), EPERM
    void sticky(const place& p) {
      const bool is = (p.around.mode & 01000U) != 0;
      if (is && p.file.owner != q_.me_.user && p.around.owner != q_.me_.user && !q_.me_.owns_all)
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
      read_only(*to_);
      if (from_.file.mount != to_->around.mount) return fail(EXDEV, cause::unsuitable);
      const bool own = from_.file.owner == q_.me_.user || q_.me_.owns_all;
      if (q_.me_.protected_hardlinks != 0 && !own) {  // Source: proc_sys_fs(5)
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
      const right refused = (out_.needs[0].missing | out_.needs[1].missing) & q_.handled_;
      // The file must not gain rights by its new place: what a link may add is only what the old place has.
      const right source = granted(left);
      const right target = granted(directory_of(*to_));
      const auto gained = [&](const place& moved, right has, right gets) {
        const right counted = is_directory(moved) ? q_.handled_ : q_.handled_ & file_rights;
        return gets & counted & ~(has | q_.index_.find(moved.file.id).rights);
      };
      const bool gains = (gained(from_, source, target) |
                          (exchange ? gained(*to_, target, source) : no_rights)) != no_rights;
      const bool first_abi = q_.handled_ != no_rights && q_.in_force_->landlock_abi < 2;
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

    const query& q_;
    const question& asked_;
    const place& from_;
    const place* to_;
    decision out_;
    bool open_ = false;             // not granted, and not refused here
    bool asked_of_policy_ = false;  // the policy restricts it
    using rule_index = detail::rule_index;
    static constexpr right file_rights = detail::file_rights;
  };

  [[nodiscard]] decision decide_without_file(const question& q) const {
    decision out;
    out.what = q.what;
    const auto answer = [&](protection id, int refusal, bool granted_here,
                            cause granted_by = cause::granted) {
      out.concerns = id;
      const standing s = in_force_->of(id);
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
    const network_rule& net = policy_->network;
    const auto port = [&](port_use use) {
      for (std::size_t i = 0; i < net.port_count; ++i)
        if (net.ports[i] == port_rule{use, q.port}) return true;
      return false;
    };
    const bool own = net.mode == network_mode::loopback;
    switch (q.what) {
      case operation::connect_tcp:
      case operation::bind_tcp:
        answer(protection::network, EACCES,
               own || (net.mode == network_mode::ports &&
                       port(q.what == operation::bind_tcp ? port_use::bind_tcp : port_use::connect_tcp)),
               own ? cause::own_network : cause::granted);
        break;
      case operation::udp:
        answer(protection::network, EACCES, own, cause::own_network);
        break;
      case operation::connect_abstract:
        if (no_unix_) {
          answer(protection::pathname_unix, EACCES, false);
        } else if (in_force_->of(protection::network) == standing::by_namespace) {
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

  const bound_policy* policy_;
  const enforcement* in_force_;
  privileges who_;
  identity me_;
  detail::rule_index index_;
  right handled_{};  // rights that are enforced
  right open_{};     // rights that the policy asks for and this kernel does not enforce
  bool no_unix_ = false;
};

}  // namespace nono
