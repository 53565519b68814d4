// SPDX-License-Identifier: Apache-2.0
// The C interface as data: what nono.h declares, what the Go package names, and what the reference page says are all written
// from these tables (`make bindings`), and tests compare.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace nono::c_table {

/// One constant. In C it is prefix + name, in Go go_prefix + go (its word is what Go's String() gives).
struct constant {
  std::string_view name;
  std::int64_t value;
  std::string_view go;    ///< empty: Go does not have it
  std::string_view word;  ///< of String(); of an error its sentinel is "Err" + go
  std::string_view says;  ///< in Go never empty
};

enum class kind : std::uint8_t {
  defines,     ///< `#define`s of type uint32_t, checked on entry
  enumerated,  ///< an enum, and a typedef of the same name
};

struct constants {
  kind is;
  std::string_view name;     ///< of the enum; of defines what they are
  std::string_view prefix;   ///< in C
  std::string_view go_type;  ///< empty: Go does not have it
  std::string_view go_prefix;
  std::string_view says;
  std::span<const constant> all;
};

struct function {
  std::string_view section;
  std::string_view declares;  ///< without the semicolon
  std::string_view says;      ///< lines
};

inline constexpr constant access_modes[] = {
    {"READ", 0, "Read", "read", "read files, list directories, execute"},
    {"WRITE", 1, "Write", "write", "write and truncate, make and remove entries"},
    {"READ_WRITE", 2, "ReadWrite", "read-write", "both"},
};
inline constexpr constant network_modes[] = {
    {"BLOCKED", 0, "Blocked", "blocked", "no socket but unix ones"},
    {"ALLOW_ALL", 1, "AllowAll", "allow-all", "nothing is restricted"},
    {"PROXY_ONLY", 2, "ProxyOnly", "proxy-only", "TCP connections to one port"},
};
inline constexpr constant port_uses[] = {
    {"CONNECT_TCP", 0, "ConnectTCP", "connect-tcp", "connect to the port, at any address"},
    {"BIND_TCP", 1, "BindTCP", "bind-tcp", "bind the port; 0: any that the kernel picks"},
};
inline constexpr constant error_codes[] = {
    {"OK", 0, "", "", "it worked"},
    {"ERR_PATH_NOT_FOUND", -1, "PathNotFound", "path does not exist", "there is no such path"},
    {"ERR_EXPECTED_DIRECTORY", -2, "ExpectedDirectory", "expected a directory", "the path is no directory"},
    {"ERR_EXPECTED_FILE", -3, "ExpectedFile", "expected a file", "the path is a directory"},
    {"ERR_PATH_CANONICALIZATION", -4, "PathCanonicalization", "path cannot be resolved",
     "the path could not be resolved: no permission, a loop, a part that is no directory"},
    {"ERR_NO_CAPABILITIES", -5, "NoCapabilities", "no capabilities", "never returned: an empty set is legal"},
    {"ERR_SANDBOX_INIT", -6, "SandboxInit", "sandbox initialization failed",
     "the kernel has no Landlock, or refused; a rule is wrong; the policy contradicts what is open"},
    {"ERR_UNSUPPORTED_PLATFORM", -7, "UnsupportedPlatform", "unsupported platform",
     "this system cannot do that"},
    {"ERR_BLOCKED_COMMAND", -8, "BlockedCommand", "blocked command", "never returned by this library"},
    {"ERR_CONFIG_PARSE", -9, "ConfigParse", "configuration parse error",
     "never returned: it is in texts alone"},
    {"ERR_PROFILE_PARSE", -10, "ProfileParse", "profile parse error", "never returned by this library"},
    {"ERR_IO", -11, "IO", "I/O error", "a system call failed that has nothing to do with the policy"},
    {"ERR_INVALID_ARG", -12, "InvalidArg", "invalid argument",
     "NULL, text that is no UTF-8, a number out of range"},
    {"ERR_TRUST_VERIFICATION", -13, "TrustVerification", "trust verification failed",
     "never returned by this library"},
    {"ERR_UNKNOWN", -99, "Unknown", "unknown error",
     "never returned in C: Go's code for a call that gave NULL"},
};
inline constexpr constant source_tags[] = {
    {"USER", 0, "User", "user", "added by a call of this interface"},
    {"GROUP", 1, "Group", "group", "of a built-in group"},
    {"SYSTEM", 2, "System", "system", "added by a runner"},
    {"PROFILE", 3, "Profile", "profile", "of a profile file"},
};
inline constexpr constant query_statuses[] = {
    {"ALLOWED", 0, "Allowed", "allowed", "a sandbox of the set would let it happen"},
    {"DENIED", 1, "Denied", "denied", "it would be refused"},
};
inline constexpr constant query_reasons[] = {
    {"GRANTED_PATH", 0, "GrantedPath", "granted-path", "granted_path and access are set"},
    {"NETWORK_ALLOWED", 1, "NetworkAllowed", "network-allowed", "nothing is restricted"},
    {"PATH_NOT_GRANTED", 2, "PathNotGranted", "path-not-granted", "no grant holds the path, or a deny does"},
    {"INSUFFICIENT_ACCESS", 3, "InsufficientAccess", "insufficient-access", "granted and requested are set"},
    {"NETWORK_BLOCKED", 4, "NetworkBlocked", "network-blocked", "also where only a proxy's port is open"},
};
inline constexpr constant diagnostic_codes[] = {
    {"SANDBOX_DENIED_PATH", 0, "", "", ""},
    {"SANDBOX_DENIED_NETWORK", 1, "", "", ""},
    {"SANDBOX_DENIED_UNIX_SOCKET", 2, "", "", ""},
    {"COMMAND_NOT_FOUND", 3, "", "", ""},
    {"COMMAND_FAILED_LIKELY_SANDBOX", 4, "", "", ""},
    {"COMMAND_FAILED_APPLICATION", 5, "", "", ""},
    {"CREDENTIAL_NOT_FOUND", 6, "", "", ""},
    {"CREDENTIAL_UNAVAILABLE", 7, "", "", ""},
    {"UNSUPPORTED_PLATFORM_FEATURE", 8, "", "", ""},
    {"ROLLBACK_BUDGET_EXCEEDED", 9, "", "", ""},
    {"CWD_ACCESS_REQUIRED", 10, "", "", ""},
    {"CONFIGURATION_ERROR", 11, "", "", ""},
    {"TRUST_VERIFICATION_FAILED", 12, "", "", ""},
    {"IO_ERROR", 13, "", "", ""},
    {"CANCELLED", 14, "", "", ""},
    {"OTHER", 99, "", "", "also: no code was set"},
};

