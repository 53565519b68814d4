/* SPDX-License-Identifier: Apache-2.0
   The C interface as a caller has it: every function, with what it promises and with what it must survive. Built as C99 and as
   C++, against the archive. Enforcement is tried in forked children. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nono/c/nono.h>

typedef struct NonoCapabilitySet Caps;

static int checks, failures;

static void check(int holds, const char *what, int line) {
  ++checks;
  if (holds) return;
  ++failures;
  fprintf(stderr, "%s:%d: %s\n", __FILE__, line, what);
}
#define CHECK(holds) check((holds) ? 1 : 0, #holds, __LINE__)

/* Compares and frees. */
static void check_text(char *got, const char *wanted, int line) {
  const int same = got != NULL && wanted != NULL ? strcmp(got, wanted) == 0 : got == NULL && wanted == NULL;
  check(same, "the text is another one", line);
  if (!same) fprintf(stderr, "  got    %s\n  wanted %s\n", got ? got : "NULL", wanted ? wanted : "NULL");
  nono_string_free(got);
}
#define TEXT(got, wanted) check_text(got, wanted, __LINE__)

static void check_holds(char *got, const char *part, int line) {
  check(got != NULL && strstr(got, part) != NULL, "the text lacks a part", line);
  if (got == NULL || strstr(got, part) == NULL) fprintf(stderr, "  got  %s\n  part %s\n", got ? got : "NULL", part);
  nono_string_free(got);
}
#define HOLDS(got, part) check_holds(got, part, __LINE__)

static char root[256]; /* a directory of this run */
static char name_room[8][512];
static const char *below(const char *name) {
  static int next;
  char *out = name_room[next++ % 8];
  snprintf(out, sizeof name_room[0], "%s/%s", root, name);
  return out;
}
static void make_file(const char *path) {
  FILE *f = fopen(path, "w");
  if (f == NULL || fputs("text\n", f) < 0 || fclose(f) != 0) perror(path), _exit(99);
}

/* What a child that `act` runs in ends with. */
static int in_child(int (*act)(void)) {
  int status = -1;
  const pid_t pid = fork();
  if (pid == 0) _exit(act());
  waitpid(pid, &status, 0);
  status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (status != 0) fprintf(stderr, "a child ended with %d\n", status); /* which of its conditions it was */
  return status;
}

static void library(void) {
  TEXT(nono_last_error(), NULL);
  CHECK(nono_last_diagnostic_code() == NONO_DIAGNOSTIC_CODE_OTHER);
  TEXT(nono_last_remediation_json(), NULL);
  nono_string_free(NULL);
  TEXT(nono_version(), NONO_C_VERSION);
  {
    char *a = nono_version(), *b = nono_version();
    CHECK(a != b);
    nono_string_free(a);
    nono_string_free(b);
  }
}

static void null_handles(void) {
  struct NonoQueryResult r;
  uintptr_t n = 7;
  int fd = -1;
  nono_clear_error();
  nono_capability_set_free(NULL);
  nono_query_context_free(NULL);
  nono_sandbox_state_free(NULL);
  nono_fs_list_free(NULL);
  nono_capability_set_deduplicate(NULL);
  CHECK(nono_capability_set_fs_count(NULL) == 0);
  CHECK(nono_capability_set_deny_count(NULL) == 0);
  TEXT(nono_capability_set_fs_original(NULL, 0), NULL);
  TEXT(nono_capability_set_fs_resolved(NULL, 0), NULL);
  TEXT(nono_capability_set_fs_rights(NULL, 0), NULL);
  TEXT(nono_capability_set_fs_source_group_name(NULL, 0), NULL);
  TEXT(nono_capability_set_deny_path_at(NULL, 0), NULL);
  TEXT(nono_capability_set_summary(NULL), NULL);
  CHECK(!nono_capability_set_fs_is_file(NULL, 0));
  CHECK(!nono_capability_set_path_covered(NULL, "/"));
  CHECK(!nono_capability_set_is_network_blocked(NULL));
  CHECK(nono_capability_set_network_mode(NULL) == NONO_NETWORK_MODE_ALLOW_ALL);
  CHECK(nono_capability_set_proxy_port(NULL) == 0);
  CHECK(nono_capability_set_fs_list(NULL, &n) == NULL && n == 0);
  CHECK(nono_query_context_new(NULL) == NULL);
  CHECK(nono_sandbox_state_from_caps(NULL) == NULL);
  TEXT(nono_sandbox_state_to_json(NULL), NULL);
  TEXT(nono_last_error(), NULL); /* none of these has words */

  CHECK(nono_capability_set_fs_access(NULL, 0) == NONO_ACCESS_MODE_INVALID);
  TEXT(nono_last_error(), "caps pointer is NULL");
  CHECK(nono_capability_set_fs_source_tag(NULL, 0) == NONO_CAPABILITY_SOURCE_TAG_USER);
  CHECK(nono_capability_set_allow_path(NULL, "/", 0) == NONO_ERROR_CODE_ERR_INVALID_ARG);
  CHECK(nono_capability_set_allow_file(NULL, "/", 0) == NONO_ERROR_CODE_ERR_INVALID_ARG);
  CHECK(nono_capability_set_allow_rights(NULL, "/", "read") == NONO_ERROR_CODE_ERR_INVALID_ARG);
  CHECK(nono_capability_set_deny_path(NULL, "/") == NONO_ERROR_CODE_ERR_INVALID_ARG);
  CHECK(nono_capability_set_set_network_blocked(NULL, true) == NONO_ERROR_CODE_ERR_INVALID_ARG);
  CHECK(nono_capability_set_set_network_mode(NULL, 0) == NONO_ERROR_CODE_ERR_INVALID_ARG);
  CHECK(nono_capability_set_set_proxy_port(NULL, 1) == NONO_ERROR_CODE_ERR_INVALID_ARG);
  CHECK(nono_capability_set_allow_port(NULL, 0, 1) == NONO_ERROR_CODE_ERR_INVALID_ARG);
  CHECK(nono_capability_set_allow_command(NULL, "x") == NONO_ERROR_CODE_ERR_INVALID_ARG);
  CHECK(nono_capability_set_block_command(NULL, "x") == NONO_ERROR_CODE_ERR_INVALID_ARG);
  CHECK(nono_capability_set_add_platform_rule(NULL, "(version 1)") == NONO_ERROR_CODE_ERR_INVALID_ARG);
  CHECK(nono_capability_set_best_effort(NULL, "network") == NONO_ERROR_CODE_ERR_INVALID_ARG);
  CHECK(nono_capability_set_lift(NULL, "network") == NONO_ERROR_CODE_ERR_INVALID_ARG);
  CHECK(nono_capability_set_set_strict(NULL, true) == NONO_ERROR_CODE_ERR_INVALID_ARG);
  CHECK(nono_sandbox_apply(NULL) == NONO_ERROR_CODE_ERR_INVALID_ARG);
  CHECK(nono_sandbox_prepare(NULL, &fd, &fd) == NONO_ERROR_CODE_ERR_INVALID_ARG);
  TEXT(nono_last_error(), "caps pointer is NULL");
  CHECK(nono_query_context_query_path(NULL, "/", 0, &r) == NONO_ERROR_CODE_ERR_INVALID_ARG);
  TEXT(nono_last_error(), "ctx or out_result pointer is NULL");
  CHECK(nono_query_context_query_network(NULL, &r) == NONO_ERROR_CODE_ERR_INVALID_ARG);
  TEXT(nono_query_context_explain(NULL, "/", 0), NULL);
  CHECK(nono_sandbox_state_to_caps(NULL) == NULL);
  TEXT(nono_last_error(), "state pointer is NULL");
  CHECK(nono_sandbox_state_from_json(NULL) == NULL);
  TEXT(nono_last_error(), "json is NULL or invalid UTF-8");
  CHECK(nono_sandbox_enter(-1, -1) == NONO_ERROR_CODE_ERR_INVALID_ARG);
}

