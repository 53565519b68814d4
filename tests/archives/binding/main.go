// SPDX-License-Identifier: Apache-2.0

// Command binding is what a caller of the reference's C interface looks like in Go: the header and the flags are the
// reference's, and nothing here knows this project. It calls each function, sees what it promises, and confines a child of its
// own, which tries from a thread that never called C.
package main

/*
#cgo linux LDFLAGS: -lnono_ffi -ldl -lpthread -lm
#cgo darwin LDFLAGS: -lnono_ffi -framework Security
#include "reference.h"
*/
import "C"

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

var checks, failures int

func check(holds bool, what string, values ...any) {
	checks++
	if !holds {
		failures++
		fmt.Fprintln(os.Stderr, append([]any{"not so:", what}, values...)...)
	}
}

// text gives a text of C's, which it frees, and whether there was one.
func text(from *C.char) (string, bool) {
	defer C.nono_string_free(from)
	return C.GoString(from), from != nil
}

// in gives text to C for as long as the program runs.
func in(text string) *C.char { return C.CString(text) }

func lastError() string {
	message, _ := text(C.nono_last_error())
	C.nono_clear_error()
	return message
}

func library() {
	version, there := text(C.nono_version())
	check(there && version != "", "there is a version", version)
	C.nono_string_free(nil)
	C.nono_clear_error()
	_, there = text(C.nono_last_error())
	check(!there, "no error at first")
	check(C.nono_last_diagnostic_code() == C.NONO_DIAGNOSTIC_CODE_OTHER, "no diagnostic code at first")
	_, there = text(C.nono_last_remediation_json())
	check(!there, "no remediation at first")
	info := C.nono_sandbox_support_info()
	platform, _ := text(info.platform)
	details, _ := text(info.details)
	check(platform == map[string]string{"linux": "linux", "darwin": "macos"}[runtime.GOOS], "the platform", platform)
	check(details != "", "details")
	check(info.is_supported == C.nono_sandbox_is_supported(), "supported")
}

