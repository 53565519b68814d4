// SPDX-License-Identifier: Apache-2.0

// Package clib holds the C header, and in a folder for each platform the archive. MANIFEST.json says what each was made of, and
// by what; `make lib-all` of the project makes them.
package clib
