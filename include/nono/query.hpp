// SPDX-License-Identifier: Apache-2.0
// The evaluator: a bound policy, what of it is in force, and a question give a decision, as the kernel would decide. It
// answers queries, `why`, dry runs and diagnostics alike; tests/differential holds it against the kernel.
#pragma once

#include <array>
#include <string_view>

#include <nono/bound_policy.hpp>
#include <nono/judge.hpp>
#include <nono/place.hpp>
#include <nono/question.hpp>
#include <nono/report.hpp>

namespace nono {

/// Answers questions about one bound policy. Both arguments must live as long as this.
/// in_force: the report of apply(), spawn() or make_plan().
/// who:      whose ordinary permissions count: `none` for a child of spawn().
class query {
 public:
  query(const bound_policy& policy, const enforcement& in_force, privileges who)
      : by_(policy, in_force, who), who_(who) {}

  /// Asks. Costs a look at each path (see look()), and then the same however many grants there are.
  /// found: gets what was found of each path; its places stay empty for an operation without one.
  decision ask(const question& q, std::array<place, 2>& found) const {
    const operation_row& row = row_of(q.what);
    if (row.paths == 0) return detail::decide_without_file(by_, q);
    look_request how{.follow = row.follow,
                     .file_access = row.file_access,
                     .changes_directory = row.changes_directory,
                     .who = who_,
                     .changes_file = q.what == operation::chmod || q.what == operation::overwrite};
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
    return detail::judge(by_, q, from, to).run();
  }

  [[nodiscard]] const bound_policy& policy() const noexcept { return *by_.policy; }
  [[nodiscard]] const enforcement& in_force() const noexcept { return *by_.in_force; }

 private:
  detail::judged by_;
  privileges who_;
};

}  // namespace nono
