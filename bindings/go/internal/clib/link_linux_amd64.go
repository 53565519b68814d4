// SPDX-License-Identifier: Apache-2.0

package clib

import _ "github.com/always-further/nono-go/internal/clib/linux_amd64"