static void grants(void) {
  Caps *c = nono_capability_set_new();
  char text[8192], here[4096];
  CHECK(c != NULL);
  TEXT(nono_capability_set_summary(c), "(no capabilities granted)\nNetwork:\n  outbound: allowed");
  CHECK(nono_capability_set_allow_path(c, root, NONO_ACCESS_MODE_READ) == NONO_ERROR_CODE_OK);
  CHECK(nono_capability_set_allow_path(c, below("dir/"), NONO_ACCESS_MODE_WRITE) == NONO_ERROR_CODE_OK);
  CHECK(nono_capability_set_allow_file(c, below("link"), NONO_ACCESS_MODE_READ_WRITE) == NONO_ERROR_CODE_OK);
  CHECK(nono_capability_set_allow_file(c, "/dev/null", NONO_ACCESS_MODE_READ_WRITE) == NONO_ERROR_CODE_OK);
  CHECK(nono_capability_set_fs_count(c) == 4);
  TEXT(nono_capability_set_fs_original(c, 1), below("dir/"));
  TEXT(nono_capability_set_fs_resolved(c, 1), below("dir"));
  TEXT(nono_capability_set_fs_resolved(c, 2), below("file"));
  CHECK(nono_capability_set_fs_access(c, 0) == NONO_ACCESS_MODE_READ);
  CHECK(nono_capability_set_fs_access(c, 1) == NONO_ACCESS_MODE_WRITE);
  CHECK(nono_capability_set_fs_access(c, 2) == NONO_ACCESS_MODE_READ_WRITE);
  CHECK(!nono_capability_set_fs_is_file(c, 0) && nono_capability_set_fs_is_file(c, 2) && nono_capability_set_fs_is_file(c, 3));
  CHECK(nono_capability_set_fs_source_tag(c, 0) == NONO_CAPABILITY_SOURCE_TAG_USER);
  TEXT(nono_capability_set_fs_source_group_name(c, 0), NULL);
  TEXT(nono_capability_set_fs_original(c, 4), NULL);
  TEXT(nono_capability_set_fs_resolved(c, UINTPTR_MAX), NULL);
  CHECK(nono_capability_set_fs_access(c, 4) == NONO_ACCESS_MODE_INVALID);
  TEXT(nono_last_error(), "index 4 out of bounds");
  snprintf(text, sizeof text,
           "Filesystem:\n  %s [read] (dir)\n  %s/dir [write] (dir)\n  %s/file [read+write] (file)\n"
           "  /dev/null [read+write] (file)\nNetwork:\n  outbound: allowed", root, root, root);
  TEXT(nono_capability_set_summary(c), text);

  /* Failures leave the set as it was, and say what was given. */
  CHECK(nono_capability_set_allow_path(c, below("missing"), 0) == NONO_ERROR_CODE_ERR_PATH_NOT_FOUND);
  snprintf(text, sizeof text, "Path does not exist: %s/missing", root);
  TEXT(nono_last_error(), text);
  CHECK(nono_last_diagnostic_code() == NONO_DIAGNOSTIC_CODE_OTHER);
  CHECK(nono_capability_set_allow_path(c, "", 0) == NONO_ERROR_CODE_ERR_PATH_NOT_FOUND);
  CHECK(nono_capability_set_allow_path(c, below("file"), 0) == NONO_ERROR_CODE_ERR_EXPECTED_DIRECTORY);
  HOLDS(nono_last_error(), "Expected a directory but got a file: /");
  CHECK(nono_capability_set_allow_file(c, below("dir"), 0) == NONO_ERROR_CODE_ERR_EXPECTED_FILE);
  HOLDS(nono_last_error(), "Expected a file but got a directory: /");
  CHECK(nono_capability_set_allow_file(c, below("file/x"), 0) == NONO_ERROR_CODE_ERR_PATH_CANONICALIZATION);
  HOLDS(nono_last_error(), "Not a directory (os error 20)");
  CHECK(nono_capability_set_allow_file(c, below("loop"), 0) == NONO_ERROR_CODE_ERR_PATH_CANONICALIZATION);
  CHECK(nono_capability_set_allow_path(c, root, 3) == NONO_ERROR_CODE_ERR_INVALID_ARG);
  TEXT(nono_last_error(), "invalid access mode: 3");
  CHECK(nono_capability_set_allow_path(c, NULL, NONO_ACCESS_MODE_INVALID) == NONO_ERROR_CODE_ERR_INVALID_ARG);
  TEXT(nono_last_error(), "invalid access mode: 4294967295"); /* the mode comes first */
  CHECK(nono_capability_set_allow_path(c, NULL, 0) == NONO_ERROR_CODE_ERR_INVALID_ARG);
  TEXT(nono_last_error(), "path is NULL or invalid UTF-8");
  CHECK(nono_capability_set_allow_path(c, "/\xff", 0) == NONO_ERROR_CODE_ERR_INVALID_ARG);
  CHECK(nono_capability_set_fs_count(c) == 4);

  /* Relative paths are below the current directory; the spelling stays. */
  CHECK(getcwd(here, sizeof here) != NULL && chdir(root) == 0);
  CHECK(nono_capability_set_allow_path(c, "dir/../dir", 0) == NONO_ERROR_CODE_OK);
  CHECK(chdir(here) == 0);
  TEXT(nono_capability_set_fs_original(c, 4), "dir/../dir");
  TEXT(nono_capability_set_fs_resolved(c, 4), below("dir"));

  /* A write and a read of one directory become one entry; the link's spelling stays. */
  CHECK(nono_capability_set_allow_file(c, below("file"), NONO_ACCESS_MODE_READ) == NONO_ERROR_CODE_OK);
  nono_capability_set_deduplicate(c);
  CHECK(nono_capability_set_fs_count(c) == 4);
  CHECK(nono_capability_set_fs_access(c, 1) == NONO_ACCESS_MODE_READ_WRITE);
  TEXT(nono_capability_set_fs_original(c, 2), below("link"));

  CHECK(nono_capability_set_path_covered(c, below("dir/x")) && nono_capability_set_path_covered(c, root));
  snprintf(text, sizeof text, "%s-not", root);
  CHECK(!nono_capability_set_path_covered(c, text));
  CHECK(!nono_capability_set_path_covered(c, below("../../etc/passwd"))); /* folded, unlike the reference */
  CHECK(!nono_capability_set_path_covered(c, "dir") && !nono_capability_set_path_covered(c, NULL) &&
        !nono_capability_set_path_covered(c, "/\xff"));
  CHECK(!nono_capability_set_path_covered(c, "/dev/null"));
  nono_capability_set_free(c);
}

