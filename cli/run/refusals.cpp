// SPDX-License-Identifier: Apache-2.0
// What of the child's attempts the sandbox refused.
#if defined(__linux__)
#include "cli/run/refusals.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>
#include <utility>

#include <nono/query.hpp>

namespace nono::cli {

namespace {

class refusal_collector {
 public:
  refusal_collector(const bound_policy& policy, const enforcement& in_force)
      : policy_(policy), in_force_(in_force), confined_(policy, in_force, privileges::none) {}

  void add(const attempt& a) {
    if (a.what != attempt::kind::file) {
      refusal other;
      other.what = a.what;
      other.subject = a.subject;
      other.id = a.id;
      out_.push_back(std::move(other));
      return;
    }
    for (const operation_row& row : operations)
      if ((a.asked & bit_of(row.what)) != 0) ask({row.what, a.subject, a.to});
  }
  std::vector<refusal> take() { return std::move(out_); }

 private:
  void ask(const question& q) {
    std::array<place, 2> found;
    const decision d = confined_.ask(q, found);
    if (d.status != verdict::denied) return;
    const bool ours = d.why == cause::not_granted || d.why == cause::gains_access;
    const bool by_capability = d.why == cause::permissions && passes_with_capabilities(q);
    if (!ours && !by_capability) return;
    refusal& r = row_for(found[0].path(), q.to.empty() ? std::string() : found[1].path());
    r.exists = found[0].exists;
    r.asked |= bit_of(q.what);
    r.by_capability = r.by_capability || by_capability;
    for (std::size_t i = 0; i < d.need_count; ++i) r.wanted |= d.needs[i].wanted;
    for (suggested_grant& g : missing_grants(d)) {
      const auto known = std::find_if(r.grants.begin(), r.grants.end(),
                                      [&](const suggested_grant& k) { return k.path == g.path; });
      if (known == r.grants.end()) {
        r.grants.push_back(std::move(g));
      } else {
        known->rights |= g.rights;
      }
    }
  }

  /// True when this process, with the capabilities that it has and the child has not, would not be refused.
  bool passes_with_capabilities(const question& q) {
    if (!with_capabilities_) with_capabilities_.emplace(policy_, in_force_, privileges::as_they_are);
    return with_capabilities_->ask(q).why != cause::permissions;
  }

  refusal& row_for(std::string subject, std::string to) {
    const auto [at, fresh] = rows_.try_emplace(subject + '\0' + to, out_.size());
    if (fresh) {
      refusal r;
      r.what = attempt::kind::file;
      r.subject = std::move(subject);
      r.to = std::move(to);
      out_.push_back(std::move(r));
    }
    return out_[at->second];
  }

  const bound_policy& policy_;
  const enforcement& in_force_;
  query confined_;
  std::optional<query> with_capabilities_;
  std::vector<refusal> out_;
  std::unordered_map<std::string, std::size_t> rows_;
};

}  // namespace

std::vector<refusal> refused_by_policy(const std::vector<attempt>& attempts, const bound_policy& policy,
                                       const enforcement& in_force) {
  refusal_collector all(policy, in_force);
  for (const attempt& a : attempts) all.add(a);
  return all.take();
}

}  // namespace nono::cli
#endif
