// SPDX-License-Identifier: Apache-2.0
// Code generated from bindings/c/table.hpp by `make bindings`. DO NOT EDIT.

package nono

// AccessMode: What a grant of a path allows.
type AccessMode uint32

// What there is of AccessMode.
const (
	// AccessRead: read files, list directories, execute.
	AccessRead AccessMode = 0
	// AccessWrite: write and truncate, make and remove entries.
	AccessWrite AccessMode = 1
	// AccessReadWrite: both.
	AccessReadWrite AccessMode = 2
)

// String gives the word for it.
func (v AccessMode) String() string {
	switch v {
	case AccessRead:
		return "read"
	case AccessWrite:
		return "write"
	case AccessReadWrite:
		return "read-write"
	}
	return numbered("AccessMode", int64(v))
}

// NetworkMode: What the network is.
type NetworkMode uint32

// What there is of NetworkMode.
const (
	// NetworkBlocked: no socket but unix ones.
	NetworkBlocked NetworkMode = 0
	// NetworkAllowAll: nothing is restricted.
	NetworkAllowAll NetworkMode = 1
	// NetworkProxyOnly: TCP connections to one port.
	NetworkProxyOnly NetworkMode = 2
)

// String gives the word for it.
func (v NetworkMode) String() string {
	switch v {
	case NetworkBlocked:
		return "blocked"
	case NetworkAllowAll:
		return "allow-all"
	case NetworkProxyOnly:
		return "proxy-only"
	}
	return numbered("NetworkMode", int64(v))
}

// PortUse: What an exception for a port allows.
type PortUse uint32

// What there is of PortUse.
const (
	// PortConnectTCP: connect to the port, at any address.
	PortConnectTCP PortUse = 0
	// PortBindTCP: bind the port; 0: any that the kernel picks.
	PortBindTCP PortUse = 1
)

// String gives the word for it.
func (v PortUse) String() string {
	switch v {
	case PortConnectTCP:
		return "connect-tcp"
	case PortBindTCP:
		return "bind-tcp"
	}
	return numbered("PortUse", int64(v))
}

// ErrorCode: What came of a call. nono_last_error() says it in words.
type ErrorCode int

// What there is of ErrorCode.
const (
	// ErrCodePathNotFound: there is no such path.
	ErrCodePathNotFound ErrorCode = -1
	// ErrCodeExpectedDirectory: the path is no directory.
	ErrCodeExpectedDirectory ErrorCode = -2
	// ErrCodeExpectedFile: the path is a directory.
	ErrCodeExpectedFile ErrorCode = -3
	// ErrCodePathCanonicalization: the path could not be resolved: no permission, a loop, a part that is no directory.
	ErrCodePathCanonicalization ErrorCode = -4
	// ErrCodeNoCapabilities: never returned: an empty set is legal.
	ErrCodeNoCapabilities ErrorCode = -5
	// ErrCodeSandboxInit: the kernel has no Landlock, or refused; a rule is wrong; the policy contradicts what is open.
	ErrCodeSandboxInit ErrorCode = -6
	// ErrCodeUnsupportedPlatform: this system cannot do that.
	ErrCodeUnsupportedPlatform ErrorCode = -7
	// ErrCodeBlockedCommand: never returned by this library.
	ErrCodeBlockedCommand ErrorCode = -8
	// ErrCodeConfigParse: never returned: it is in texts alone.
	ErrCodeConfigParse ErrorCode = -9
	// ErrCodeProfileParse: never returned by this library.
	ErrCodeProfileParse ErrorCode = -10
	// ErrCodeIO: a system call failed that has nothing to do with the policy.
	ErrCodeIO ErrorCode = -11
	// ErrCodeInvalidArg: NULL, text that is no UTF-8, a number out of range.
	ErrCodeInvalidArg ErrorCode = -12
	// ErrCodeTrustVerification: never returned by this library.
	ErrCodeTrustVerification ErrorCode = -13
	// ErrCodeUnknown: never returned in C: Go's code for a call that gave NULL.
	ErrCodeUnknown ErrorCode = -99
)