static void finer(void) {
  Caps *c = nono_capability_set_new();
  uintptr_t n = 0;
  struct NonoFsCapability *list;
  CHECK(nono_capability_set_allow_rights(c, root, "read_file|list") == NONO_ERROR_CODE_OK);
  TEXT(nono_capability_set_fs_rights(c, 0), "read_file|list");
  CHECK(nono_capability_set_fs_access(c, 0) == NONO_ACCESS_MODE_INVALID);
  HOLDS(nono_last_error(), "nono_capability_set_fs_rights()");
  CHECK(nono_capability_set_allow_rights(c, root, "read_write") == NONO_ERROR_CODE_OK);
  CHECK(nono_capability_set_fs_access(c, 1) == NONO_ACCESS_MODE_READ_WRITE);
  CHECK(nono_capability_set_allow_rights(c, root, "fly") == NONO_ERROR_CODE_ERR_INVALID_ARG);
  TEXT(nono_last_error(), "invalid rights: fly");
  CHECK(nono_capability_set_allow_rights(c, root, "") == NONO_ERROR_CODE_ERR_INVALID_ARG);
  CHECK(nono_capability_set_allow_rights(c, root, "read||list") == NONO_ERROR_CODE_ERR_INVALID_ARG);
  CHECK(nono_capability_set_allow_rights(c, root, NULL) == NONO_ERROR_CODE_ERR_INVALID_ARG);
  list = nono_capability_set_fs_list(c, &n);
  CHECK(n == 2 && list != NULL);
  if (list != NULL) {
    CHECK(strcmp(list[0].original, root) == 0 && strcmp(list[1].resolved, root) == 0);
    CHECK(strcmp(list[0].rights, "read_file|list") == 0 && list[0].access == NONO_ACCESS_MODE_INVALID);
    CHECK(list[1].access == NONO_ACCESS_MODE_READ_WRITE && list[1].source == NONO_CAPABILITY_SOURCE_TAG_USER);
    CHECK(!list[0].is_file && list[0].group_name == NULL);
  }
  nono_fs_list_free(list);
  CHECK(nono_capability_set_deny_path(c, below("missing/deep")) == NONO_ERROR_CODE_OK);
  CHECK(nono_capability_set_deny_path(c, below("missing/../x")) == NONO_ERROR_CODE_ERR_PATH_CANONICALIZATION);
  CHECK(nono_capability_set_deny_count(c) == 1);
  TEXT(nono_capability_set_deny_path_at(c, 0), below("missing/deep"));
  TEXT(nono_capability_set_deny_path_at(c, 1), NULL);
  HOLDS(nono_capability_set_summary(c), "Denied:\n  /");
  nono_capability_set_free(c);
}

static void network(void) {
  Caps *c = nono_capability_set_new();
  int i;
  CHECK(nono_capability_set_network_mode(c) == NONO_NETWORK_MODE_ALLOW_ALL && !nono_capability_set_is_network_blocked(c));
  CHECK(nono_capability_set_allow_port(c, NONO_PORT_USE_CONNECT_TCP, 443) == NONO_ERROR_CODE_ERR_INVALID_ARG);
  HOLDS(nono_last_error(), "block the network first");
  CHECK(nono_capability_set_set_network_blocked(c, true) == NONO_ERROR_CODE_OK);
  CHECK(nono_capability_set_network_mode(c) == NONO_NETWORK_MODE_BLOCKED && nono_capability_set_is_network_blocked(c));
  CHECK(nono_capability_set_set_network_mode(c, 3) == NONO_ERROR_CODE_ERR_INVALID_ARG);
  TEXT(nono_last_error(), "invalid network mode: 3");
  CHECK(nono_capability_set_set_proxy_port(c, 8080) == NONO_ERROR_CODE_OK);
  CHECK(nono_capability_set_network_mode(c) == NONO_NETWORK_MODE_PROXY_ONLY && nono_capability_set_proxy_port(c) == 8080);
  CHECK(nono_capability_set_is_network_blocked(c));
  CHECK(nono_capability_set_allow_port(c, NONO_PORT_USE_BIND_TCP, 3000) == NONO_ERROR_CODE_OK);
  CHECK(nono_capability_set_allow_port(c, NONO_PORT_USE_BIND_TCP, 3000) == NONO_ERROR_CODE_OK);
  CHECK(nono_capability_set_allow_port(c, NONO_PORT_USE_CONNECT_TCP, 443) == NONO_ERROR_CODE_OK);
  CHECK(nono_capability_set_allow_port(c, 2, 443) == NONO_ERROR_CODE_ERR_INVALID_ARG);
  CHECK(nono_capability_set_allow_port(c, NONO_PORT_USE_CONNECT_TCP, 0) == NONO_ERROR_CODE_ERR_INVALID_ARG);
  TEXT(nono_capability_set_summary(c), "(no capabilities granted)\nNetwork:\n  outbound: proxy-only (localhost:8080)\n"
                                       "  tcp connect ports: 443\n  tcp bind ports: 3000");
  CHECK(nono_capability_set_set_network_mode(c, NONO_NETWORK_MODE_PROXY_ONLY) == NONO_ERROR_CODE_OK);
  CHECK(nono_capability_set_proxy_port(c) == 0);
  for (i = 1; i <= 32; ++i) CHECK(nono_capability_set_allow_port(c, 0, (uint16_t)i) == NONO_ERROR_CODE_OK);
  CHECK(nono_capability_set_allow_port(c, 0, 33) == NONO_ERROR_CODE_ERR_INVALID_ARG);
  TEXT(nono_last_error(), "more than 32 ports");
  CHECK(nono_capability_set_set_network_blocked(c, false) == NONO_ERROR_CODE_OK);
  CHECK(nono_capability_set_network_mode(c) == NONO_NETWORK_MODE_ALLOW_ALL && nono_capability_set_proxy_port(c) == 0);

  CHECK(nono_capability_set_best_effort(c, "signals") == NONO_ERROR_CODE_OK);
  CHECK(nono_capability_set_lift(c, "ipc") == NONO_ERROR_CODE_OK);
  CHECK(nono_capability_set_lift(c, "foreign_abi") == NONO_ERROR_CODE_ERR_INVALID_ARG);
  CHECK(nono_capability_set_lift(c, "nonsense") == NONO_ERROR_CODE_ERR_INVALID_ARG);
  HOLDS(nono_last_error(), "unknown protection: nonsense; there are filesystem");
  CHECK(nono_capability_set_lift(c, NULL) == NONO_ERROR_CODE_ERR_INVALID_ARG);
  CHECK(nono_capability_set_set_strict(c, true) == NONO_ERROR_CODE_OK);
  CHECK(nono_capability_set_allow_command(c, "ls") == NONO_ERROR_CODE_OK);
  CHECK(nono_capability_set_block_command(c, "rm") == NONO_ERROR_CODE_OK);
  CHECK(nono_capability_set_block_command(c, "\xc0") == NONO_ERROR_CODE_ERR_INVALID_ARG);
  TEXT(nono_last_error(), "cmd is NULL or invalid UTF-8");
  nono_capability_set_free(c);
}

