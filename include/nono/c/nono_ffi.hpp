// SPDX-License-Identifier: Apache-2.0
// The C interface of nono.h, defined: include this in exactly one C++ file of a program. Needs nlohmann/json. Nothing here
// throws; where memory runs out the process ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include <nono/c/nono.h>
#include <nono/c/ffi_diagnostics.hpp>
#include <nono/c/ffi_query.hpp>
#include <nono/c/ffi_rule.hpp>
#include <nono/c/ffi_sandbox.hpp>
#include <nono/c/ffi_set.hpp>
#include <nono/c/ffi_state.hpp>
#include <nono/c/ffi_text.hpp>

struct NonoQueryContext {
  NonoCapabilitySet set;
};

namespace nono::c {

inline NonoErrorCode no_caps() { return bad_argument("caps pointer is NULL"); }
inline NonoErrorCode no_text(std::string_view what) {
  return bad_argument(std::string(what) + " is NULL or invalid UTF-8");
}
inline NonoErrorCode bad_index(std::uintptr_t index) {
  return bad_argument("index " + std::to_string(index) + " out of bounds");
}
/// The entry, or null.
inline const entry* entry_at(const NonoCapabilitySet* caps, std::uintptr_t index) noexcept {
  return caps != nullptr && index < caps->entries.size() ? &caps->entries[index] : nullptr;
}
/// What every grant begins with: the set, the mode, the path, in that order.
inline NonoErrorCode grant(NonoCapabilitySet* caps, const char* path, std::uint32_t mode,
                           NonoCapabilitySet::wanted type) {
  if (caps == nullptr) return no_caps();
  const auto rights = rights_of_mode(mode);
  if (!rights) return bad_argument("invalid access mode: " + std::to_string(mode));
  const auto name = text_of(path);
  return name ? caps->grant(*name, *rights, type) : no_text("path");
}
inline NonoErrorCode remember(NonoCapabilitySet* caps, const char* text, std::string_view what,
                              std::vector<std::string> NonoCapabilitySet::* where) {
  if (caps == nullptr) return no_caps();
  const auto name = text_of(text);
  if (!name) return no_text(what);
  (caps->*where).emplace_back(*name);
  return NONO_ERROR_CODE_OK;
}
inline NonoErrorCode name_protection(NonoCapabilitySet* caps, const char* given,
                                     errc (*check)(protection) noexcept,
                                     protection_set NonoCapabilitySet::* where) {
  if (caps == nullptr) return no_caps();
  const auto name = text_of(given);
  if (!name) return no_text("protection");
  const protection_row* const row = protection_named(*name);
  if (row == nullptr) {
    std::string known;
    for (const protection_row& p : protections) known.append(known.empty() ? "" : ", ").append(p.name);
    return bad_argument("unknown protection: " + std::string(*name) + "; there are " + known);
  }
  if (const errc why = check(row->id); why != errc::none)
    return bad_argument(nono::error{why, 0, {}, std::string(row->name), {}}.message());
  caps->*where |= row->id;
  return NONO_ERROR_CODE_OK;
}
/// Only a whole text is given away in a result, with its bad bytes replaced.
inline char* word_given_away(right rights) { return given_away(words_of_rights(rights)); }

}  // namespace nono::c

