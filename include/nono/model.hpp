// SPDX-License-Identifier: Apache-2.0
// The door for questions: what this kernel would enforce of a policy, asked before anything is applied.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <nono/bind.hpp>
#include <nono/error.hpp>
#include <nono/explain.hpp>
#include <nono/linux/plan.hpp>
#include <nono/policy.hpp>
#include <nono/query.hpp>
#include <nono/report.hpp>
#include <nono/support.hpp>

namespace nono {

#if defined(__linux__)

/// A policy bound to the files that are there now, on the kernel that runs. It holds them, as apply() would.
class model {
 public:
  /// Asks: what would the call give, and which rule decides? See query::ask.
  [[nodiscard]] decision ask(const question& q) const { return parts_->asker.ask(q); }
  [[nodiscard]] decision ask(operation what, std::string_view path, std::string_view to = {}) const {
    return ask({what, path, to});
  }
  /// The answer as one sentence, with the grant that would change it.
  [[nodiscard]] std::string explain(const question& q) const { return to_text(ask(q), q, parts_->bound); }
  [[nodiscard]] std::string explain(operation what, std::string_view path, std::string_view to = {}) const {
    return explain({what, path, to});
  }

  [[nodiscard]] const bound_policy& policy() const noexcept { return parts_->bound; }
  /// What would be in force, and what this kernel cannot give.
  [[nodiscard]] const enforcement& report() const noexcept { return parts_->report; }

 private:
  struct parts {
    parts(bound_policy&& b, const enforcement& r, privileges who)
        : bound(std::move(b)), report(r), asker(bound, report, who) {}
    bound_policy bound;
    enforcement report;
    query asker;
  };
  model(bound_policy&& b, const enforcement& r, privileges who)
      : parts_(std::make_unique<parts>(std::move(b), r, who)) {}
  template <class... Bindings>
  friend result<model> model_of(const policy_ref&, sandbox_target, const Bindings&...);

  std::unique_ptr<parts> parts_;  // the query refers to its neighbours
};

/// Binds the policy and plans it for this kernel, for a child of spawn() or for this process.
/// bindings: any number of bind("$NAME", value).
/// Errors: those of bind() and make_plan(): what apply() or spawn() would refuse.
template <class... Bindings>
result<model> model_of(const policy_ref& policy, sandbox_target target, const Bindings&... bindings) {
  const std::array<binding, sizeof...(Bindings)> values{bindings...};
  result<bound_policy> bound = bind(policy, values);
  if (!bound) return std::move(bound).error();
  const result<plan> planned = make_plan(*bound, support(), target);
  if (!planned) return planned.error();
  const bool child = target != sandbox_target::this_process;
  return model(*std::move(bound), planned->report, child ? privileges::none : privileges::as_they_are);
}

#endif

}  // namespace nono
