// SPDX-License-Identifier: Apache-2.0

// Package clib holds the C header, and in a folder for each platform the archive.
package clib