// The errors of this package by their code, for errors.Is: each is a value, and called gives the same error.
var (
	// ErrPathNotFound: there is no such path.
	ErrPathNotFound = sentinel(ErrCodePathNotFound, "path does not exist")
	// ErrExpectedDirectory: the path is no directory.
	ErrExpectedDirectory = sentinel(ErrCodeExpectedDirectory, "expected a directory")
	// ErrExpectedFile: the path is a directory.
	ErrExpectedFile = sentinel(ErrCodeExpectedFile, "expected a file")
	// ErrPathCanonicalization: the path could not be resolved: no permission, a loop, a part that is no directory.
	ErrPathCanonicalization = sentinel(ErrCodePathCanonicalization, "path cannot be resolved")
	// ErrNoCapabilities: never returned: an empty set is legal.
	ErrNoCapabilities = sentinel(ErrCodeNoCapabilities, "no capabilities")
	// ErrSandboxInit: the kernel has no Landlock, or refused; a rule is wrong; the policy contradicts what is open.
	ErrSandboxInit = sentinel(ErrCodeSandboxInit, "sandbox initialization failed")
	// ErrUnsupportedPlatform: this system cannot do that.
	ErrUnsupportedPlatform = sentinel(ErrCodeUnsupportedPlatform, "unsupported platform")
	// ErrBlockedCommand: never returned by this library.
	ErrBlockedCommand = sentinel(ErrCodeBlockedCommand, "blocked command")
	// ErrConfigParse: never returned: it is in texts alone.
	ErrConfigParse = sentinel(ErrCodeConfigParse, "configuration parse error")
	// ErrProfileParse: never returned by this library.
	ErrProfileParse = sentinel(ErrCodeProfileParse, "profile parse error")
	// ErrIO: a system call failed that has nothing to do with the policy.
	ErrIO = sentinel(ErrCodeIO, "I/O error")
	// ErrInvalidArg: NULL, text that is no UTF-8, a number out of range.
	ErrInvalidArg = sentinel(ErrCodeInvalidArg, "invalid argument")
	// ErrTrustVerification: never returned by this library.
	ErrTrustVerification = sentinel(ErrCodeTrustVerification, "trust verification failed")
	// ErrUnknown: never returned in C: Go's code for a call that gave NULL.
	ErrUnknown = sentinel(ErrCodeUnknown, "unknown error")
)

// CapabilitySourceTag: Who asked for a grant.
type CapabilitySourceTag int

// What there is of CapabilitySourceTag.
const (
	// SourceUser: added by a call of this interface.
	SourceUser CapabilitySourceTag = 0
	// SourceGroup: of a built-in group.
	SourceGroup CapabilitySourceTag = 1
	// SourceSystem: added by a runner.
	SourceSystem CapabilitySourceTag = 2
	// SourceProfile: of a profile file.
	SourceProfile CapabilitySourceTag = 3
)

// String gives the word for it.
func (v CapabilitySourceTag) String() string {
	switch v {
	case SourceUser:
		return "user"
	case SourceGroup:
		return "group"
	case SourceSystem:
		return "system"
	case SourceProfile:
		return "profile"
	}
	return numbered("CapabilitySourceTag", int64(v))
}

// QueryStatus: The answer to a question.
type QueryStatus int

// What there is of QueryStatus.
const (
	// QueryAllowed: a sandbox of the set would let it happen.
	QueryAllowed QueryStatus = 0
	// QueryDenied: it would be refused.
	QueryDenied QueryStatus = 1
)

// String gives the word for it.
func (v QueryStatus) String() string {
	switch v {
	case QueryAllowed:
		return "allowed"
	case QueryDenied:
		return "denied"
	}
	return numbered("QueryStatus", int64(v))
}

// QueryReason: Its reason.
type QueryReason int

// What there is of QueryReason.
const (
	// ReasonGrantedPath: granted_path and access are set.
	ReasonGrantedPath QueryReason = 0
	// ReasonNetworkAllowed: nothing is restricted.
	ReasonNetworkAllowed QueryReason = 1
	// ReasonPathNotGranted: no grant holds the path, or a deny does.
	ReasonPathNotGranted QueryReason = 2
	// ReasonInsufficientAccess: granted and requested are set.
	ReasonInsufficientAccess QueryReason = 3
	// ReasonNetworkBlocked: also where only a proxy's port is open.
	ReasonNetworkBlocked QueryReason = 4
)

// String gives the word for it.
func (v QueryReason) String() string {
	switch v {
	case ReasonGrantedPath:
		return "granted-path"
	case ReasonNetworkAllowed:
		return "network-allowed"
	case ReasonPathNotGranted:
		return "path-not-granted"
	case ReasonInsufficientAccess:
		return "insufficient-access"
	case ReasonNetworkBlocked:
		return "network-blocked"
	}
	return numbered("QueryReason", int64(v))
}
