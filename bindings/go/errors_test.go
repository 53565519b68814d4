// SPDX-License-Identifier: Apache-2.0

package nono_test

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	nono "github.com/always-further/nono-go"
)

var sentinels = []struct {
	code nono.ErrorCode
	is   nono.Sentinel
}{
	{nono.ErrCodePathNotFound, nono.ErrPathNotFound},
	{nono.ErrCodeExpectedDirectory, nono.ErrExpectedDirectory},
	{nono.ErrCodeExpectedFile, nono.ErrExpectedFile},
	{nono.ErrCodePathCanonicalization, nono.ErrPathCanonicalization},
	{nono.ErrCodeNoCapabilities, nono.ErrNoCapabilities},
	{nono.ErrCodeSandboxInit, nono.ErrSandboxInit},
	{nono.ErrCodeUnsupportedPlatform, nono.ErrUnsupportedPlatform},
	{nono.ErrCodeBlockedCommand, nono.ErrBlockedCommand},
	{nono.ErrCodeConfigParse, nono.ErrConfigParse},
	{nono.ErrCodeProfileParse, nono.ErrProfileParse},
	{nono.ErrCodeIO, nono.ErrIO},
	{nono.ErrCodeInvalidArg, nono.ErrInvalidArg},
	{nono.ErrCodeTrustVerification, nono.ErrTrustVerification},
	{nono.ErrCodeUnknown, nono.ErrUnknown},
}

func TestSentinelsAreValuesAndCalls(t *testing.T) {
	if len(sentinels) != 14 {
		t.Fatalf("%d sentinels", len(sentinels))
	}
	words := map[string]bool{}
	for i, one := range sentinels {
		for j, other := range sentinels {
			for _, err := range []error{one.is, one.is(), fmt.Errorf("wrapped: %w", one.is), fmt.Errorf("%w", one.is())} {
				if errors.Is(err, other.is) != (i == j) || errors.Is(err, other.is()) != (i == j) {
					t.Errorf("errors.Is(%v, %v)", err, other.is)
				}
			}
		}
		for _, err := range []error{one.is, one.is(), fmt.Errorf("wrapped: %w", one.is)} {
			var as *nono.Error
			if !errors.As(err, &as) || as.Code() != one.code || as.Message() == "" || as.Error() != as.Message() {
				t.Errorf("errors.As(%v) gives %v", err, as)
			}
			var other *fs.PathError
			if errors.As(err, &other) {
				t.Errorf("%v is a PathError", err)
			}
		}
		words[one.is.Error()] = true
	}
	if len(words) != len(sentinels) || words[""] {
		t.Errorf("words: %v", words)
	}
}

func TestErrorsAreNothingElse(t *testing.T) {
	var none nono.Sentinel
	var null *nono.Error
	err, value := nono.ErrIO(), nono.ErrIO
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, none) || errors.Is(err, null) || errors.Is(value, none) ||
		errors.Is(value, null) {
		t.Error("an error is what it is not")
	}
	if text := new(nono.Error).Error(); text != "nono error(0)" {
		t.Errorf("an error without words says %q", text)
	}
}

func TestErrorsSayWhat(t *testing.T) {
	caps := setOf(t)
	missing := directory(t) + "/missing"
	err := caps.AllowPath(missing, nono.AccessRead)
	var as *nono.Error
	if !errors.As(err, &as) || as.Code() != nono.ErrCodePathNotFound || as.Message() != "Path does not exist: "+missing {
		t.Errorf("%v", err)
	}
	if !errors.Is(err, nono.ErrPathNotFound) || !errors.Is(err, nono.ErrPathNotFound()) {
		t.Errorf("%v is not its sentinel", err)
	}
	// A message is that of its own call.
	if err := caps.AllowPath("/", nono.AccessMode(7)); err == nil || err.Error() != "invalid access mode: 7" {
		t.Errorf("%v", err)
	}
}