inline constexpr constants all_constants[] = {
    {kind::defines, "access modes", "NONO_ACCESS_MODE_", "AccessMode", "Access",
     "What a grant of a path allows.", access_modes},
    {kind::defines, "network modes", "NONO_NETWORK_MODE_", "NetworkMode", "Network", "What the network is.",
     network_modes},
    {kind::defines, "port uses", "NONO_PORT_USE_", "PortUse", "Port", "What an exception for a port allows.",
     port_uses},
    {kind::enumerated, "NonoErrorCode", "NONO_ERROR_CODE_", "ErrorCode", "ErrCode",
     "What came of a call. nono_last_error() says it in words.", error_codes},
    {kind::enumerated, "NonoCapabilitySourceTag", "NONO_CAPABILITY_SOURCE_TAG_", "CapabilitySourceTag",
     "Source", "Who asked for a grant.", source_tags},
    {kind::enumerated, "NonoQueryStatus", "NONO_QUERY_STATUS_", "QueryStatus", "Query",
     "The answer to a question.", query_statuses},
    {kind::enumerated, "NonoQueryReason", "NONO_QUERY_REASON_", "QueryReason", "Reason", "Its reason.",
     query_reasons},
    {kind::enumerated, "NonoDiagnosticCode", "NONO_DIAGNOSTIC_CODE_", "", "",
     "What kind of failure a message is of.", diagnostic_codes},
};