func sets(root string) {
	set := C.nono_capability_set_new()
	defer C.nono_capability_set_free(set)
	granted, file := filepath.Join(root, "granted"), filepath.Join(root, "file")
	check(C.nono_capability_set_allow_path(set, in(granted), C.NONO_ACCESS_MODE_READ) == 0, "a directory")
	check(C.nono_capability_set_allow_path(set, in(granted), C.NONO_ACCESS_MODE_READ_WRITE) == 0, "the same once more")
	check(C.nono_capability_set_allow_file(set, in(file), C.NONO_ACCESS_MODE_WRITE) == 0, "a file")
	check(C.nono_capability_set_allow_path(set, in(root+"/none"), 0) == C.NONO_ERROR_CODE_ERR_PATH_NOT_FOUND, "a missing path")
	message := lastError()
	check(message == "Path does not exist: "+root+"/none", "its message", message)
	check(C.nono_capability_set_allow_path(set, in(file), 0) == C.NONO_ERROR_CODE_ERR_EXPECTED_DIRECTORY, "a file as a directory")
	check(C.nono_capability_set_allow_file(set, in(granted), 0) == C.NONO_ERROR_CODE_ERR_EXPECTED_FILE, "a directory as a file")
	check(C.nono_capability_set_allow_path(set, in(granted), 7) == C.NONO_ERROR_CODE_ERR_INVALID_ARG, "a mode there is not")
	check(C.nono_capability_set_allow_path(nil, in(granted), 0) == C.NONO_ERROR_CODE_ERR_INVALID_ARG, "no set")
	C.nono_clear_error()

	check(C.nono_capability_set_fs_count(set) == 3, "three entries")
	C.nono_capability_set_deduplicate(set)
	check(C.nono_capability_set_fs_count(set) == 2, "two entries")
	original, _ := text(C.nono_capability_set_fs_original(set, 0))
	resolved, _ := text(C.nono_capability_set_fs_resolved(set, 0))
	check(original == granted && resolved == granted, "its path", original, resolved)
	check(C.nono_capability_set_fs_access(set, 0) == C.NONO_ACCESS_MODE_READ_WRITE, "its access")
	check(C.nono_capability_set_fs_access(set, 9) == C.NONO_ACCESS_MODE_INVALID, "access of none")
	check(!bool(C.nono_capability_set_fs_is_file(set, 0)) && bool(C.nono_capability_set_fs_is_file(set, 1)), "what is a file")
	check(C.nono_capability_set_fs_source_tag(set, 0) == C.NONO_CAPABILITY_SOURCE_TAG_USER, "its source")
	_, there := text(C.nono_capability_set_fs_source_group_name(set, 0))
	check(!there, "no group")
	check(bool(C.nono_capability_set_path_covered(set, in(granted+"/a"))), "covered")
	check(!bool(C.nono_capability_set_path_covered(set, in(granted+"x"))), "not covered")
	summary, _ := text(C.nono_capability_set_summary(set))
	check(strings.Contains(summary, granted+" [read+write] (dir)"), "the summary", summary)

	check(C.nono_capability_set_network_mode(set) == C.NONO_NETWORK_MODE_ALLOW_ALL, "the network at first")
	check(C.nono_capability_set_set_network_mode(set, C.NONO_NETWORK_MODE_PROXY_ONLY) == 0, "a proxy")
	check(C.nono_capability_set_set_proxy_port(set, 8080) == 0 && C.nono_capability_set_proxy_port(set) == 8080, "its port")
	check(bool(C.nono_capability_set_is_network_blocked(set)), "only a proxy is blocked, too")
	check(C.nono_capability_set_set_network_mode(set, 3) == C.NONO_ERROR_CODE_ERR_INVALID_ARG, "a network there is not")
	check(C.nono_capability_set_set_network_blocked(set, true) == 0, "blocked")
	check(C.nono_capability_set_network_mode(set) == C.NONO_NETWORK_MODE_BLOCKED, "blocked it is")
	check(C.nono_capability_set_allow_command(set, in("ls")) == 0, "a command")
	check(C.nono_capability_set_block_command(set, in("rm")) == 0, "another")
	check(C.nono_capability_set_add_platform_rule(set, in("(version 1)")) == 0, "a platform rule")
	check(C.nono_capability_set_add_platform_rule(set, in("(")) == C.NONO_ERROR_CODE_ERR_SANDBOX_INIT, "half a platform rule")

	query := C.nono_query_context_new(set)
	defer C.nono_query_context_free(query)
	ask := func(path string, mode C.uint32_t) (C.enum_NonoQueryStatus, C.enum_NonoQueryReason) {
		var result C.struct_NonoQueryResult
		check(C.nono_query_context_query_path(query, in(path), mode, &result) == 0, "a question", path)
		for _, part := range []*C.char{result.granted_path, result.access, result.granted, result.requested} {
			C.nono_string_free(part)
		}
		return result.status, result.reason
	}
	status, reason := ask(granted+"/file", C.NONO_ACCESS_MODE_WRITE)
	check(status == C.NONO_QUERY_STATUS_ALLOWED && reason == C.NONO_QUERY_REASON_GRANTED_PATH, "what is granted", status, reason)
	status, reason = ask(file, C.NONO_ACCESS_MODE_READ)
	check(status == C.NONO_QUERY_STATUS_DENIED && reason == C.NONO_QUERY_REASON_INSUFFICIENT_ACCESS, "too little", status, reason)
	status, reason = ask("/etc/passwd", C.NONO_ACCESS_MODE_READ)
	check(status == C.NONO_QUERY_STATUS_DENIED && reason == C.NONO_QUERY_REASON_PATH_NOT_GRANTED, "what is not", status, reason)
	var network C.struct_NonoQueryResult
	check(C.nono_query_context_query_network(query, &network) == 0 && network.reason == C.NONO_QUERY_REASON_NETWORK_BLOCKED, "network")

	state := C.nono_sandbox_state_from_caps(set)
	defer C.nono_sandbox_state_free(state)
	json, _ := text(C.nono_sandbox_state_to_json(state))
	check(strings.Contains(json, `"net_blocked": true`), "the state", json)
	again := C.nono_sandbox_state_from_json(in(json))
	defer C.nono_sandbox_state_free(again)
	second, _ := text(C.nono_sandbox_state_to_json(again))
	check(second == json, "the state comes back", second)
	restored := C.nono_sandbox_state_to_caps(again)
	check(C.nono_capability_set_fs_count(restored) == 2, "the set comes back")
	C.nono_capability_set_free(restored)
	check(C.nono_sandbox_state_from_json(in("not valid json")) == nil, "no state")
	message = lastError()
	check(strings.HasPrefix(message, "JSON parse error: "), "its message", message)
}

