/* SPDX-License-Identifier: Apache-2.0
   What the reference's header declares, and no more: a binding that was written for that one. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define NONO_ACCESS_MODE_READ 0
#define NONO_ACCESS_MODE_WRITE 1
#define NONO_ACCESS_MODE_READ_WRITE 2
#define NONO_ACCESS_MODE_INVALID UINT32_MAX
#define NONO_NETWORK_MODE_BLOCKED 0
#define NONO_NETWORK_MODE_ALLOW_ALL 1
#define NONO_NETWORK_MODE_PROXY_ONLY 2

typedef enum NonoErrorCode {
  NONO_ERROR_CODE_OK = 0,
  NONO_ERROR_CODE_ERR_PATH_NOT_FOUND = -1,
  NONO_ERROR_CODE_ERR_EXPECTED_DIRECTORY = -2,
  NONO_ERROR_CODE_ERR_EXPECTED_FILE = -3,
  NONO_ERROR_CODE_ERR_SANDBOX_INIT = -6,
  NONO_ERROR_CODE_ERR_INVALID_ARG = -12,
  NONO_ERROR_CODE_ERR_UNKNOWN = -99
} NonoErrorCode;
typedef enum NonoCapabilitySourceTag { NONO_CAPABILITY_SOURCE_TAG_USER = 0 } NonoCapabilitySourceTag;
typedef enum NonoQueryStatus { NONO_QUERY_STATUS_ALLOWED = 0, NONO_QUERY_STATUS_DENIED = 1 } NonoQueryStatus;
typedef enum NonoQueryReason {
  NONO_QUERY_REASON_GRANTED_PATH = 0,
  NONO_QUERY_REASON_NETWORK_ALLOWED = 1,
  NONO_QUERY_REASON_PATH_NOT_GRANTED = 2,
  NONO_QUERY_REASON_INSUFFICIENT_ACCESS = 3,
  NONO_QUERY_REASON_NETWORK_BLOCKED = 4
} NonoQueryReason;
typedef enum NonoDiagnosticCode {
  NONO_DIAGNOSTIC_CODE_SANDBOX_DENIED_PATH = 0,
  NONO_DIAGNOSTIC_CODE_OTHER = 99
} NonoDiagnosticCode;

struct NonoCapabilitySet;
struct NonoQueryContext;
struct NonoSandboxState;

typedef struct NonoQueryResult {
  enum NonoQueryStatus status;
  enum NonoQueryReason reason;
  char *granted_path;
  char *access;
  char *granted;
  char *requested;
} NonoQueryResult;
typedef struct NonoSupportInfo {
  bool is_supported;
  char *platform;
  char *details;
} NonoSupportInfo;

char *nono_last_error(void);
void nono_clear_error(void);
void nono_string_free(char *s);
char *nono_version(void);

struct NonoCapabilitySet *nono_capability_set_new(void);
void nono_capability_set_free(struct NonoCapabilitySet *caps);
enum NonoErrorCode nono_capability_set_allow_path(struct NonoCapabilitySet *caps, const char *path, uint32_t mode);
enum NonoErrorCode nono_capability_set_allow_file(struct NonoCapabilitySet *caps, const char *path, uint32_t mode);
enum NonoErrorCode nono_capability_set_set_network_blocked(struct NonoCapabilitySet *caps, bool blocked);
enum NonoErrorCode nono_capability_set_set_network_mode(struct NonoCapabilitySet *caps, uint32_t mode);
uint32_t nono_capability_set_network_mode(const struct NonoCapabilitySet *caps);
enum NonoErrorCode nono_capability_set_set_proxy_port(struct NonoCapabilitySet *caps, uint16_t port);
uint16_t nono_capability_set_proxy_port(const struct NonoCapabilitySet *caps);
enum NonoErrorCode nono_capability_set_allow_command(struct NonoCapabilitySet *caps, const char *cmd);
enum NonoErrorCode nono_capability_set_block_command(struct NonoCapabilitySet *caps, const char *cmd);
enum NonoErrorCode nono_capability_set_add_platform_rule(struct NonoCapabilitySet *caps, const char *rule);
void nono_capability_set_deduplicate(struct NonoCapabilitySet *caps);
bool nono_capability_set_path_covered(const struct NonoCapabilitySet *caps, const char *path);
bool nono_capability_set_is_network_blocked(const struct NonoCapabilitySet *caps);
char *nono_capability_set_summary(const struct NonoCapabilitySet *caps);

uintptr_t nono_capability_set_fs_count(const struct NonoCapabilitySet *caps);
char *nono_capability_set_fs_original(const struct NonoCapabilitySet *caps, uintptr_t index);
char *nono_capability_set_fs_resolved(const struct NonoCapabilitySet *caps, uintptr_t index);
uint32_t nono_capability_set_fs_access(const struct NonoCapabilitySet *caps, uintptr_t index);
bool nono_capability_set_fs_is_file(const struct NonoCapabilitySet *caps, uintptr_t index);
enum NonoCapabilitySourceTag nono_capability_set_fs_source_tag(const struct NonoCapabilitySet *caps, uintptr_t index);
char *nono_capability_set_fs_source_group_name(const struct NonoCapabilitySet *caps, uintptr_t index);

struct NonoQueryContext *nono_query_context_new(const struct NonoCapabilitySet *caps);
void nono_query_context_free(struct NonoQueryContext *ctx);
enum NonoErrorCode nono_query_context_query_path(const struct NonoQueryContext *ctx, const char *path, uint32_t mode,
                                                 struct NonoQueryResult *out_result);
enum NonoErrorCode nono_query_context_query_network(const struct NonoQueryContext *ctx, struct NonoQueryResult *out_result);

enum NonoErrorCode nono_sandbox_apply(const struct NonoCapabilitySet *caps);
bool nono_sandbox_is_supported(void);
struct NonoSupportInfo nono_sandbox_support_info(void);

struct NonoSandboxState *nono_sandbox_state_from_caps(const struct NonoCapabilitySet *caps);
void nono_sandbox_state_free(struct NonoSandboxState *state);
char *nono_sandbox_state_to_json(const struct NonoSandboxState *state);
struct NonoSandboxState *nono_sandbox_state_from_json(const char *json);
struct NonoCapabilitySet *nono_sandbox_state_to_caps(const struct NonoSandboxState *state);

enum NonoDiagnosticCode nono_last_diagnostic_code(void);
char *nono_last_remediation_json(void);
char *nono_session_diagnostic_report_to_json(int32_t exit_code, const char *denials_json, const char *ipc_denials_json,
                                             const char *violations_json);
char *nono_merge_diagnostic_report_json(const char *session_json, const char *proxy_diagnostics_json);
