// SPDX-License-Identifier: Apache-2.0
// What a run was refused, as one JSON report: records joined, and a diagnostic with its remedy for each.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <nono/c/ffi_text.hpp>

namespace nono::c {

using ordered = nlohmann::ordered_json;

inline std::string written(const ordered& value, int indent) {
  return value.dump(indent, ' ', false, ordered::error_handler_t::replace);
}

/// A text; nothing where it is malformed, or nested so deeply that what walks through it would need a stack as deep.
inline std::optional<ordered> parsed(const char* text) {
  constexpr int deepest = 128;
  bool too_deep = false;
  ordered out = ordered::parse(
      text,
      [&](int depth, ordered::parse_event_t, ordered&) {
        too_deep = too_deep || depth > deepest;
        return !too_deep;
      },
      false);
  if (too_deep || out.is_discarded()) return std::nullopt;
  return out;
}

class session_report {
 public:
  /// The report, compact; nothing, with a message, where a text is malformed.
  static std::optional<std::string> make(std::int32_t exit_code, const char* denials, const char* ipc,
                                         const char* violations) {
    session_report r;
    if (!r.read("denial", denials, r.denials_in_) || !r.read("IPC denial", ipc, r.ipc_) ||
        !r.read("violation", violations, r.violations_))
      return std::nullopt;
    for (const ordered& d : r.denials_in_)
      if (!r.take_denial(d)) return malformed("denial", "a record lacks path, access or reason");
    for (const ordered& i : r.ipc_)
      if (!has_text(i, "target") || !has_text(i, "operation") || !has_text(i, "reason"))
        return malformed("IPC denial", "a record lacks target, operation or reason");
    ordered rest = ordered::array();
    for (const ordered& v : r.violations_) {
      if (!has_text(v, "operation")) return malformed("violation", "a record lacks its operation");
      if (!r.take_violation(v)) rest.push_back(v);
    }
    return written(r.report(exit_code, rest), -1);
  }

  static std::optional<std::string> merge(const char* session, const char* proxy) {
    if (session == nullptr) return (void)bad_argument("session_json is null"), std::nullopt;
    ordered out;
    auto report = parsed(session);
    if (!report) return malformed("session", "it cannot be parsed", "");
    out["session"] = std::move(*report);
    if (proxy != nullptr && *proxy != '\0') {
      auto diagnostics = parsed(proxy);
      if (!diagnostics) return malformed("proxy diagnostics", "it cannot be parsed", "");
      out["proxy"] = std::move(*diagnostics);
    }
    return written(out, 2);
  }

 private:
  struct denial {
    bool reads = false, writes = false;
    std::string reason;
  };

  static std::nullopt_t malformed(std::string_view label, std::string_view why,
                                  std::string_view what = " array") {
    (void)bad_argument(
        std::string("invalid ").append(label).append(" JSON").append(what).append(": ").append(why));
    return std::nullopt;
  }
  static bool has_text(const ordered& record, const char* key) {
    return record.is_object() && record.contains(key) && record.at(key).is_string();
  }
  static std::string text(const ordered& record, const char* key) {
    return has_text(record, key) ? record.at(key).get_ref<const std::string&>() : std::string();
  }

  bool read(std::string_view label, const char* given, ordered& to) {
    to = ordered::array();
    if (given == nullptr || *given == '\0') return true;
    auto all = parsed(given);
    if (!all) return (void)malformed(label, "it cannot be parsed"), false;
    to = std::move(*all);
    if (!to.is_array()) return (void)malformed(label, "it is no array"), false;
    return true;
  }

  static int rank(std::string_view reason) {
    return reason == "PolicyBlocked" || reason == "UnixSocketDenied" ? 5
           : reason == "InsufficientAccess"                          ? 4
           : reason == "UserDenied"                                  ? 3
           : reason == "RateLimited"                                 ? 2
           : reason == "BackendError"                                ? 1
                                                                     : 0;
  }
  bool add(const std::string& path, bool reads, bool writes, const std::string& reason) {
    if (rank(reason) == 0) return false;
    denial& d = denials_[path];
    d.reads = d.reads || reads;
    d.writes = d.writes || writes;
    if (rank(reason) > rank(d.reason)) d.reason = reason;
    return true;
  }
  bool take_denial(const ordered& d) {
    if (!has_text(d, "path") || !has_text(d, "access") || !has_text(d, "reason")) return false;
    const std::string access = text(d, "access");
    if (access != "Read" && access != "Write" && access != "ReadWrite") return false;
    return add(text(d, "path"), access != "Write", access != "Read", text(d, "reason"));
  }
  /// Violations of files that name their target are denials.
  bool take_violation(const ordered& v) {
    const std::string operation = text(v, "operation");
    const bool reads = operation.starts_with("file-read");
    const bool writes = operation.starts_with("file-write");
    if ((!reads && !writes) || !has_text(v, "target")) return false;
    return add(text(v, "target"), reads, writes, "PolicyBlocked");
  }

  static ordered diagnostic(std::string_view code, std::string message) {
    return {{"code", code}, {"severity", "warning"}, {"message", "the sandbox denied " + std::move(message)}};
  }
  static std::string access_of(const denial& d) {
    return d.reads && d.writes ? "ReadWrite" : d.writes ? "Write" : "Read";
  }

  ordered report(std::int32_t exit_code, const ordered& rest) const {
    ordered out;
    out["exit_code"] = exit_code;
    out["denials"] = ordered::array();
    ordered diagnostics = ordered::array();
    for (const auto& [path, d] : denials_) {
      out["denials"].push_back({{"path", path}, {"access", access_of(d)}, {"reason", d.reason}});
      const bool socket = d.reason == "UnixSocketDenied";
      if (socket && !ipc_.empty()) continue;
      ordered one = diagnostic(socket ? "sandbox_denied_unix_socket" : "sandbox_denied_path",
                               access_of(d) + " of " + path + " (" + d.reason + ")");
      one["remediation"] =
          socket
              ? ordered{{"kind", "grant_unix_socket"}, {"path", path}, {"bind", d.writes}}
              : ordered{{"kind", "grant_path"}, {"path", path}, {"access", access_of(d)}, {"is_file", false}};
      one["path"] = path;
      one["access"] = access_of(d);
      one["detail"] = {{"kind", "denial"}, {"reason", d.reason}};
      diagnostics.push_back(std::move(one));
    }
    out["ipc_denials"] = ipc_;
    for (const ordered& i : ipc_) {
      ordered one =
          diagnostic("sandbox_denied_unix_socket",
                     text(i, "operation") + " of " + text(i, "target") + " (" + text(i, "reason") + ")");
      if (i.contains("remediation") && !i.at("remediation").is_null())
        one["remediation"] = i.at("remediation");
      one["detail"] = {
          {"kind", "ipc_denial"}, {"target", text(i, "target")}, {"operation", text(i, "operation")}};
      diagnostics.push_back(std::move(one));
    }
    out["violations"] = rest;
    for (const ordered& v : rest) {
      ordered one = diagnostic(
          "unsupported_platform_feature",
          text(v, "operation") + (has_text(v, "target") ? " of " + text(v, "target") : std::string()));
      one["detail"] = {{"kind", "violation"}, {"operation", text(v, "operation")}};
      diagnostics.push_back(std::move(one));
    }
    out["diagnostics"] = std::move(diagnostics);
    return out;
  }

  ordered denials_in_, ipc_, violations_;
  std::map<std::string, denial> denials_;  // by path, sorted
};

}  // namespace nono::c
