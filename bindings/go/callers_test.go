// SPDX-License-Identifier: Apache-2.0

package nono_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	nono "github.com/always-further/nono-go"
)

// What programs that exist already were written against: every name, with its type.
var (
	_ func() *nono.CapabilitySet                               = nono.New
	_ func(*nono.CapabilitySet) error                          = nono.Apply
	_ func() bool                                              = nono.IsSupported
	_ func() nono.PlatformInfo                                 = nono.SupportInfo
	_ func() string                                            = nono.Version
	_ func(*nono.CapabilitySet) (*nono.QueryContext, error)    = nono.NewQueryContext
	_ func(*nono.CapabilitySet) (*nono.SandboxState, error)    = nono.StateFromCaps
	_ func(string) (*nono.SandboxState, error)                 = nono.StateFromJSON
	_ func(*nono.CapabilitySet, string, nono.AccessMode) error = (*nono.CapabilitySet).AllowPath
	_ func(*nono.CapabilitySet, string, nono.AccessMode) error = (*nono.CapabilitySet).AllowFile
	_ func(*nono.CapabilitySet, bool) error                    = (*nono.CapabilitySet).SetNetworkBlocked
	_ func(*nono.CapabilitySet, nono.NetworkMode) error        = (*nono.CapabilitySet).SetNetworkMode
	_ func(*nono.CapabilitySet) nono.NetworkMode               = (*nono.CapabilitySet).NetworkMode
	_ func(*nono.CapabilitySet, uint16) error                  = (*nono.CapabilitySet).SetProxyPort
	_ func(*nono.CapabilitySet) uint16                         = (*nono.CapabilitySet).ProxyPort
	_ func(*nono.CapabilitySet, string) error                  = (*nono.CapabilitySet).AllowCommand
	_ func(*nono.CapabilitySet, string) error                  = (*nono.CapabilitySet).BlockCommand
	_ func(*nono.CapabilitySet, string) error                  = (*nono.CapabilitySet).AddPlatformRule
	_ func(*nono.CapabilitySet) error                          = (*nono.CapabilitySet).Deduplicate
	_ func(*nono.CapabilitySet, string) (bool, error)          = (*nono.CapabilitySet).PathCovered
	_ func(*nono.CapabilitySet) bool                           = (*nono.CapabilitySet).IsNetworkBlocked
	_ func(*nono.CapabilitySet) string                         = (*nono.CapabilitySet).Summary
	_ func(*nono.CapabilitySet) []nono.FSCapability            = (*nono.CapabilitySet).FSCapabilities
	_ func(*nono.CapabilitySet) error                          = (*nono.CapabilitySet).Close
	_ func(*nono.QueryContext) error                           = (*nono.QueryContext).Close
	_ func(*nono.QueryContext) (nono.QueryResult, error)       = (*nono.QueryContext).QueryNetwork
	_ func(*nono.SandboxState) error                           = (*nono.SandboxState).Close
	_ func(*nono.SandboxState) (string, error)                 = (*nono.SandboxState).JSON
	_ func(*nono.SandboxState) (*nono.CapabilitySet, error)    = (*nono.SandboxState).Caps
	_ func(*nono.Error) nono.ErrorCode                         = (*nono.Error).Code
	_ func(*nono.Error) string                                 = (*nono.Error).Message
	_ func(*nono.Error, error) bool                            = (*nono.Error).Is

	_ func(*nono.QueryContext, string, nono.AccessMode) (nono.QueryResult, error) = (*nono.QueryContext).QueryPath

	_ = nono.FSCapability{OriginalPath: "", ResolvedPath: "", Access: nono.AccessRead, IsFile: false,
		Source: nono.SourceUser, GroupName: ""}
	_ = nono.QueryResult{Status: nono.QueryDenied, Reason: nono.ReasonPathNotGranted, GrantedPath: "", GrantedAccess: "",
		ActualAccess: "", RequestedAccess: ""}
	_ = nono.PlatformInfo{Platform: "", Details: ""}

	// The types below the numbers.
	_ = [...]uint32{uint32(nono.AccessReadWrite), uint32(nono.NetworkProxyOnly)}
	_ = [...]int{int(nono.SourceProfile), int(nono.QueryDenied), int(nono.ReasonNetworkBlocked), int(nono.ErrCodeUnknown)}

	_ = []error{nono.ErrPathNotFound, nono.ErrExpectedDirectory, nono.ErrExpectedFile, nono.ErrPathCanonicalization,
		nono.ErrNoCapabilities, nono.ErrSandboxInit, nono.ErrUnsupportedPlatform, nono.ErrBlockedCommand, nono.ErrConfigParse,
		nono.ErrProfileParse, nono.ErrIO, nono.ErrInvalidArg, nono.ErrTrustVerification, nono.ErrUnknown}
)

// A program as they are: it builds a set, asks it, stores it, and looks at its errors.
func TestExistingCallers(t *testing.T) {
	d := directory(t)
	f := file(t, d, "file")
	caps := nono.New()
	defer func() { _ = caps.Close() }()
	if err := caps.AllowPath(d, nono.AccessReadWrite); err != nil {
		t.Fatal(err)
	}
	var err error = caps.AllowPath(f, nono.AccessRead)
	wanted := map[string]error{"dir": nono.ErrExpectedDirectory}
	if !errors.Is(err, wanted["dir"]) {
		t.Error(err)
	}
	var detailed *nono.Error
	if !errors.As(err, &detailed) || detailed.Code() != nono.ErrCodeExpectedDirectory || detailed.Message() == "" {
		t.Error(detailed)
	}
	if err := caps.SetNetworkMode(nono.NetworkProxyOnly); err != nil {
		t.Error(err)
	}
	if err := caps.SetProxyPort(8080); err != nil || caps.ProxyPort() != 8080 {
		t.Error(err, caps.ProxyPort())
	}
	if err := caps.SetNetworkBlocked(true); err != nil || caps.NetworkMode() != nono.NetworkBlocked {
		t.Error(err, caps.NetworkMode())
	}
	if all := caps.FSCapabilities(); len(all) != 1 || all[0].ResolvedPath != d || all[0].Source != nono.SourceUser {
		t.Error(all)
	}
	if !strings.Contains(caps.Summary(), d) {
		t.Error(caps.Summary())
	}
	q, err := nono.NewQueryContext(caps)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = q.Close() }()
	if result, err := q.QueryPath(f, nono.AccessWrite); err != nil || result.Status != nono.QueryAllowed ||
		result.Reason != nono.ReasonGrantedPath || result.GrantedPath != d {
		t.Errorf("%+v %v", result, err)
	}
	state, err := nono.StateFromCaps(caps)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = state.Close() }()
	text, err := state.JSON()
	if err != nil || !strings.Contains(text, "net_blocked") {
		t.Error(text, err)
	}
	if err := os.Remove(f); err != nil {
		t.Error(err)
	}
	if info := nono.SupportInfo(); info.Platform == "" || info.Details == "" {
		t.Error(info)
	}
}