static void platform_rules(void) {
  static const char *const good[] = {
      "(version 1)", " \n(deny file-read* (subpath \"/x\"))", "(allow file-read* (subpath \"/opt/x\"))",
      "(allow file-read* (literal \"/\"))", "#| a |# (version 1) ; b", "(version 1)(deny default)", "(allow network*)",
      "(deny file-write* (subpath \"/\"))", "(allow file-read-metadata)", "(allow file-read* (regex #\"^/opt/.*$\"))", "()"};
  static const char *const bad[] = {
      "", "version 1", "(", "(version 1", "(version 1))", "(a \"b)", "(a \"\\", "#| a", "(version 1) #| b",
      "(allow file-read* (subpath \"/\"))", "(allow file-write* (subpath \"/\"))", "(allow file-read*\n(subpath \"//\"))",
      "(allow file-read* (subpath \"\\/\"))", "(allow ; )\n file-read* (subpath \"/\"))", "(allow file-read*)", "(allow file*)",
      "(allow default)", "(allow file-read* (require-any (literal \"/a\") (subpath \"/\")))",
      "(allow file-read* (require-not (literal \"/a\")))", "(allow file-read* (regex #\"^/\"))", "(allow file-read* (regex #\".*\"))",
      "(version 1) (allow file-read-data (subpath \"/.\"))", "(if #t (allow file-write* (subpath \"/\")))"};
  Caps *c = nono_capability_set_new();
  size_t i;
  char deep[4096];
  for (i = 0; i < sizeof good / sizeof *good; ++i) {
    const int ok = nono_capability_set_add_platform_rule(c, good[i]) == NONO_ERROR_CODE_OK;
    if (!ok) fprintf(stderr, "  refused: %s\n", good[i]);
    CHECK(ok);
  }
  for (i = 0; i < sizeof bad / sizeof *bad; ++i) {
    const int refused = nono_capability_set_add_platform_rule(c, bad[i]) == NONO_ERROR_CODE_ERR_SANDBOX_INIT;
    if (!refused) fprintf(stderr, "  accepted: %s\n", bad[i]);
    CHECK(refused);
    HOLDS(nono_last_error(), "Sandbox initialization failed: ");
  }
  memset(deep, '(', sizeof deep - 1);
  deep[sizeof deep - 1] = '\0';
  CHECK(nono_capability_set_add_platform_rule(c, deep) == NONO_ERROR_CODE_ERR_SANDBOX_INIT);
  CHECK(nono_capability_set_add_platform_rule(c, NULL) == NONO_ERROR_CODE_ERR_INVALID_ARG);
  TEXT(nono_last_error(), "rule is NULL or invalid UTF-8");
  nono_capability_set_free(c);
}

/* Asks, compares, frees. */
static void ask(const struct NonoQueryContext *q, const char *path, uint32_t mode, enum NonoQueryReason reason, const char *granted_path,
                const char *access, const char *granted, const char *requested, int line) {
  struct NonoQueryResult r;
  memset(&r, 0x55, sizeof r);
  check(nono_query_context_query_path(q, path, mode, &r) == NONO_ERROR_CODE_OK, "the question fails", line);
  check(r.status == (reason == NONO_QUERY_REASON_GRANTED_PATH ? NONO_QUERY_STATUS_ALLOWED : NONO_QUERY_STATUS_DENIED), "status", line);
  check(r.reason == reason, "reason", line);
  check_text(r.granted_path, granted_path, line);
  check_text(r.access, access, line);
  check_text(r.granted, granted, line);
  check_text(r.requested, requested, line);
}
#define ALLOWED(path, mode, by, access) ask(q, path, mode, NONO_QUERY_REASON_GRANTED_PATH, by, access, NULL, NULL, __LINE__)
#define DENIED(path, mode) ask(q, path, mode, NONO_QUERY_REASON_PATH_NOT_GRANTED, NULL, NULL, NULL, NULL, __LINE__)
#define TOO_LITTLE(path, mode, granted, requested) \
  ask(q, path, mode, NONO_QUERY_REASON_INSUFFICIENT_ACCESS, NULL, NULL, granted, requested, __LINE__)

