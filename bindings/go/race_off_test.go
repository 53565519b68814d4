// SPDX-License-Identifier: Apache-2.0
//go:build !race

package nono_test

const raceEnabled = false
