// SPDX-License-Identifier: Apache-2.0
//go:build !(cgo && (linux || darwin) && (amd64 || arm64))

package nono

// The compiler prints this name where the package cannot be built.
var _ = nono_needs_cgo_and_linux_or_macos_on_amd64_or_arm64