static void questions(void) {
  Caps *c = nono_capability_set_new();
  struct NonoQueryContext *q;
  struct NonoQueryResult r;
  char here[4096];
  CHECK(nono_capability_set_allow_path(c, root, NONO_ACCESS_MODE_READ) == NONO_ERROR_CODE_OK);
  CHECK(nono_capability_set_allow_path(c, below("dir"), NONO_ACCESS_MODE_READ_WRITE) == NONO_ERROR_CODE_OK);
  CHECK(nono_capability_set_allow_path(c, below("dir2"), NONO_ACCESS_MODE_WRITE) == NONO_ERROR_CODE_OK);
  CHECK(nono_capability_set_deny_path(c, below("dir3/no")) == NONO_ERROR_CODE_OK);
  q = nono_query_context_new(c);
  CHECK(nono_capability_set_allow_path(c, "/usr", NONO_ACCESS_MODE_READ) == NONO_ERROR_CODE_OK); /* too late for q */
  nono_capability_set_set_network_blocked(c, true);

  ALLOWED(below("file"), 0, root, "read");
  ALLOWED(below("missing"), 0, root, "read");
  TOO_LITTLE(below("file"), 1, "read", "write");
  TOO_LITTLE(below("file"), 2, "read", "read+write");
  /* The kernel adds up what grants say. */
  ALLOWED(below("dir/new"), 1, below("dir"), "read+write");
  ALLOWED(below("dir2/x"), 2, below("dir2"), "read+write");
  ALLOWED(below("dir2/x"), 0, root, "read");
  DENIED("/usr/bin/env", 0);
  DENIED("/etc/passwd", 0);
  DENIED(below("missing/../../../etc/passwd"), 0);
  DENIED(below("out"), 0);          /* a link that leads out */
  DENIED(below("dangling"), 1);     /* the same, to something that is missing */
  DENIED(below("loop"), 0);
  DENIED("", 0);
  DENIED(below("dir3/no"), 0);
  DENIED(below("dir3/no/deeper"), 0);
  CHECK(getcwd(here, sizeof here) != NULL && chdir(below("dir")) == 0);
  ALLOWED("brand-new", 1, below("dir"), "read+write"); /* a bare name */
  CHECK(chdir(here) == 0);

  memset(&r, 0x55, sizeof r);
  CHECK(nono_query_context_query_path(q, root, 9, &r) == NONO_ERROR_CODE_ERR_INVALID_ARG);
  CHECK(nono_query_context_query_path(q, NULL, 0, &r) == NONO_ERROR_CODE_ERR_INVALID_ARG);
  CHECK(nono_query_context_query_path(q, "\xff", 0, &r) == NONO_ERROR_CODE_ERR_INVALID_ARG);
  CHECK(nono_query_context_query_path(q, root, 0, NULL) == NONO_ERROR_CODE_ERR_INVALID_ARG);
  { /* untouched */
    struct NonoQueryResult same;
    memset(&same, 0x55, sizeof same);
    CHECK(memcmp(&same, &r, sizeof r) == 0);
  }
  CHECK(nono_query_context_query_network(q, &r) == NONO_ERROR_CODE_OK && r.reason == NONO_QUERY_REASON_NETWORK_ALLOWED);
  HOLDS(nono_query_context_explain(q, below("file"), 0), "is allowed by the grant [read] of '");
  HOLDS(nono_query_context_explain(q, below("file"), 1), "give read alone; nono_capability_set_allow_file('");
  HOLDS(nono_query_context_explain(q, "/etc/passwd", 0), "is denied: no grant covers it; nono_capability_set_allow_file('/etc/passwd', read)");
  HOLDS(nono_query_context_explain(q, below("dir3/no"), 0), "is denied by the deny of '");
  HOLDS(nono_query_context_explain(q, below("loop"), 0), "leads nowhere");
  HOLDS(nono_query_context_explain(q, "/none", 0), "make it first");
  TEXT(nono_query_context_explain(q, root, 3), NULL);
  nono_query_context_free(q);
  q = nono_query_context_new(c);
  CHECK(nono_query_context_query_network(q, &r) == NONO_ERROR_CODE_OK && r.reason == NONO_QUERY_REASON_NETWORK_BLOCKED &&
        r.status == NONO_QUERY_STATUS_DENIED);
  nono_query_context_free(q);
  /* Another name of a granted file. */
  nono_capability_set_free(c);
  c = nono_capability_set_new();
  CHECK(nono_capability_set_allow_file(c, below("file"), 0) == NONO_ERROR_CODE_OK);
  CHECK(link(below("file"), below("dir/alias")) == 0);
  q = nono_query_context_new(c);
  ALLOWED(below("dir/alias"), 0, below("file"), "read");
  DENIED(below("dir/inner"), 0);
  CHECK(unlink(below("dir/alias")) == 0);
  nono_query_context_free(q);
  /* What is lifted. */
  nono_capability_set_set_network_blocked(c, true);
  CHECK(nono_capability_set_lift(c, "network") == NONO_ERROR_CODE_OK && nono_capability_set_lift(c, "filesystem") == NONO_ERROR_CODE_OK);
  q = nono_query_context_new(c);
  CHECK(nono_query_context_query_network(q, &r) == NONO_ERROR_CODE_OK && r.status == NONO_QUERY_STATUS_ALLOWED);
  ALLOWED("/etc/passwd", 2, "/", "read+write");
  HOLDS(nono_query_context_explain(q, "/etc/passwd", 0), "is allowed: the set lifts 'filesystem'");
  nono_query_context_free(q);
  nono_capability_set_free(c);
}