inline constexpr function functions[] = {
    {"Library", "char *nono_last_error(void)",
     "A copy of this thread's last message, or NULL. It stays until nono_clear_error() or the next failure."},
    {"Library", "void nono_clear_error(void)", "Forgets this thread's message, code and remediation."},
    {"Library", "enum NonoDiagnosticCode nono_last_diagnostic_code(void)",
     "This thread's last diagnostic code; OTHER where none was set."},
    {"Library", "char *nono_last_remediation_json(void)",
     "A copy of what this thread's last failure suggests, as a JSON object, or NULL."},
    {"Library", "void nono_string_free(char *s)", "Frees a text that this library gave. NULL does nothing."},
    {"Library", "char *nono_version(void)", "The version of this library."},

    {"Capability sets", "struct NonoCapabilitySet *nono_capability_set_new(void)",
     "An empty set: no path, the whole network. Never NULL."},
    {"Capability sets", "void nono_capability_set_free(struct NonoCapabilitySet *caps)",
     "NULL does nothing."},
    {"Capability sets",
     "enum NonoErrorCode nono_capability_set_allow_path(struct NonoCapabilitySet *caps, const char *path, "
     "uint32_t mode)",
     "Grants a directory and all below it. Links are followed, a relative path is below the current "
     "directory.\n"
     "-1, -2 where it is no directory, -4, -12. After a failure the set is as before."},
    {"Capability sets",
     "enum NonoErrorCode nono_capability_set_allow_file(struct NonoCapabilitySet *caps, const char *path, "
     "uint32_t mode)",
     "Grants one file of any kind but a directory. -1, -3 where it is a directory, -4, -12."},
    {"Capability sets",
     "enum NonoErrorCode nono_capability_set_allow_rights(struct NonoCapabilitySet *caps, const char *path, "
     "const char "
     "*rights)",
     "Grants a path with finer rights: words joined by '|' of read_file, list, execute, write_file, create, "
     "remove,\n"
     "refer, truncate, ioctl, connect_unix, read, write, read_write. -1, -4, -12."},
    {"Capability sets",
     "enum NonoErrorCode nono_capability_set_deny_path(struct NonoCapabilitySet *caps, const char *path)",
     "Denies a path and all below it: no later grant may cover it, and one that does makes "
     "nono_sandbox_apply() fail.\n"
     "The path need not exist. -4, -12."},
    {"Capability sets", "uintptr_t nono_capability_set_deny_count(const struct NonoCapabilitySet *caps)",
     "How many paths are denied; 0 for NULL."},
    {"Capability sets",
     "char *nono_capability_set_deny_path_at(const struct NonoCapabilitySet *caps, uintptr_t index)",
     "A denied path, as it was given; NULL for NULL or out of range."},
    {"Capability sets",
     "enum NonoErrorCode nono_capability_set_set_network_blocked(struct NonoCapabilitySet *caps, bool "
     "blocked)",
     "Mode BLOCKED or ALLOW_ALL, whatever it was. -12."},
    {"Capability sets",
     "enum NonoErrorCode nono_capability_set_set_network_mode(struct NonoCapabilitySet *caps, uint32_t mode)",
     "PROXY_ONLY sets the port to 0: nothing is open until nono_capability_set_set_proxy_port(). -12."},
    {"Capability sets", "uint32_t nono_capability_set_network_mode(const struct NonoCapabilitySet *caps)",
     "The mode; ALLOW_ALL for NULL."},
    {"Capability sets",
     "enum NonoErrorCode nono_capability_set_set_proxy_port(struct NonoCapabilitySet *caps, uint16_t port)",
     "Mode PROXY_ONLY with this port. Landlock knows ports, no addresses: the port is open at every host. "
     "-12."},
    {"Capability sets", "uint16_t nono_capability_set_proxy_port(const struct NonoCapabilitySet *caps)",
     "The port; 0 in other modes and for NULL."},
    {"Capability sets",
     "enum NonoErrorCode nono_capability_set_allow_port(struct NonoCapabilitySet *caps, uint32_t use, "
     "uint16_t port)",
     "An exception to a network that is BLOCKED or PROXY_ONLY, for TCP; 32 of them at most. In mode "
     "ALLOW_ALL -12.\n"
     "Another mode takes the exceptions away. Since Landlock ABI 4 (Linux 6.7)."},
    {"Capability sets",
     "enum NonoErrorCode nono_capability_set_allow_command(struct NonoCapabilitySet *caps, const char *cmd)",
     "Remembers a name; nothing here enforces it. -12."},
    {"Capability sets",
     "enum NonoErrorCode nono_capability_set_block_command(struct NonoCapabilitySet *caps, const char *cmd)",
     "Remembers a name; nothing here enforces it. -12."},
    {"Capability sets",
     "enum NonoErrorCode nono_capability_set_add_platform_rule(struct NonoCapabilitySet *caps, const char "
     "*rule)",
     "A rule in macOS's sandbox language, checked everywhere and used there alone; what opens all files is "
     "refused.\n"
     "-6, -12."},
    {"Capability sets",
     "enum NonoErrorCode nono_capability_set_best_effort(struct NonoCapabilitySet *caps, const char "
     "*protection)",
     "A protection that may be missing: by name, as the report has it. -12."},
    {"Capability sets",
     "enum NonoErrorCode nono_capability_set_lift(struct NonoCapabilitySet *caps, const char *protection)",
     "A protection that is given up, by name. -12."},
    {"Capability sets",
     "enum NonoErrorCode nono_capability_set_set_strict(struct NonoCapabilitySet *caps, bool strict)",
     "Whether a kernel that lacks any protection is an error. -12."},
    {"Capability sets", "void nono_capability_set_deduplicate(struct NonoCapabilitySet *caps)",
     "One entry for each path: of two with the same path the rights are joined. NULL does nothing."},
    {"Capability sets",
     "bool nono_capability_set_path_covered(const struct NonoCapabilitySet *caps, const char *path)",
     "True when a granted directory is the absolute path or above it: by name, with '.' and '..' folded, "
     "whatever the\n"
     "rights are. false for NULL and for text that is no UTF-8."},
    {"Capability sets", "bool nono_capability_set_is_network_blocked(const struct NonoCapabilitySet *caps)",
     "True in modes BLOCKED and PROXY_ONLY; false for NULL."},
    {"Capability sets", "char *nono_capability_set_summary(const struct NonoCapabilitySet *caps)",
     "The set in lines, for people; NULL for NULL."},

    {"Entries", "uintptr_t nono_capability_set_fs_count(const struct NonoCapabilitySet *caps)",
     "How many paths are granted; 0 for NULL. Indices follow the order in which they were."},
    {"Entries",
     "char *nono_capability_set_fs_original(const struct NonoCapabilitySet *caps, uintptr_t index)",
     "The path as it was given; NULL for NULL or out of range."},
    {"Entries",
     "char *nono_capability_set_fs_resolved(const struct NonoCapabilitySet *caps, uintptr_t index)",
     "The path without links; NULL for NULL or out of range."},
    {"Entries",
     "uint32_t nono_capability_set_fs_access(const struct NonoCapabilitySet *caps, uintptr_t index)",
     "The mode; NONO_ACCESS_MODE_INVALID, with a message, for NULL, out of range, and rights that are "
     "finer."},
    {"Entries", "char *nono_capability_set_fs_rights(const struct NonoCapabilitySet *caps, uintptr_t index)",
     "The rights in words, joined by '|'; NULL for NULL or out of range."},
    {"Entries", "bool nono_capability_set_fs_is_file(const struct NonoCapabilitySet *caps, uintptr_t index)",
     "True for anything but a directory; false for NULL or out of range."},
    {"Entries",
     "enum NonoCapabilitySourceTag nono_capability_set_fs_source_tag(const struct NonoCapabilitySet *caps, "
     "uintptr_t "
     "index)",
     "Who asked for it; USER, with a message, for NULL or out of range."},
    {"Entries",
     "char *nono_capability_set_fs_source_group_name(const struct NonoCapabilitySet *caps, uintptr_t index)",
     "The group's name where the tag is GROUP, else NULL."},
    {"Entries",
     "struct NonoFsCapability *nono_capability_set_fs_list(const struct NonoCapabilitySet *caps, uintptr_t "
     "*count)",
     "All entries in one call, texts included, in one piece of memory: nono_fs_list_free(). count gets their "
     "number.\n"
     "NULL for NULL and for an empty set."},
    {"Entries", "void nono_fs_list_free(struct NonoFsCapability *list)", "NULL does nothing."},

    {"Questions", "struct NonoQueryContext *nono_query_context_new(const struct NonoCapabilitySet *caps)",
     "A copy of the set to ask; NULL for NULL."},
    {"Questions", "void nono_query_context_free(struct NonoQueryContext *ctx)", "NULL does nothing."},
    {"Questions",
     "enum NonoErrorCode nono_query_context_query_path(const struct NonoQueryContext *ctx, const char *path, "
     "uint32_t "
     "mode, struct NonoQueryResult *out_result)",
     "Would a sandbox of the set let the path be used so? Links are followed, also those that lead nowhere; "
     "of a path\n"
     "that is not there yet the directory decides. All grants count together, as in the kernel. Permission "
     "bits are\n"
     "not asked. -12; then *out_result is as before. Its texts belong to the caller."},
    {"Questions",
     "enum NonoErrorCode nono_query_context_query_network(const struct NonoQueryContext *ctx, struct "
     "NonoQueryResult "
     "*out_result)",
     "Is the whole network open? -12."},
    {"Questions",
     "char *nono_query_context_explain(const struct NonoQueryContext *ctx, const char *path, uint32_t mode)",
     "The answer of nono_query_context_query_path() in one sentence: what, by which grant or deny, and the "
     "smallest call\n"
     "that would change it. NULL, with a message, for what is -12 there."},

    {"Sandbox", "enum NonoErrorCode nono_sandbox_apply(const struct NonoCapabilitySet *caps)",
     "Confines this process, every thread of it, for good. -6, -12. An empty set is legal. Once more is a "
     "further\n"
     "restriction. Sockets that are open and contradict the set are an error. Since Linux 5.13."},
    {"Sandbox", "bool nono_sandbox_is_supported(void)",
     "True where a sandbox can be applied. Restricts nobody."},
    {"Sandbox", "struct NonoSupportInfo nono_sandbox_support_info(void)",
     "What this system is and has. Its texts belong to the caller."},
    {"Sandbox", "char *nono_sandbox_report_json(void)",
     "What the last nono_sandbox_apply() of this process put in force, protection by protection, as JSON; "
     "NULL before."},
    {"Sandbox",
     "enum NonoErrorCode nono_sandbox_prepare(const struct NonoCapabilitySet *caps, int *ruleset_fd, int "
     "*plan_fd)",
     "Everything that confining a child needs, as two descriptors, close-on-exec, for nono_sandbox_enter(). "
     "The caller\n"
     "closes them. -6, -12. Linux."},
    {"Sandbox", "enum NonoErrorCode nono_sandbox_enter(int ruleset_fd, int plan_fd)",
     "Confines the calling process, which must have one thread, by descriptors of nono_sandbox_prepare(). "
     "System calls\n"
     "alone: it may be called after fork(). Drops all capabilities. -6, -12; then end the process. Linux."},

    {"State", "struct NonoSandboxState *nono_sandbox_state_from_caps(const struct NonoCapabilitySet *caps)",
     "A copy of the set to be stored; NULL for NULL."},
    {"State", "void nono_sandbox_state_free(struct NonoSandboxState *state)", "NULL does nothing."},
    {"State", "char *nono_sandbox_state_to_json(const struct NonoSandboxState *state)",
     "The state as JSON; NULL for NULL, and with a message where a path is no UTF-8."},
    {"State", "struct NonoSandboxState *nono_sandbox_state_from_json(const char *json)",
     "Reads such a text, of the reference too. Looks at no file. NULL, with a message, where it is none."},
    {"State", "struct NonoCapabilitySet *nono_sandbox_state_to_caps(const struct NonoSandboxState *state)",
     "The set again, every path looked up anew: NULL, with a message, where one is gone or leads elsewhere "
     "now."},

    {"Diagnostics",
     "char *nono_session_diagnostic_report_to_json(int32_t exit_code, const char *denials_json, const char "
     "*ipc_denials_json, const char *violations_json)",
     "What a run was refused, joined and with remediations. Each text is NULL, empty or a JSON array. NULL, "
     "with a\n"
     "message, where one is neither."},
    {"Diagnostics",
     "char *nono_merge_diagnostic_report_json(const char *session_json, const char *proxy_diagnostics_json)",
     "Both as one JSON object. NULL, with a message, where one is no JSON."},
};

}  // namespace nono::c_table
