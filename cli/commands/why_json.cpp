// SPDX-License-Identifier: Apache-2.0
// The JSON form of an answer: with profile_file.cpp the one file that includes nlohmann/json.
#include <nlohmann/json.hpp>
#include <nono/tree.hpp>

#include "cli/commands/why.hpp"
#include "cli/resolve/spelling.hpp"

namespace nono::cli {

namespace {

using json = nlohmann::ordered_json;

/// Plain ASCII, so that no name can send anything to a terminal; what is not UTF-8 becomes U+FFFD.
std::string written(const json& value, int indent) {
  return value.dump(indent, ' ', true, json::error_handler_t::replace);
}

json profile_fields(const std::vector<suggested_grant>& grants) {
  json fields = json::object();
  for (const suggested_grant& g : grants) fields[std::string(profile_field_of(g))].push_back(g.path);
  return {{"filesystem", fields}};
}

}  // namespace

std::string in_profile(const std::vector<suggested_grant>& grants) {
  return written(profile_fields(grants), -1);
}

std::string to_json(const answer& a) {
  json out;
  out["status"] = a.is.status == verdict::not_enforceable ? "not_enforceable" : name_of(a.is.status);
  out["reason"] = a.reason;
  out["details"] = a.details;
  if (a.is.allowed() && a.granted_by != nullptr) {
    out["granted_path"] = a.granted_by->path;
    out["access"] = access_word(a.granted_by->rights);
    out["source"] = source_text(a.granted_by->from, a.granted_by->source);
  }
  if (!a.is.allowed() && a.why.deny != nullptr)
    out["policy_source"] = source_text(a.why.deny->from, a.why.deny->source);
  if (a.reason == "insufficient_access" && a.closest != nullptr)
    out["matching_capability"] = {{"path", a.closest->path},
                                  {"access", access_word(a.closest->rights)},
                                  {"source", source_text(a.closest->from, a.closest->source)}};
  if (!a.remedy.flags.empty()) out["suggested_flag"] = a.remedy.flags;
  if (!a.grants.empty()) {
    json dsl = json::array();
    for (const suggested_grant& g : a.grants) dsl.push_back(in_dsl(g));
    out["suggested"] = {{"dsl", dsl}, {"profile", profile_fields(a.grants)}};
  }
  out["operation"] = name_of(a.what);
  if (!a.host.empty()) out["host"] = a.host;
  if (!a.host.empty()) out["port"] = a.port;
  if (a.tried != trial::none) out["tried"] = a.tried == trial::allowed ? "allowed" : "denied";
  out["errno"] = nullptr;
  if (a.is.os_errno != 0) out["errno"] = {{"number", a.is.os_errno}, {"name", errno_name(a.is.os_errno)}};
  return written(out, 2) + '\n';
}

std::string to_json(const scope_answer& a) {
  return written({{"status", "scope"},
                  {"scope", a.scope},
                  {"state", a.state},
                  {"requested", a.requested},
                  {"enforced", a.enforced},
                  {"supported", a.supported},
                  {"kernel_abi", a.kernel_abi},
                  {"details", a.details}},
                 2) +
         '\n';
}

std::string not_sandboxed_json(std::string_view message) {
  return written({{"status", "not_sandboxed"}, {"message", message}}, 2) + '\n';
}

}  // namespace nono::cli