static void state(void) {
  static const char *const bad[] = {"not valid json", "", "[]", "{}", "{\"fs\": []}", "{\"fs\": [], \"net_blocked\": 1}",
                                    "{\"fs\": {}, \"net_blocked\": true}", "{\"fs\": [], \"net_blocked\": true} x",
                                    "{\"fs\": [], \"fs\": [], \"net_blocked\": true}",
                                    "{\"fs\": [], \"net_blocked\": true, \"nono_c\": []}",
                                    "{\"fs\": [], \"net_blocked\": true, \"nono_c\": {\"proxy_port\": 70000}}",
                                    "{\"fs\": [], \"net_blocked\": false, \"nono_c\": {\"proxy_port\": 80}}"};
  Caps *c = nono_capability_set_new(), *d;
  struct NonoSandboxState *s;
  char *json, *again;
  char text[8192];
  size_t i;
  CHECK(nono_capability_set_allow_path(c, below("dir"), NONO_ACCESS_MODE_READ_WRITE) == NONO_ERROR_CODE_OK);
  nono_capability_set_set_network_blocked(c, true);
  s = nono_sandbox_state_from_caps(c);
  json = nono_sandbox_state_to_json(s);
  snprintf(text, sizeof text,
           "{\n  \"fs\": [\n    {\n      \"original\": \"%s/dir\",\n      \"resolved\": \"%s/dir\",\n      \"access\": \"read+write\",\n"
           "      \"is_file\": false\n    }\n  ],\n  \"net_blocked\": true\n}", root, root);
  CHECK(json != NULL && strcmp(json, text) == 0); /* what the reference would write */
  nono_sandbox_state_free(s);

  /* What only this interface has comes back, too. */
  nono_capability_set_set_proxy_port(c, 8080);
  nono_capability_set_allow_port(c, NONO_PORT_USE_BIND_TCP, 3000);
  nono_capability_set_allow_rights(c, below("file"), "read_file");
  nono_capability_set_deny_path(c, below("dir3/no"));
  nono_capability_set_allow_command(c, "l\"s");
  nono_capability_set_block_command(c, "rm");
  nono_capability_set_add_platform_rule(c, "(version 1)");
  nono_capability_set_lift(c, "ipc");
  nono_string_free(json);
  s = nono_sandbox_state_from_caps(c);
  json = nono_sandbox_state_to_json(s);
  nono_sandbox_state_free(s);
  s = nono_sandbox_state_from_json(json);
  CHECK(s != NULL);
  again = nono_sandbox_state_to_json(s);
  CHECK(json != NULL && again != NULL && strcmp(json, again) == 0);
  d = nono_sandbox_state_to_caps(s);
  CHECK(d != NULL);
  CHECK(nono_capability_set_proxy_port(d) == 8080 && nono_capability_set_network_mode(d) == NONO_NETWORK_MODE_PROXY_ONLY);
  CHECK(nono_capability_set_fs_count(d) == 2 && nono_capability_set_deny_count(d) == 1);
  TEXT(nono_capability_set_fs_rights(d, 1), "read_file");
  {
    char *a = nono_capability_set_summary(c), *b = nono_capability_set_summary(d);
    CHECK(a != NULL && b != NULL && strcmp(a, b) == 0);
    nono_string_free(a);
    nono_string_free(b);
  }
  nono_sandbox_state_free(s);
  s = nono_sandbox_state_from_caps(d);
  nono_string_free(again);
  again = nono_sandbox_state_to_json(s);
  CHECK(json != NULL && again != NULL && strcmp(json, again) == 0);
  nono_capability_set_free(d);
  nono_sandbox_state_free(s);
  nono_string_free(again);
  nono_string_free(json);

  for (i = 0; i < sizeof bad / sizeof *bad; ++i) {
    CHECK(nono_sandbox_state_from_json(bad[i]) == NULL);
    HOLDS(nono_last_error(), "JSON parse error: ");
  }
  CHECK(nono_sandbox_state_from_json("\xff") == NULL);
  /* Unknown keys are passed over, and not written again. */
  s = nono_sandbox_state_from_json("{\"future\": 1, \"fs\": [], \"net_blocked\": false}");
  CHECK(s != NULL);
  TEXT(nono_sandbox_state_to_json(s), "{\n  \"fs\": [],\n  \"net_blocked\": false\n}");
  nono_sandbox_state_free(s);
  s = nono_sandbox_state_from_json(
      "{\"fs\": [{\"original\": \"/\", \"resolved\": \"/\", \"access\": \"fly\", \"is_file\": false}], \"net_blocked\": false}");
  CHECK(s != NULL);
  CHECK(nono_sandbox_state_to_caps(s) == NULL);
  TEXT(nono_last_error(), "Configuration parse error: invalid access mode in sandbox state: fly");
  CHECK(nono_last_diagnostic_code() == NONO_DIAGNOSTIC_CODE_CONFIGURATION_ERROR);
  TEXT(nono_last_remediation_json(), "{\"kind\":\"check_policy\"}");
  nono_sandbox_state_free(s);

  /* A path that is gone, and one that leads elsewhere now. */
  CHECK(mkdir(below("moves"), 0700) == 0);
  nono_capability_set_free(c);
  c = nono_capability_set_new();
  CHECK(nono_capability_set_allow_path(c, below("moves"), 0) == NONO_ERROR_CODE_OK);
  s = nono_sandbox_state_from_caps(c);
  CHECK(rmdir(below("moves")) == 0);
  CHECK(nono_sandbox_state_to_caps(s) == NULL);
  HOLDS(nono_last_error(), "Path does not exist: /");
  CHECK(symlink("dir", below("moves")) == 0);
  CHECK(nono_sandbox_state_to_caps(s) == NULL);
  HOLDS(nono_last_error(), "leads to");
  CHECK(unlink(below("moves")) == 0);
  nono_sandbox_state_free(s);
  nono_capability_set_free(c);
}