func reports() {
	report, there := text(C.nono_session_diagnostic_report_to_json(1, in(`[{"path":"/a","access":"Read","reason":"PolicyBlocked"}]`), nil, nil))
	check(there && strings.Contains(report, "sandbox_denied_path"), "a report", report)
	merged, there := text(C.nono_merge_diagnostic_report_json(in(report), in(`{"a":1}`)))
	check(there && strings.Contains(merged, `"proxy"`), "a merged report", merged)
	_, there = text(C.nono_session_diagnostic_report_to_json(1, in("["), nil, nil))
	check(!there, "no report")
	C.nono_clear_error()
}

// child confines this process. Locked to its thread, main leaves the goroutines to others.
func child(root string) {
	runtime.LockOSThread()
	set := C.nono_capability_set_new()
	granted, file := filepath.Join(root, "granted/file"), filepath.Join(root, "file")
	check(C.nono_capability_set_allow_file(set, in(granted), C.NONO_ACCESS_MODE_READ) == 0, "a file")
	check(C.nono_capability_set_set_network_blocked(set, true) == 0, "blocked")
	_, before := os.ReadFile(file)
	check(before == nil, "it can be read before", before)
	check(C.nono_sandbox_apply(set) == 0, "applied")
	C.nono_capability_set_free(set)
	message := lastError()
	check(message == "", "no message", message)
	tried := make(chan error, 3)
	go func() {
		_, err := os.ReadFile(granted)
		tried <- err
		_, err = os.ReadFile(file)
		tried <- err
		_, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
		tried <- err
	}()
	err := <-tried
	check(err == nil, "the granted file", err)
	err = <-tried
	check(os.IsPermission(err), "the other file", err)
	err = <-tried
	check(err == syscall.EACCES || err == syscall.EPERM, "a socket", err)
}

func main() {
	if root, confined := os.LookupEnv("BINDING_CHILD"); confined {
		child(root)
	} else {
		root, err := os.MkdirTemp("", "binding")
		if err == nil {
			root, err = filepath.EvalSymlinks(root)
		}
		if err == nil {
			err = os.Mkdir(filepath.Join(root, "granted"), 0o700)
		}
		for _, name := range []string{"file", "granted/file"} {
			if err == nil {
				err = os.WriteFile(filepath.Join(root, name), []byte("text"), 0o600)
			}
		}
		check(err == nil, "files", err)
		library()
		sets(root)
		reports()
		again := exec.Command("/proc/self/exe")
		again.Env = append(os.Environ(), "BINDING_CHILD="+root)
		out, err := again.CombinedOutput()
		check(err == nil && strings.Contains(string(out), " 0 failed"), "a confined child", err, string(out))
		os.RemoveAll(root)
	}
	fmt.Println(checks, "checks,", failures, "failed")
	if failures > 0 {
		os.Exit(1)
	}
}