extern "C" {

// ---- library --------------------------------------------------------------------------------------------------

char* nono_last_error(void) NONO_NOEXCEPT {
  const auto& message = nono::c::failure_of_this_thread().message;
  return message ? nono::c::given_away(std::string_view(message->c_str())) : nullptr;
}
void nono_clear_error(void) NONO_NOEXCEPT { nono::c::failure_of_this_thread() = {}; }
enum NonoDiagnosticCode nono_last_diagnostic_code(void) NONO_NOEXCEPT {
  return nono::c::failure_of_this_thread().code.value_or(NONO_DIAGNOSTIC_CODE_OTHER);
}
char* nono_last_remediation_json(void) NONO_NOEXCEPT {
  const auto& text = nono::c::failure_of_this_thread().remediation;
  return text ? nono::c::given_away(*text) : nullptr;
}
void nono_string_free(char* s) NONO_NOEXCEPT { std::free(s); }
char* nono_version(void) NONO_NOEXCEPT { return nono::c::given_away(NONO_C_VERSION); }

// ---- capability sets ------------------------------------------------------------------------------------------

struct NonoCapabilitySet* nono_capability_set_new(void) NONO_NOEXCEPT { return new NonoCapabilitySet; }
void nono_capability_set_free(struct NonoCapabilitySet* caps) NONO_NOEXCEPT { delete caps; }

enum NonoErrorCode nono_capability_set_allow_path(struct NonoCapabilitySet* caps, const char* path,
                                                  uint32_t mode) NONO_NOEXCEPT {
  return nono::c::grant(caps, path, mode, NonoCapabilitySet::wanted::directory);
}
enum NonoErrorCode nono_capability_set_allow_file(struct NonoCapabilitySet* caps, const char* path,
                                                  uint32_t mode) NONO_NOEXCEPT {
  return nono::c::grant(caps, path, mode, NonoCapabilitySet::wanted::file);
}
enum NonoErrorCode nono_capability_set_allow_rights(struct NonoCapabilitySet* caps, const char* path,
                                                    const char* rights) NONO_NOEXCEPT {
  if (caps == nullptr) return nono::c::no_caps();
  const auto words = nono::c::text_of(rights);
  if (!words) return nono::c::no_text("rights");
  std::string_view unknown;
  const nono::right known = nono::rights_of_words(*words, unknown);
  if (unknown.data() != nullptr || known == nono::no_rights)
    return nono::c::bad_argument("invalid rights: " + std::string(*words));
  const auto name = nono::c::text_of(path);
  return name ? caps->grant(*name, known, NonoCapabilitySet::wanted::any) : nono::c::no_text("path");
}
enum NonoErrorCode nono_capability_set_deny_path(struct NonoCapabilitySet* caps,
                                                 const char* path) NONO_NOEXCEPT {
  if (caps == nullptr) return nono::c::no_caps();
  const auto name = nono::c::text_of(path);
  if (!name) return nono::c::no_text("path");
  std::string resolved = nono::c::where_it_leads(*name);
  if (resolved.empty())
    return nono::c::failed(NONO_ERROR_CODE_ERR_PATH_CANONICALIZATION,
                           "Failed to canonicalize path " + std::string(*name) + ": it leads nowhere");
  caps->denies.push_back({std::string(*name), std::move(resolved)});
  return NONO_ERROR_CODE_OK;
}
uintptr_t nono_capability_set_deny_count(const struct NonoCapabilitySet* caps) NONO_NOEXCEPT {
  return caps == nullptr ? 0 : caps->denies.size();
}
char* nono_capability_set_deny_path_at(const struct NonoCapabilitySet* caps, uintptr_t index) NONO_NOEXCEPT {
  if (caps == nullptr || index >= caps->denies.size()) return nullptr;
  return nono::c::given_away(nono::c::as_utf8(caps->denies[index].original));
}

enum NonoErrorCode nono_capability_set_set_network_blocked(struct NonoCapabilitySet* caps,
                                                           bool blocked) NONO_NOEXCEPT {
  return nono_capability_set_set_network_mode(
      caps, blocked ? NONO_NETWORK_MODE_BLOCKED : NONO_NETWORK_MODE_ALLOW_ALL);
}
enum NonoErrorCode nono_capability_set_set_network_mode(struct NonoCapabilitySet* caps,
                                                        uint32_t mode) NONO_NOEXCEPT {
  if (caps == nullptr) return nono::c::no_caps();
  if (mode > NONO_NETWORK_MODE_PROXY_ONLY)
    return nono::c::bad_argument("invalid network mode: " + std::to_string(mode));
  caps->set_network(mode);
  return NONO_ERROR_CODE_OK;
}
uint32_t nono_capability_set_network_mode(const struct NonoCapabilitySet* caps) NONO_NOEXCEPT {
  return caps == nullptr ? NONO_NETWORK_MODE_ALLOW_ALL : caps->network;
}
enum NonoErrorCode nono_capability_set_set_proxy_port(struct NonoCapabilitySet* caps,
                                                      uint16_t port) NONO_NOEXCEPT {
  if (caps == nullptr) return nono::c::no_caps();
  caps->set_network(NONO_NETWORK_MODE_PROXY_ONLY, port);
  return NONO_ERROR_CODE_OK;
}
uint16_t nono_capability_set_proxy_port(const struct NonoCapabilitySet* caps) NONO_NOEXCEPT {
  return caps == nullptr ? std::uint16_t{0} : caps->proxy_port;
}
enum NonoErrorCode nono_capability_set_allow_port(struct NonoCapabilitySet* caps, uint32_t use,
                                                  uint16_t port) NONO_NOEXCEPT {
  if (caps == nullptr) return nono::c::no_caps();
  if (use > NONO_PORT_USE_BIND_TCP) return nono::c::bad_argument("invalid port use: " + std::to_string(use));
  if (caps->network == NONO_NETWORK_MODE_ALLOW_ALL)
    return nono::c::bad_argument("a port is an exception to a closed network: block the network first");
  const auto what = use == NONO_PORT_USE_BIND_TCP ? nono::port_use::bind_tcp : nono::port_use::connect_tcp;
  if (nono::check_port(port, what) != nono::errc::none)
    return nono::c::bad_argument("invalid port: " + std::to_string(port));
  const nono::port_rule rule{what, port};
  for (const nono::port_rule& p : caps->ports)
    if (p.use == rule.use && p.port == rule.port) return NONO_ERROR_CODE_OK;
  if (caps->ports.size() + (caps->proxy_port != 0 ? 1 : 0) >= nono::max_ports)
    return nono::c::bad_argument("more than " + std::to_string(nono::max_ports) + " ports");
  if (rule.use == nono::port_use::connect_tcp && port == caps->proxy_port) return NONO_ERROR_CODE_OK;
  caps->ports.push_back(rule);
  return NONO_ERROR_CODE_OK;
}

enum NonoErrorCode nono_capability_set_allow_command(struct NonoCapabilitySet* caps,
                                                     const char* cmd) NONO_NOEXCEPT {
  return nono::c::remember(caps, cmd, "cmd", &NonoCapabilitySet::allowed_commands);
}
enum NonoErrorCode nono_capability_set_block_command(struct NonoCapabilitySet* caps,
                                                     const char* cmd) NONO_NOEXCEPT {
  return nono::c::remember(caps, cmd, "cmd", &NonoCapabilitySet::blocked_commands);
}
enum NonoErrorCode nono_capability_set_add_platform_rule(struct NonoCapabilitySet* caps,
                                                         const char* rule) NONO_NOEXCEPT {
  if (caps == nullptr) return nono::c::no_caps();
  const auto text = nono::c::text_of(rule);
  if (!text) return nono::c::no_text("rule");
  if (const std::string why = nono::c::platform_rule(*text).check(); !why.empty())
    return nono::c::failed_sandbox(why);
  caps->platform_rules.emplace_back(*text);
  return NONO_ERROR_CODE_OK;
}
enum NonoErrorCode nono_capability_set_best_effort(struct NonoCapabilitySet* caps,
                                                   const char* protection) NONO_NOEXCEPT {
  return nono::c::name_protection(caps, protection, nono::check_best_effort, &NonoCapabilitySet::best_effort);
}
enum NonoErrorCode nono_capability_set_lift(struct NonoCapabilitySet* caps,
                                            const char* protection) NONO_NOEXCEPT {
  return nono::c::name_protection(caps, protection, nono::check_lift, &NonoCapabilitySet::lifted);
}
enum NonoErrorCode nono_capability_set_set_strict(struct NonoCapabilitySet* caps, bool strict) NONO_NOEXCEPT {
  if (caps == nullptr) return nono::c::no_caps();
  caps->strict = strict;
  return NONO_ERROR_CODE_OK;
}
void nono_capability_set_deduplicate(struct NonoCapabilitySet* caps) NONO_NOEXCEPT {
  if (caps != nullptr) caps->deduplicate();
}
bool nono_capability_set_path_covered(const struct NonoCapabilitySet* caps, const char* path) NONO_NOEXCEPT {
  const auto name = nono::c::text_of(path);
  if (caps == nullptr || !name || !name->starts_with('/')) return false;
  const std::string plain = nono::c::folded(*name);
  for (const nono::c::entry& e : caps->entries)
    if (!e.is_file && nono::is_within(plain, e.resolved)) return true;
  return false;
}
bool nono_capability_set_is_network_blocked(const struct NonoCapabilitySet* caps) NONO_NOEXCEPT {
  return caps != nullptr && caps->network != NONO_NETWORK_MODE_ALLOW_ALL;
}
char* nono_capability_set_summary(const struct NonoCapabilitySet* caps) NONO_NOEXCEPT {
  return caps == nullptr ? nullptr : nono::c::given_away(nono::c::as_utf8(caps->summary()));
}

// ---- entries --------------------------------------------------------------------------------------------------

uintptr_t nono_capability_set_fs_count(const struct NonoCapabilitySet* caps) NONO_NOEXCEPT {
  return caps == nullptr ? 0 : caps->entries.size();
}
char* nono_capability_set_fs_original(const struct NonoCapabilitySet* caps, uintptr_t index) NONO_NOEXCEPT {
  const nono::c::entry* const e = nono::c::entry_at(caps, index);
  return e == nullptr ? nullptr : nono::c::given_away(nono::c::as_utf8(e->original));
}
char* nono_capability_set_fs_resolved(const struct NonoCapabilitySet* caps, uintptr_t index) NONO_NOEXCEPT {
  const nono::c::entry* const e = nono::c::entry_at(caps, index);
  return e == nullptr ? nullptr : nono::c::given_away(nono::c::as_utf8(e->resolved));
}
uint32_t nono_capability_set_fs_access(const struct NonoCapabilitySet* caps, uintptr_t index) NONO_NOEXCEPT {
  const nono::c::entry* const e = nono::c::entry_at(caps, index);
  if (e == nullptr) {
    (void)(caps == nullptr ? nono::c::no_caps() : nono::c::bad_index(index));
    return NONO_ACCESS_MODE_INVALID;
  }
  const std::uint32_t mode = nono::c::mode_of_rights(e->rights);
  if (mode == NONO_ACCESS_MODE_INVALID)
    (void)nono::c::bad_argument("the rights of entry " + std::to_string(index) +
                                " are no mode: nono_capability_set_fs_rights() has them");
  return mode;
}
char* nono_capability_set_fs_rights(const struct NonoCapabilitySet* caps, uintptr_t index) NONO_NOEXCEPT {
  const nono::c::entry* const e = nono::c::entry_at(caps, index);
  if (e == nullptr) return nullptr;
  std::string words;
  nono::append_rights(words, e->rights);
  return nono::c::given_away(words);
}
bool nono_capability_set_fs_is_file(const struct NonoCapabilitySet* caps, uintptr_t index) NONO_NOEXCEPT {
  const nono::c::entry* const e = nono::c::entry_at(caps, index);
  return e != nullptr && e->is_file;
}
enum NonoCapabilitySourceTag nono_capability_set_fs_source_tag(const struct NonoCapabilitySet* caps,
                                                               uintptr_t index) NONO_NOEXCEPT {
  const nono::c::entry* const e = nono::c::entry_at(caps, index);
  if (e != nullptr) return e->source;
  (void)(caps == nullptr ? nono::c::no_caps() : nono::c::bad_index(index));
  return NONO_CAPABILITY_SOURCE_TAG_USER;
}
char* nono_capability_set_fs_source_group_name(const struct NonoCapabilitySet* caps,
                                               uintptr_t index) NONO_NOEXCEPT {
  const nono::c::entry* const e = nono::c::entry_at(caps, index);
  return e == nullptr || e->source != NONO_CAPABILITY_SOURCE_TAG_GROUP ? nullptr
                                                                       : nono::c::given_away(e->group);
}
struct NonoFsCapability* nono_capability_set_fs_list(const struct NonoCapabilitySet* caps,
                                                     uintptr_t* count) NONO_NOEXCEPT {
  if (count != nullptr) *count = caps == nullptr ? 0 : caps->entries.size();
  if (caps == nullptr || count == nullptr || caps->entries.empty()) return nullptr;
  const std::size_t head = caps->entries.size() * sizeof(NonoFsCapability);
  std::string texts;  // all of them, each with its NUL
  std::vector<std::size_t> starts;
  const auto put = [&](std::string_view text) {
    starts.push_back(texts.size());
    texts += nono::c::as_utf8(text);
    texts += '\0';
  };
  for (const nono::c::entry& e : caps->entries) {
    std::string words;
    nono::append_rights(words, e.rights);
    put(e.original);
    put(e.resolved);
    put(words);
    put(e.group);
  }
  auto* const block = static_cast<char*>(std::malloc(head + texts.size()));
  if (block == nullptr) std::abort();
  char* const strings = block + head;
  std::memcpy(strings, texts.data(), texts.size());
  auto* const list = reinterpret_cast<NonoFsCapability*>(block);  // NOLINT: malloc's memory fits every type
  for (std::size_t i = 0; i < caps->entries.size(); ++i) {
    const nono::c::entry& e = caps->entries[i];
    const auto text = [&](std::size_t n) { return strings + starts[i * 4 + n]; };
    new (list + i) NonoFsCapability{text(0),
                                    text(1),
                                    text(2),
                                    e.source == NONO_CAPABILITY_SOURCE_TAG_GROUP ? text(3) : nullptr,
                                    nono::c::mode_of_rights(e.rights),
                                    e.source,
                                    e.is_file};
  }
  return list;
}
void nono_fs_list_free(struct NonoFsCapability* list) NONO_NOEXCEPT { std::free(list); }

// ---- questions ------------------------------------------------------------------------------------------------

struct NonoQueryContext* nono_query_context_new(const struct NonoCapabilitySet* caps) NONO_NOEXCEPT {
  return caps == nullptr ? nullptr : new NonoQueryContext{*caps};
}
void nono_query_context_free(struct NonoQueryContext* ctx) NONO_NOEXCEPT { delete ctx; }
enum NonoErrorCode nono_query_context_query_path(const struct NonoQueryContext* ctx, const char* path,
                                                 uint32_t mode,
                                                 struct NonoQueryResult* out_result) NONO_NOEXCEPT {
  if (ctx == nullptr || out_result == nullptr)
    return nono::c::bad_argument("ctx or out_result pointer is NULL");
  const auto wanted = nono::c::rights_of_mode(mode);
  if (!wanted) return nono::c::bad_argument("invalid access mode: " + std::to_string(mode));
  const auto name = nono::c::text_of(path);
  if (!name) return nono::c::no_text("path");
  const nono::c::verdict_of_set v = nono::c::ask(ctx->set, *name, *wanted);
  NonoQueryResult out{
      NONO_QUERY_STATUS_DENIED, NONO_QUERY_REASON_PATH_NOT_GRANTED, nullptr, nullptr, nullptr, nullptr};
  if (v.allows(*wanted)) {
    out.status = NONO_QUERY_STATUS_ALLOWED;
    out.reason = NONO_QUERY_REASON_GRANTED_PATH;
    out.granted_path = nono::c::given_away(nono::c::as_utf8(v.by->resolved));
    out.access = nono::c::word_given_away(nono::contains(v.by->rights, *wanted) ? v.by->rights : v.rights);
  } else if (v.denied == nullptr && v.rights != nono::no_rights) {
    out.reason = NONO_QUERY_REASON_INSUFFICIENT_ACCESS;
    out.granted = nono::c::word_given_away(v.rights);
    out.requested = nono::c::word_given_away(*wanted);
  }
  *out_result = out;
  return NONO_ERROR_CODE_OK;
}
enum NonoErrorCode nono_query_context_query_network(const struct NonoQueryContext* ctx,
                                                    struct NonoQueryResult* out_result) NONO_NOEXCEPT {
  if (ctx == nullptr || out_result == nullptr)
    return nono::c::bad_argument("ctx or out_result pointer is NULL");
  const bool open =
      ctx->set.network == NONO_NETWORK_MODE_ALLOW_ALL || ctx->set.lifted.has(nono::protection::network);
  *out_result = {open ? NONO_QUERY_STATUS_ALLOWED : NONO_QUERY_STATUS_DENIED,
                 open ? NONO_QUERY_REASON_NETWORK_ALLOWED : NONO_QUERY_REASON_NETWORK_BLOCKED,
                 nullptr,
                 nullptr,
                 nullptr,
                 nullptr};
  return NONO_ERROR_CODE_OK;
}
char* nono_query_context_explain(const struct NonoQueryContext* ctx, const char* path,
                                 uint32_t mode) NONO_NOEXCEPT {
  if (ctx == nullptr) return (void)nono::c::bad_argument("ctx pointer is NULL"), nullptr;
  if (!nono::c::rights_of_mode(mode))
    return (void)nono::c::bad_argument("invalid access mode: " + std::to_string(mode)), nullptr;
  const auto name = nono::c::text_of(path);
  if (!name) return (void)nono::c::no_text("path"), nullptr;
  return nono::c::given_away(nono::c::explanation(ctx->set, *name, mode));
}

// ---- sandbox --------------------------------------------------------------------------------------------------

enum NonoErrorCode nono_sandbox_apply(const struct NonoCapabilitySet* caps) NONO_NOEXCEPT {
  return caps == nullptr ? nono::c::no_caps() : nono::c::apply_set(*caps);
}
bool nono_sandbox_is_supported(void) NONO_NOEXCEPT { return nono::c::is_supported(); }
struct NonoSupportInfo nono_sandbox_support_info(void) NONO_NOEXCEPT {
  constexpr std::string_view platform =
#if defined(__APPLE__)
      "macos";
#else
      "linux";
#endif
  return {nono_sandbox_is_supported(), nono::c::given_away(platform),
          nono::c::given_away(nono::c::support_details())};
}
char* nono_sandbox_report_json(void) NONO_NOEXCEPT {
  auto& last = nono::c::report_of_this_process();
  const std::lock_guard lock(last.guard);
  return last.report ? nono::c::given_away(nono::to_json(*last.report)) : nullptr;
}
enum NonoErrorCode nono_sandbox_prepare(const struct NonoCapabilitySet* caps, int* ruleset_fd,
                                        int* plan_fd) NONO_NOEXCEPT {
  if (caps == nullptr) return nono::c::no_caps();
  if (ruleset_fd == nullptr || plan_fd == nullptr)
    return nono::c::bad_argument("ruleset_fd or plan_fd pointer is NULL");
#if defined(__linux__)
  return nono::c::prepare_set(*caps, *ruleset_fd, *plan_fd);
#else
  return nono::c::failed(NONO_ERROR_CODE_ERR_UNSUPPORTED_PLATFORM,
                         "this system cannot prepare a sandbox for a child");
#endif
}
enum NonoErrorCode nono_sandbox_enter(int ruleset_fd, int plan_fd) NONO_NOEXCEPT {
#if defined(__linux__)
  const int why = nono::c::enter(ruleset_fd, plan_fd);
  if (why == 0) return NONO_ERROR_CODE_OK;
  errno = why;
  return why == EINVAL ? NONO_ERROR_CODE_ERR_INVALID_ARG : NONO_ERROR_CODE_ERR_SANDBOX_INIT;
#else
  (void)ruleset_fd;
  (void)plan_fd;
  return NONO_ERROR_CODE_ERR_UNSUPPORTED_PLATFORM;
#endif
}

// ---- state ----------------------------------------------------------------------------------------------------

struct NonoSandboxState* nono_sandbox_state_from_caps(const struct NonoCapabilitySet* caps) NONO_NOEXCEPT {
  return caps == nullptr ? nullptr : nono::c::state_of(*caps).release();
}
void nono_sandbox_state_free(struct NonoSandboxState* state) NONO_NOEXCEPT { delete state; }
char* nono_sandbox_state_to_json(const struct NonoSandboxState* state) NONO_NOEXCEPT {
  if (state == nullptr) return nullptr;
  const auto text = nono::c::json_of(*state);
  if (!text) return (void)nono::c::bad_argument(text.error().message()), nullptr;
  return nono::c::given_away(*text);
}
struct NonoSandboxState* nono_sandbox_state_from_json(const char* json) NONO_NOEXCEPT {
  const auto text = nono::c::text_of(json);
  if (!text) return (void)nono::c::no_text("json"), nullptr;
  return nono::c::state_from(*text).release();
}
struct NonoCapabilitySet* nono_sandbox_state_to_caps(const struct NonoSandboxState* state) NONO_NOEXCEPT {
  if (state == nullptr) return (void)nono::c::bad_argument("state pointer is NULL"), nullptr;
  return nono::c::set_of(*state).release();
}

// ---- diagnostics ----------------------------------------------------------------------------------------------

char* nono_session_diagnostic_report_to_json(int32_t exit_code, const char* denials_json,
                                             const char* ipc_denials_json,
                                             const char* violations_json) NONO_NOEXCEPT {
  const auto text = nono::c::session_report::make(exit_code, denials_json, ipc_denials_json, violations_json);
  return text ? nono::c::given_away(*text) : nullptr;
}
char* nono_merge_diagnostic_report_json(const char* session_json,
                                        const char* proxy_diagnostics_json) NONO_NOEXCEPT {
  const auto text = nono::c::session_report::merge(session_json, proxy_diagnostics_json);
  return text ? nono::c::given_away(*text) : nullptr;
}

}  // extern "C"