/* What a state of the library has beside what this interface can be told: it holds, or the state is not restored. */
static void foreign_state(void) {
  static const char *const refused[] = {
      "\"nono_c\": {\"platform_rules\": [\"(allow file-read* (subpath \\\"/\\\"))\"]}",
      "\"nono_c\": {}, \"nono_c\": {}",
  };
  char text[4096], other[64];
  Caps *c = nono_capability_set_new();
  struct NonoSandboxState *s;
  struct stat st;
  size_t i;
  for (i = 0; i < sizeof refused / sizeof *refused; ++i) {
    snprintf(text, sizeof text, "{\"fs\": [], \"net_blocked\": false, %s}", refused[i]);
    s = nono_sandbox_state_from_json(text);
    CHECK(nono_sandbox_state_to_caps(s) == NULL);
    nono_sandbox_state_free(s);
  }
  /* Unknown keys may be repeated, and deep. */
  snprintf(text, sizeof text, "{\"fs\": [], \"net_blocked\": false, \"x\": 1, \"x\": %.*s1%.*s}", 70,
           "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", 70,
           "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
  s = nono_sandbox_state_from_json(text);
  CHECK(s != NULL);
  nono_sandbox_state_free(s);

  /* A file that must be the one it was. */
  CHECK(stat(below("file"), &st) == 0);
  for (i = 0; i < 2; ++i) {
    Caps *d;
    snprintf(other, sizeof other, "\"device\": %llu, \"inode\": %llu", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino + i);
    snprintf(text, sizeof text,
             "{\"fs\": [{\"original\": \"%s/file\", \"resolved\": \"%s/file\", \"access\": \"read\", \"is_file\": true}], "
             "\"net_blocked\": false, \"nono\": {\"version\": 1, \"rules\": [{\"path\": \"%s/file\", \"kind\": \"file\", "
             "\"rights\": \"read\", \"resolved\": \"%s/file\", %s}], \"network\": {\"mode\": \"unrestricted\"}}}",
             root, root, root, root, other);
    s = nono_sandbox_state_from_json(text);
    CHECK(s != NULL);
    d = nono_sandbox_state_to_caps(s);
    CHECK((d != NULL) == (i == 0));
    if (d == NULL) HOLDS(nono_last_error(), "another file stands at");
    nono_capability_set_free(d);
    nono_sandbox_state_free(s);
  }

  /* A deny by a link that leads elsewhere now. */
  CHECK(mkdir(below("place"), 0700) == 0 && symlink("place", below("led")) == 0);
  CHECK(nono_capability_set_deny_path(c, below("led")) == NONO_ERROR_CODE_OK);
  s = nono_sandbox_state_from_caps(c);
  CHECK(unlink(below("led")) == 0 && symlink("dir", below("led")) == 0);
  CHECK(nono_sandbox_state_to_caps(s) == NULL);
  HOLDS(nono_last_error(), "leads to");
  CHECK(unlink(below("led")) == 0 && rmdir(below("place")) == 0);
  nono_sandbox_state_free(s);
  nono_capability_set_free(c);

  /* A reader of the reference's keys alone must not see a grant without the deny that it meets; we see both. */
  c = nono_capability_set_new();
  CHECK(nono_capability_set_allow_path(c, below("dir3"), 2) == NONO_ERROR_CODE_OK);
  CHECK(nono_capability_set_deny_path(c, below("dir3/no")) == NONO_ERROR_CODE_OK);
  s = nono_sandbox_state_from_caps(c);
  nono_capability_set_free(c);
  HOLDS(nono_sandbox_state_to_json(s), "{\n  \"fs\": [],\n");
  c = nono_sandbox_state_to_caps(s);
  CHECK(nono_capability_set_fs_count(c) == 1 && nono_capability_set_deny_count(c) == 1);
  nono_capability_set_free(c);
  nono_sandbox_state_free(s);

  /* A name that begins as a variable does; what is granted on another system. */
  {
    char here[4096];
    CHECK(getcwd(here, sizeof here) != NULL && chdir(root) == 0);
    make_file("$HOME");
    c = nono_capability_set_new();
    CHECK(nono_capability_set_allow_file(c, "$HOME", 0) == NONO_ERROR_CODE_OK);
    s = nono_sandbox_state_from_caps(c);
    nono_capability_set_free(c);
    c = nono_sandbox_state_to_caps(s);
    CHECK(nono_capability_set_fs_count(c) == 1);
    nono_capability_set_free(c);
    nono_sandbox_state_free(s);
    CHECK(unlink("$HOME") == 0 && chdir(here) == 0);
  }
}

static void *other_thread(void *slot) {
  char *text = nono_last_error();
  *(int *)slot = text == NULL;
  nono_string_free(text);
  return NULL;
}

static void failures_are_of_their_thread(void) {
  pthread_t t;
  int none = 0;
  nono_clear_error();
  CHECK(nono_capability_set_allow_path(NULL, "/", 0) == NONO_ERROR_CODE_ERR_INVALID_ARG);
  CHECK(pthread_create(&t, NULL, other_thread, &none) == 0 && pthread_join(t, NULL) == 0);
  CHECK(none == 1);
  TEXT(nono_version(), NONO_C_VERSION); /* success clears nothing */
  TEXT(nono_last_error(), "caps pointer is NULL");
  nono_clear_error();
  TEXT(nono_last_error(), NULL);
}

static void diagnostics(void) {
  TEXT(nono_session_diagnostic_report_to_json(3, NULL, "", NULL),
       "{\"exit_code\":3,\"denials\":[],\"ipc_denials\":[],\"violations\":[],\"diagnostics\":[]}");
  HOLDS(nono_session_diagnostic_report_to_json(
            1, "[{\"path\":\"/b\",\"access\":\"Read\",\"reason\":\"UserDenied\"},{\"path\":\"/a\",\"access\":\"Read\",\"reason\":\"PolicyBlocked\"}]",
            NULL, "[{\"operation\":\"file-write-data\",\"target\":\"/b\"},{\"operation\":\"mach-lookup\",\"target\":null}]"),
        "\"denials\":[{\"path\":\"/a\",\"access\":\"Read\",\"reason\":\"PolicyBlocked\"},{\"path\":\"/b\",\"access\":\"ReadWrite\","
        "\"reason\":\"PolicyBlocked\"}]");
  TEXT(nono_session_diagnostic_report_to_json(0, "{}", NULL, NULL), NULL);
  HOLDS(nono_last_error(), "invalid denial JSON array: ");
  TEXT(nono_session_diagnostic_report_to_json(0, "[", NULL, NULL), NULL);
  TEXT(nono_session_diagnostic_report_to_json(0, "[1]", NULL, NULL), NULL);
  TEXT(nono_session_diagnostic_report_to_json(0, NULL, "[{}]", NULL), NULL);
  HOLDS(nono_last_error(), "invalid IPC denial JSON array: ");
  TEXT(nono_session_diagnostic_report_to_json(0, NULL, NULL, "[{}]"), NULL);
  HOLDS(nono_last_error(), "invalid violation JSON array: ");
  TEXT(nono_merge_diagnostic_report_json("{\"a\":1.5}", NULL), "{\n  \"session\": {\n    \"a\": 1.5\n  }\n}");
  HOLDS(nono_merge_diagnostic_report_json("1", "[2]"), "\"proxy\": [\n    2\n  ]");
  TEXT(nono_merge_diagnostic_report_json(NULL, NULL), NULL);
  TEXT(nono_last_error(), "session_json is null");
  TEXT(nono_merge_diagnostic_report_json("{", NULL), NULL);
  {
    static char deep[400001];
    memset(deep, '[', 200000);
    memset(deep + 200000, ']', 200000);
    TEXT(nono_merge_diagnostic_report_json(deep, NULL), NULL);
    TEXT(nono_session_diagnostic_report_to_json(0, NULL, NULL, deep), NULL);
  }
}

/* ---- enforcement ---- */

static int opens(const char *path, int flags) {
  const int fd = open(path, flags | O_CLOEXEC, 0600);
  if (fd < 0) return errno;
  close(fd);
  return 0;
}

static volatile int go_on;
static int seen_by_thread = -1;
static void *reads_later(void *path) {
  while (!go_on) usleep(100);
  seen_by_thread = opens((const char *)path, O_RDONLY);
  return NULL;
}

static int applies(void) {
  Caps *c = nono_capability_set_new();
  pthread_t t;
  if (nono_capability_set_allow_file(c, below("file"), NONO_ACCESS_MODE_READ) != NONO_ERROR_CODE_OK) return 1;
  nono_capability_set_set_network_blocked(c, true);
  if (pthread_create(&t, NULL, reads_later, (void *)below("dir/inner")) != 0) return 2;
  if (nono_sandbox_apply(c) != NONO_ERROR_CODE_OK) return fprintf(stderr, "%s\n", nono_last_error()), 3;
  go_on = 1;
  pthread_join(t, NULL);
  if (seen_by_thread != EACCES) return 4;
  if (opens(below("file"), O_RDONLY) != 0) return 5;
  if (opens(below("dir/inner"), O_RDONLY) != EACCES) return 6;
  if (opens(below("file"), O_WRONLY) != EACCES) return 7;
  if (socket(AF_INET, SOCK_DGRAM, 0) >= 0 || errno != EACCES) return 8;
  if (socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EACCES) return 9;
  {
    char *report = nono_sandbox_report_json();
    if (report == NULL || strstr(report, "\"threads\": 2") == NULL) return 10;
    nono_string_free(report);
  }
  if (nono_sandbox_apply(c) != NONO_ERROR_CODE_OK) return 11; /* once more */
  /* The set is still what it was. */
  if (nono_capability_set_allow_path(c, "/nonexistent", 0) != NONO_ERROR_CODE_ERR_PATH_NOT_FOUND) return 12;
  return 0;
}

static int applies_a_contradiction(void) {
  Caps *c = nono_capability_set_new();
  if (nono_capability_set_allow_path(c, root, 0) != NONO_ERROR_CODE_OK) return 1;
  if (nono_capability_set_deny_path(c, below("dir")) != NONO_ERROR_CODE_OK) return 2;
  if (nono_sandbox_apply(c) != NONO_ERROR_CODE_ERR_SANDBOX_INIT) return 3;
  if (strstr(nono_last_error(), "Sandbox initialization failed: ") == NULL) return 4;
  return opens(below("dir/inner"), O_RDONLY); /* nothing was restricted */
}

static int applies_to_a_path_that_is_gone(void) {
  Caps *c = nono_capability_set_new();
  if (mkdir(below("gone"), 0700) != 0 || nono_capability_set_allow_path(c, below("gone"), 0) != NONO_ERROR_CODE_OK) return 1;
  if (rmdir(below("gone")) != 0 || nono_sandbox_apply(c) != NONO_ERROR_CODE_ERR_SANDBOX_INIT) return 2;
  if (strstr(nono_last_error(), "Landlock path error: failed to open \"/") == NULL) return 3;
  return strstr(nono_last_error(), "No such file or directory (os error 2)") == NULL;
}

static int enters(void) {
  Caps *c = nono_capability_set_new();
  int rules = -1, plan = -1, status = -1;
  pid_t pid;
  if (nono_capability_set_allow_file(c, below("file"), NONO_ACCESS_MODE_READ) != NONO_ERROR_CODE_OK) return 1;
  nono_capability_set_set_network_blocked(c, true);
  if (nono_sandbox_prepare(c, &rules, &plan) != NONO_ERROR_CODE_OK) return 2;
  if ((fcntl(rules, F_GETFD) & FD_CLOEXEC) == 0 || (fcntl(plan, F_GETFD) & FD_CLOEXEC) == 0) return 3;
  if (nono_sandbox_enter(plan, rules) == NONO_ERROR_CODE_OK) return 4; /* the wrong way round */
  if (opens(below("dir/inner"), O_RDONLY) != 0) return 5;
  pid = fork();
  if (pid == 0) {
    if (nono_sandbox_enter(rules, plan) != NONO_ERROR_CODE_OK) _exit(6);
    if (opens(below("file"), O_RDONLY) != 0) _exit(7);
    if (opens(below("dir/inner"), O_RDONLY) != EACCES) _exit(8);
    if (socket(AF_INET, SOCK_STREAM, 0) >= 0) _exit(9);
    _exit(0);
  }
  waitpid(pid, &status, 0);
  if (opens(below("dir/inner"), O_RDONLY) != 0) return 10; /* the parent is free */
  close(rules);
  close(plan);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 11;
}

static int tcp_socket_to(uint16_t port) {
  struct sockaddr_in at;
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int why = 0;
  memset(&at, 0, sizeof at);
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0) return errno;
  if (connect(fd, (const struct sockaddr *)&at, sizeof at) != 0) why = errno;
  close(fd);
  return why;
}

