/* SPDX-License-Identifier: Apache-2.0
   The C interface of nono. Written from bindings/c/table.hpp by `make bindings`: change it there.

   Handles and texts that a call returns belong to the caller: each handle goes to its _free(), each char * to
   nono_string_free(). Texts that are given are UTF-8, NUL-terminated, and borrowed for the call. Calls that take const
   handles alone may run at the same time; any other needs its handle to itself. The last failure is kept for each thread.
   A call whose number of failure is given below returns it and keeps a message for nono_last_error(). */
#ifndef NONO_H
#define NONO_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#ifdef __cplusplus
#define NONO_NOEXCEPT noexcept
extern "C" {
#else
#define NONO_NOEXCEPT
#endif

#define NONO_C_VERSION "0.1.0"

/* What a grant of a path allows. */
/* read files, list directories, execute */
#define NONO_ACCESS_MODE_READ 0
/* write and truncate, make and remove entries */
#define NONO_ACCESS_MODE_WRITE 1
/* both */
#define NONO_ACCESS_MODE_READ_WRITE 2
/* what nono_capability_set_fs_access() gives where there is no mode */
#define NONO_ACCESS_MODE_INVALID UINT32_MAX

/* What the network is. */
/* no socket but unix ones */
#define NONO_NETWORK_MODE_BLOCKED 0
/* nothing is restricted */
#define NONO_NETWORK_MODE_ALLOW_ALL 1
/* TCP connections to one port */
#define NONO_NETWORK_MODE_PROXY_ONLY 2

/* What an exception for a port allows. */
/* connect to the port, at any address */
#define NONO_PORT_USE_CONNECT_TCP 0
/* bind the port; 0: any that the kernel picks */
#define NONO_PORT_USE_BIND_TCP 1

/* What came of a call. nono_last_error() says it in words. */
typedef enum NonoErrorCode {
  /* it worked */
  NONO_ERROR_CODE_OK = 0,
  /* there is no such path */
  NONO_ERROR_CODE_ERR_PATH_NOT_FOUND = -1,
  /* the path is no directory */
  NONO_ERROR_CODE_ERR_EXPECTED_DIRECTORY = -2,
  /* the path is a directory */
  NONO_ERROR_CODE_ERR_EXPECTED_FILE = -3,
  /* the path could not be resolved: no permission, a loop, a part that is no directory */
  NONO_ERROR_CODE_ERR_PATH_CANONICALIZATION = -4,
  /* never returned: an empty set is legal */
  NONO_ERROR_CODE_ERR_NO_CAPABILITIES = -5,
  /* the kernel has no Landlock, or refused; a rule is wrong; the policy contradicts what is open */
  NONO_ERROR_CODE_ERR_SANDBOX_INIT = -6,
  /* this system cannot do that */
  NONO_ERROR_CODE_ERR_UNSUPPORTED_PLATFORM = -7,
  /* never returned by this library */
  NONO_ERROR_CODE_ERR_BLOCKED_COMMAND = -8,
  /* never returned: it is in texts alone */
  NONO_ERROR_CODE_ERR_CONFIG_PARSE = -9,
  /* never returned by this library */
  NONO_ERROR_CODE_ERR_PROFILE_PARSE = -10,
  /* a system call failed that has nothing to do with the policy */
  NONO_ERROR_CODE_ERR_IO = -11,
  /* NULL, text that is no UTF-8, a number out of range */
  NONO_ERROR_CODE_ERR_INVALID_ARG = -12,
  /* never returned by this library */
  NONO_ERROR_CODE_ERR_TRUST_VERIFICATION = -13,
  /* never returned in C: Go's code for a call that gave NULL */
  NONO_ERROR_CODE_ERR_UNKNOWN = -99,
} NonoErrorCode;

/* Who asked for a grant. */
typedef enum NonoCapabilitySourceTag {
  /* added by a call of this interface */
  NONO_CAPABILITY_SOURCE_TAG_USER = 0,
  /* of a built-in group */
  NONO_CAPABILITY_SOURCE_TAG_GROUP = 1,
  /* added by a runner */
  NONO_CAPABILITY_SOURCE_TAG_SYSTEM = 2,
  /* of a profile file */
  NONO_CAPABILITY_SOURCE_TAG_PROFILE = 3,
} NonoCapabilitySourceTag;

/* The answer to a question. */
typedef enum NonoQueryStatus {
  /* a sandbox of the set would let it happen */
  NONO_QUERY_STATUS_ALLOWED = 0,
  /* it would be refused */
  NONO_QUERY_STATUS_DENIED = 1,
} NonoQueryStatus;

/* Its reason. */
typedef enum NonoQueryReason {
  /* granted_path and access are set */
  NONO_QUERY_REASON_GRANTED_PATH = 0,
  /* nothing is restricted */
  NONO_QUERY_REASON_NETWORK_ALLOWED = 1,
  /* no grant holds the path, or a deny does */
  NONO_QUERY_REASON_PATH_NOT_GRANTED = 2,
  /* granted and requested are set */
  NONO_QUERY_REASON_INSUFFICIENT_ACCESS = 3,
  /* also where only a proxy's port is open */
  NONO_QUERY_REASON_NETWORK_BLOCKED = 4,
} NonoQueryReason;

/* What kind of failure a message is of. */
typedef enum NonoDiagnosticCode {
  NONO_DIAGNOSTIC_CODE_SANDBOX_DENIED_PATH = 0,
  NONO_DIAGNOSTIC_CODE_SANDBOX_DENIED_NETWORK = 1,
  NONO_DIAGNOSTIC_CODE_SANDBOX_DENIED_UNIX_SOCKET = 2,
  NONO_DIAGNOSTIC_CODE_COMMAND_NOT_FOUND = 3,
  NONO_DIAGNOSTIC_CODE_COMMAND_FAILED_LIKELY_SANDBOX = 4,
  NONO_DIAGNOSTIC_CODE_COMMAND_FAILED_APPLICATION = 5,
  NONO_DIAGNOSTIC_CODE_CREDENTIAL_NOT_FOUND = 6,
  NONO_DIAGNOSTIC_CODE_CREDENTIAL_UNAVAILABLE = 7,
  NONO_DIAGNOSTIC_CODE_UNSUPPORTED_PLATFORM_FEATURE = 8,
  NONO_DIAGNOSTIC_CODE_ROLLBACK_BUDGET_EXCEEDED = 9,
  NONO_DIAGNOSTIC_CODE_CWD_ACCESS_REQUIRED = 10,
  NONO_DIAGNOSTIC_CODE_CONFIGURATION_ERROR = 11,
  NONO_DIAGNOSTIC_CODE_TRUST_VERIFICATION_FAILED = 12,
  NONO_DIAGNOSTIC_CODE_IO_ERROR = 13,
  NONO_DIAGNOSTIC_CODE_CANCELLED = 14,
  /* also: no code was set */
  NONO_DIAGNOSTIC_CODE_OTHER = 99,
} NonoDiagnosticCode;

struct NonoCapabilitySet;
struct NonoQueryContext;
struct NonoSandboxState;

/* An answer. Texts that it has belong to the caller. */
typedef struct NonoQueryResult {
  enum NonoQueryStatus status;
  enum NonoQueryReason reason;
  char *granted_path; /* the grant that allows it, without links */
  char *access;       /* what that one allows: read, write, read+write, or finer words */
  char *granted;      /* what is granted where it does not suffice */
  char *requested;    /* what was asked then */
} NonoQueryResult;

/* What a system can do. Both texts belong to the caller. */
typedef struct NonoSupportInfo {
  bool is_supported;
  char *platform; /* linux or macos */
  char *details;
} NonoSupportInfo;

/* One entry of nono_capability_set_fs_list(), with its texts. */
typedef struct NonoFsCapability {
  const char *original;
  const char *resolved;
  const char *rights;     /* words joined by '|' */
  const char *group_name; /* NULL unless source is GROUP */
  uint32_t access;        /* a mode, or NONO_ACCESS_MODE_INVALID for finer rights */
  enum NonoCapabilitySourceTag source;
  bool is_file;
} NonoFsCapability;

/* ---- Library ---- */

/* A copy of this thread's last message, or NULL. It stays until nono_clear_error() or the next failure. */
char *nono_last_error(void) NONO_NOEXCEPT;

/* Forgets this thread's message, code and remediation. */
void nono_clear_error(void) NONO_NOEXCEPT;

/* This thread's last diagnostic code; OTHER where none was set. */
enum NonoDiagnosticCode nono_last_diagnostic_code(void) NONO_NOEXCEPT;

/* A copy of what this thread's last failure suggests, as a JSON object, or NULL. */
char *nono_last_remediation_json(void) NONO_NOEXCEPT;

/* Frees a text that this library gave. NULL does nothing. */
void nono_string_free(char *s) NONO_NOEXCEPT;

/* The version of this library. */
char *nono_version(void) NONO_NOEXCEPT;

/* ---- Capability sets ---- */

/* An empty set: no path, the whole network. Never NULL. */
struct NonoCapabilitySet *nono_capability_set_new(void) NONO_NOEXCEPT;

/* NULL does nothing. */
void nono_capability_set_free(struct NonoCapabilitySet *caps) NONO_NOEXCEPT;

/* Grants a directory and all below it. Links are followed, a relative path is below the current directory.
   -1, -2 where it is no directory, -4, -12. After a failure the set is as before. */
enum NonoErrorCode nono_capability_set_allow_path(struct NonoCapabilitySet *caps, const char *path, uint32_t mode) NONO_NOEXCEPT;

/* Grants one file of any kind but a directory. -1, -3 where it is a directory, -4, -12. */
enum NonoErrorCode nono_capability_set_allow_file(struct NonoCapabilitySet *caps, const char *path, uint32_t mode) NONO_NOEXCEPT;

/* Grants a path with finer rights: words joined by '|' of read_file, list, execute, write_file, create, remove,
   refer, truncate, ioctl, connect_unix, read, write, read_write. -1, -4, -12. */
enum NonoErrorCode nono_capability_set_allow_rights(struct NonoCapabilitySet *caps, const char *path, const char *rights) NONO_NOEXCEPT;

/* Denies a path and all below it: no later grant may cover it, and one that does makes nono_sandbox_apply() fail.
   The path need not exist. -4, -12. */
enum NonoErrorCode nono_capability_set_deny_path(struct NonoCapabilitySet *caps, const char *path) NONO_NOEXCEPT;

/* How many paths are denied; 0 for NULL. */
uintptr_t nono_capability_set_deny_count(const struct NonoCapabilitySet *caps) NONO_NOEXCEPT;

/* A denied path, as it was given; NULL for NULL or out of range. */
char *nono_capability_set_deny_path_at(const struct NonoCapabilitySet *caps, uintptr_t index) NONO_NOEXCEPT;

/* Mode BLOCKED or ALLOW_ALL, whatever it was. -12. */
enum NonoErrorCode nono_capability_set_set_network_blocked(struct NonoCapabilitySet *caps, bool blocked) NONO_NOEXCEPT;

/* PROXY_ONLY sets the port to 0: nothing is open until nono_capability_set_set_proxy_port(). -12. */
enum NonoErrorCode nono_capability_set_set_network_mode(struct NonoCapabilitySet *caps, uint32_t mode) NONO_NOEXCEPT;

/* The mode; ALLOW_ALL for NULL. */
uint32_t nono_capability_set_network_mode(const struct NonoCapabilitySet *caps) NONO_NOEXCEPT;

/* Mode PROXY_ONLY with this port. Landlock knows ports, no addresses: the port is open at every host. -12. */
enum NonoErrorCode nono_capability_set_set_proxy_port(struct NonoCapabilitySet *caps, uint16_t port) NONO_NOEXCEPT;

/* The port; 0 in other modes and for NULL. */
uint16_t nono_capability_set_proxy_port(const struct NonoCapabilitySet *caps) NONO_NOEXCEPT;

/* An exception to a network that is BLOCKED or PROXY_ONLY, for TCP; 32 of them at most. In mode ALLOW_ALL -12.
   Another mode takes the exceptions away. Since Landlock ABI 4 (Linux 6.7). */
enum NonoErrorCode nono_capability_set_allow_port(struct NonoCapabilitySet *caps, uint32_t use, uint16_t port) NONO_NOEXCEPT;

/* Remembers a name; nothing here enforces it. -12. */
enum NonoErrorCode nono_capability_set_allow_command(struct NonoCapabilitySet *caps, const char *cmd) NONO_NOEXCEPT;

/* Remembers a name; nothing here enforces it. -12. */
enum NonoErrorCode nono_capability_set_block_command(struct NonoCapabilitySet *caps, const char *cmd) NONO_NOEXCEPT;

/* A rule in macOS's sandbox language, checked everywhere and used there alone; what opens all files is refused.
   -6, -12. */
enum NonoErrorCode nono_capability_set_add_platform_rule(struct NonoCapabilitySet *caps, const char *rule) NONO_NOEXCEPT;

/* A protection that may be missing: by name, as the report has it. -12. */
enum NonoErrorCode nono_capability_set_best_effort(struct NonoCapabilitySet *caps, const char *protection) NONO_NOEXCEPT;

/* A protection that is given up, by name. -12. */
enum NonoErrorCode nono_capability_set_lift(struct NonoCapabilitySet *caps, const char *protection) NONO_NOEXCEPT;

/* Whether a kernel that lacks any protection is an error. -12. */
enum NonoErrorCode nono_capability_set_set_strict(struct NonoCapabilitySet *caps, bool strict) NONO_NOEXCEPT;

/* One entry for each path: of two with the same path the rights are joined. NULL does nothing. */
void nono_capability_set_deduplicate(struct NonoCapabilitySet *caps) NONO_NOEXCEPT;

/* True when a granted directory is the absolute path or above it: by name, with '.' and '..' folded, whatever the
   rights are. false for NULL and for text that is no UTF-8. */
bool nono_capability_set_path_covered(const struct NonoCapabilitySet *caps, const char *path) NONO_NOEXCEPT;

/* True in modes BLOCKED and PROXY_ONLY; false for NULL. */
bool nono_capability_set_is_network_blocked(const struct NonoCapabilitySet *caps) NONO_NOEXCEPT;

/* The set in lines, for people; NULL for NULL. */
char *nono_capability_set_summary(const struct NonoCapabilitySet *caps) NONO_NOEXCEPT;

/* ---- Entries ---- */

/* How many paths are granted; 0 for NULL. Indices follow the order in which they were. */
uintptr_t nono_capability_set_fs_count(const struct NonoCapabilitySet *caps) NONO_NOEXCEPT;

/* The path as it was given; NULL for NULL or out of range. */
char *nono_capability_set_fs_original(const struct NonoCapabilitySet *caps, uintptr_t index) NONO_NOEXCEPT;

/* The path without links; NULL for NULL or out of range. */
char *nono_capability_set_fs_resolved(const struct NonoCapabilitySet *caps, uintptr_t index) NONO_NOEXCEPT;

/* The mode; NONO_ACCESS_MODE_INVALID, with a message, for NULL, out of range, and rights that are finer. */
uint32_t nono_capability_set_fs_access(const struct NonoCapabilitySet *caps, uintptr_t index) NONO_NOEXCEPT;

/* The rights in words, joined by '|'; NULL for NULL or out of range. */
char *nono_capability_set_fs_rights(const struct NonoCapabilitySet *caps, uintptr_t index) NONO_NOEXCEPT;

/* True for anything but a directory; false for NULL or out of range. */
bool nono_capability_set_fs_is_file(const struct NonoCapabilitySet *caps, uintptr_t index) NONO_NOEXCEPT;

/* Who asked for it; USER, with a message, for NULL or out of range. */
enum NonoCapabilitySourceTag nono_capability_set_fs_source_tag(const struct NonoCapabilitySet *caps, uintptr_t index) NONO_NOEXCEPT;

/* The group's name where the tag is GROUP, else NULL. */
char *nono_capability_set_fs_source_group_name(const struct NonoCapabilitySet *caps, uintptr_t index) NONO_NOEXCEPT;

/* All entries in one call, texts included, in one piece of memory: nono_fs_list_free(). count gets their number.
   NULL for NULL and for an empty set. */
struct NonoFsCapability *nono_capability_set_fs_list(const struct NonoCapabilitySet *caps, uintptr_t *count) NONO_NOEXCEPT;

/* NULL does nothing. */
void nono_fs_list_free(struct NonoFsCapability *list) NONO_NOEXCEPT;

/* ---- Questions ---- */

/* A copy of the set to ask; NULL for NULL. */
struct NonoQueryContext *nono_query_context_new(const struct NonoCapabilitySet *caps) NONO_NOEXCEPT;

/* NULL does nothing. */
void nono_query_context_free(struct NonoQueryContext *ctx) NONO_NOEXCEPT;

/* Would a sandbox of the set let the path be used so? Links are followed, also those that lead nowhere; of a path
   that is not there yet the directory decides. All grants count together, as in the kernel. Permission bits are
   not asked. -12; then *out_result is as before. Its texts belong to the caller. */
enum NonoErrorCode nono_query_context_query_path(const struct NonoQueryContext *ctx, const char *path, uint32_t mode, struct NonoQueryResult *out_result) NONO_NOEXCEPT;

/* Is the whole network open? -12. */
enum NonoErrorCode nono_query_context_query_network(const struct NonoQueryContext *ctx, struct NonoQueryResult *out_result) NONO_NOEXCEPT;

/* The answer of nono_query_context_query_path() in one sentence: what, by which grant or deny, and the smallest call
   that would change it. NULL, with a message, for what is -12 there. */
char *nono_query_context_explain(const struct NonoQueryContext *ctx, const char *path, uint32_t mode) NONO_NOEXCEPT;

/* ---- Sandbox ---- */

/* Confines this process, every thread of it, for good. -6, -12. An empty set is legal. Once more is a further
   restriction. Sockets that are open and contradict the set are an error. Since Linux 5.13. */
enum NonoErrorCode nono_sandbox_apply(const struct NonoCapabilitySet *caps) NONO_NOEXCEPT;

/* True where a sandbox can be applied. Restricts nobody. */
bool nono_sandbox_is_supported(void) NONO_NOEXCEPT;

/* What this system is and has. Its texts belong to the caller. */
struct NonoSupportInfo nono_sandbox_support_info(void) NONO_NOEXCEPT;

/* What the last nono_sandbox_apply() of this process put in force, protection by protection, as JSON; NULL before. */
char *nono_sandbox_report_json(void) NONO_NOEXCEPT;

/* Everything that confining a child needs, as two descriptors, close-on-exec, for nono_sandbox_enter(). The caller
   closes them. -6, -12. Linux. */
enum NonoErrorCode nono_sandbox_prepare(const struct NonoCapabilitySet *caps, int *ruleset_fd, int *plan_fd) NONO_NOEXCEPT;

/* Confines the calling process, which must have one thread, by descriptors of nono_sandbox_prepare(). System calls
   alone: it may be called after fork(). Drops all capabilities. -6, -12; then end the process. Linux. */
enum NonoErrorCode nono_sandbox_enter(int ruleset_fd, int plan_fd) NONO_NOEXCEPT;

/* ---- State ---- */

/* A copy of the set to be stored; NULL for NULL. */
struct NonoSandboxState *nono_sandbox_state_from_caps(const struct NonoCapabilitySet *caps) NONO_NOEXCEPT;

/* NULL does nothing. */
void nono_sandbox_state_free(struct NonoSandboxState *state) NONO_NOEXCEPT;

/* The state as JSON; NULL for NULL, and with a message where a path is no UTF-8. */
char *nono_sandbox_state_to_json(const struct NonoSandboxState *state) NONO_NOEXCEPT;

/* Reads such a text, of the reference too. Looks at no file. NULL, with a message, where it is none. */
struct NonoSandboxState *nono_sandbox_state_from_json(const char *json) NONO_NOEXCEPT;

/* The set again, every path looked up anew: NULL, with a message, where one is gone or leads elsewhere now. */
struct NonoCapabilitySet *nono_sandbox_state_to_caps(const struct NonoSandboxState *state) NONO_NOEXCEPT;

/* ---- Diagnostics ---- */

/* What a run was refused, joined and with remediations. Each text is NULL, empty or a JSON array. NULL, with a
   message, where one is neither. */
char *nono_session_diagnostic_report_to_json(int32_t exit_code, const char *denials_json, const char *ipc_denials_json, const char *violations_json) NONO_NOEXCEPT;

/* Both as one JSON object. NULL, with a message, where one is no JSON. */
char *nono_merge_diagnostic_report_json(const char *session_json, const char *proxy_diagnostics_json) NONO_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif
