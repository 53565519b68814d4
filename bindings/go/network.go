// SPDX-License-Identifier: Apache-2.0
//go:build cgo && (linux || darwin) && (amd64 || arm64)

package nono

/*
#include "nono.h"
*/
import "C"

// SetNetworkMode sets what the network is. NetworkProxyOnly opens nothing until SetProxyPort.
// Errors: ErrInvalidArg.
func (c *CapabilitySet) SetNetworkMode(mode NetworkMode) error {
	return c.change(func(set *C.struct_NonoCapabilitySet) C.enum_NonoErrorCode {
		return C.nono_capability_set_set_network_mode(set, C.uint32_t(mode))
	})
}

// SetNetworkBlocked sets NetworkBlocked, or NetworkAllowAll.
//
// Deprecated: use SetNetworkMode.
func (c *CapabilitySet) SetNetworkBlocked(blocked bool) error {
	return c.change(func(set *C.struct_NonoCapabilitySet) C.enum_NonoErrorCode {
		return C.nono_capability_set_set_network_blocked(set, C.bool(blocked))
	})
}

// NetworkMode gives what the network is; NetworkBlocked of a closed set.
func (c *CapabilitySet) NetworkMode() (mode NetworkMode) {
	mode = NetworkBlocked
	c.read(func(set *C.struct_NonoCapabilitySet) { mode = NetworkMode(C.nono_capability_set_network_mode(set)) })
	return mode
}

// IsNetworkBlocked reports whether the network is restricted: true for NetworkBlocked and NetworkProxyOnly. false of a closed
// set.
func (c *CapabilitySet) IsNetworkBlocked() (blocked bool) {
	c.read(func(set *C.struct_NonoCapabilitySet) { blocked = bool(C.nono_capability_set_is_network_blocked(set)) })
	return blocked
}

// SetProxyPort sets NetworkProxyOnly with this port. The kernel knows ports, no addresses: the port is open at every host.
// Errors: ErrInvalidArg.
func (c *CapabilitySet) SetProxyPort(port uint16) error {
	return c.change(func(set *C.struct_NonoCapabilitySet) C.enum_NonoErrorCode {
		return C.nono_capability_set_set_proxy_port(set, C.uint16_t(port))
	})
}

// ProxyPort gives the port of NetworkProxyOnly; 0 in other modes, and of a closed set.
func (c *CapabilitySet) ProxyPort() (port uint16) {
	c.read(func(set *C.struct_NonoCapabilitySet) { port = uint16(C.nono_capability_set_proxy_port(set)) })
	return port
}

// AllowPort makes an exception, for TCP, to a network that is restricted; 32 of them at most. Another mode takes them away.
// Since Landlock ABI 4 (Linux 6.7).
// Errors: ErrInvalidArg, also where the mode is NetworkAllowAll.
func (c *CapabilitySet) AllowPort(use PortUse, port uint16) error {
	return c.change(func(set *C.struct_NonoCapabilitySet) C.enum_NonoErrorCode {
		return C.nono_capability_set_allow_port(set, C.uint32_t(use), C.uint16_t(port))
	})
}