static int applies_ports(void) { /* nobody listens there: what is open is refused by the port alone */
  Caps *c = nono_capability_set_new();
  nono_capability_set_set_proxy_port(c, 9);
  if (nono_capability_set_allow_port(c, NONO_PORT_USE_CONNECT_TCP, 11) != NONO_ERROR_CODE_OK) return 1;
  if (nono_sandbox_apply(c) != NONO_ERROR_CODE_OK) return fprintf(stderr, "%s\n", nono_last_error()), 2;
  if (tcp_socket_to(9) != ECONNREFUSED || tcp_socket_to(11) != ECONNREFUSED) return 3;
  if (tcp_socket_to(13) != EACCES) return 4;
  return socket(AF_INET, SOCK_DGRAM, 0) < 0 && errno == EACCES ? 0 : 5;
}

static int applies_a_proxy_without_a_port(void) {
  Caps *c = nono_capability_set_new();
  nono_capability_set_set_network_mode(c, NONO_NETWORK_MODE_PROXY_ONLY);
  if (nono_sandbox_apply(c) != NONO_ERROR_CODE_OK) return 1;
  return socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EACCES ? 0 : 2;
}

static int applies_nothing(void) {
  Caps *c = nono_capability_set_new();
  if (nono_sandbox_apply(c) != NONO_ERROR_CODE_OK) return 1;
  return opens(below("file"), O_RDONLY) == EACCES ? 0 : 2;
}

static void sandbox(void) {
  struct NonoSupportInfo info = nono_sandbox_support_info();
  CHECK(nono_sandbox_is_supported() && info.is_supported);
  TEXT(info.platform, "linux");
  HOLDS(info.details, "Landlock available (Landlock V");
  TEXT(nono_sandbox_report_json(), NULL);
  CHECK(in_child(applies) == 0);
  CHECK(in_child(applies_a_contradiction) == 0);
  CHECK(in_child(applies_to_a_path_that_is_gone) == 0);
  CHECK(in_child(applies_nothing) == 0);
  CHECK(in_child(applies_ports) == 0);
  CHECK(in_child(applies_a_proxy_without_a_port) == 0);
  CHECK(in_child(enters) == 0);
}

static void prepare_files(void) {
  char template_[] = "/var/tmp/nono-c-XXXXXX";
  char *real;
  if (mkdtemp(template_) == NULL || (real = realpath(template_, NULL)) == NULL) perror("mkdtemp"), _exit(99);
  snprintf(root, sizeof root, "%s", real);
  free(real);
  if (mkdir(below("dir"), 0700) != 0 || mkdir(below("dir2"), 0700) != 0 || mkdir(below("dir3"), 0700) != 0 ||
      symlink("file", below("link")) != 0 || symlink("loop", below("loop")) != 0 || symlink("/etc/passwd", below("out")) != 0 ||
      symlink("/etc/none-such", below("dangling")) != 0)
    perror(root), _exit(99);
  make_file(below("file"));
  make_file(below("dir/inner"));
}

static void remove_files(void) {
  static const char *const names[] = {"dir/inner", "file", "link", "loop", "out", "dangling"};
  static const char *const directories[] = {"dir", "dir2", "dir3", "."};
  size_t i;
  for (i = 0; i < sizeof names / sizeof *names; ++i) (void)unlink(below(names[i]));
  for (i = 0; i + 1 < sizeof directories / sizeof *directories; ++i) (void)rmdir(below(directories[i]));
  CHECK(rmdir(root) == 0);
}

int main(void) {
  library();
  prepare_files();
  null_handles();
  grants();
  finer();
  network();
  platform_rules();
  questions();
  state();
  foreign_state();
  failures_are_of_their_thread();
  diagnostics();
  sandbox();
  remove_files();
  printf("%d checks, %d failed, as uid %d\n", checks, failures, (int)geteuid());
  return failures != 0;
}
