// SPDX-License-Identifier: Apache-2.0
//go:build cgo && (linux || darwin) && (amd64 || arm64)

package nono

/*
#include "nono.h"
*/
import "C"

import "unsafe"

// CapabilitySet is what a sandbox grants. It may be used by several goroutines at once.
type CapabilitySet struct {
	owned[*C.struct_NonoCapabilitySet]
}

// FSCapability is one granted path of a set.
type FSCapability struct {
	OriginalPath string              // as it was given
	ResolvedPath string              // without links
	Access       AccessMode          // none of the three where the rights are finer: Rights has them
	IsFile       bool                // anything but a directory
	Source       CapabilitySourceTag // who asked for it
	GroupName    string              // where Source is SourceGroup
	Rights       string              // in words, joined by "|"
}

// New gives an empty set: no path, and the whole network.
func New() *CapabilitySet {
	handle := C.nono_capability_set_new()
	if handle == nil {
		panic("nono: no memory for a capability set")
	}
	return ownedSet(handle)
}

func ownedSet(handle *C.struct_NonoCapabilitySet) *CapabilitySet {
	c := new(CapabilitySet)
	c.own(handle, freeSet)
	return c
}

func freeSet(handle *C.struct_NonoCapabilitySet) { C.nono_capability_set_free(handle) }

// Close frees the set. Once more does nothing. It gives nil.
func (c *CapabilitySet) Close() error {
	if c != nil {
		c.close()
	}
	return nil
}

var errClosedSet = &Error{ErrCodeInvalidArg, "the capability set is nil or closed"}

// change calls f with the set to itself.
func (c *CapabilitySet) change(f func(*C.struct_NonoCapabilitySet) C.enum_NonoErrorCode) (err error) {
	if c == nil || !c.alone(func(set *C.struct_NonoCapabilitySet) {
		err = call(func() C.enum_NonoErrorCode { return f(set) })
	}) {
		return errClosedSet
	}
	return err
}

func (c *CapabilitySet) changeBy(what, text string,
	f func(*C.struct_NonoCapabilitySet, *C.char) C.enum_NonoErrorCode) error {
	return withText(what, text, func(given *C.char) error {
		return c.change(func(handle *C.struct_NonoCapabilitySet) C.enum_NonoErrorCode { return f(handle, given) })
	})
}

// read calls f, beside others that read; it reports whether the set is open.
func (c *CapabilitySet) read(f func(*C.struct_NonoCapabilitySet)) bool {
	return c != nil && c.shared(f)
}

// AllowPath grants the directory path and all below it. Links are followed; a relative path is below the current directory.
// Errors: ErrPathNotFound, ErrExpectedDirectory, ErrPathCanonicalization, ErrInvalidArg; the set is then as it was.
func (c *CapabilitySet) AllowPath(path string, mode AccessMode) error {
	return c.changeBy("path", path, func(set *C.struct_NonoCapabilitySet, path *C.char) C.enum_NonoErrorCode {
		return C.nono_capability_set_allow_path(set, path, C.uint32_t(mode))
	})
}

// AllowFile grants one file, of any kind but a directory.
// Errors: ErrPathNotFound, ErrExpectedFile, ErrPathCanonicalization, ErrInvalidArg.
func (c *CapabilitySet) AllowFile(path string, mode AccessMode) error {
	return c.changeBy("path", path, func(set *C.struct_NonoCapabilitySet, path *C.char) C.enum_NonoErrorCode {
		return C.nono_capability_set_allow_file(set, path, C.uint32_t(mode))
	})
}

// AllowRights grants a file, or a directory and all below it, with finer rights: words joined by "|" of read_file, list,
// execute, write_file, create, remove, refer, truncate, ioctl, connect_unix, read, write, read_write.
// Errors: ErrPathNotFound, ErrPathCanonicalization, ErrInvalidArg.
func (c *CapabilitySet) AllowRights(path, rights string) error {
	return withText("rights", rights, func(rights *C.char) error {
		return c.changeBy("path", path, func(set *C.struct_NonoCapabilitySet, path *C.char) C.enum_NonoErrorCode {
			return C.nono_capability_set_allow_rights(set, path, rights)
		})
	})
}

// DenyPath denies a path and all below it: where a grant covers it, Apply and Command fail. The path need not exist.
// Errors: ErrPathCanonicalization, ErrInvalidArg.
func (c *CapabilitySet) DenyPath(path string) error {
	return c.changeBy("path", path, func(set *C.struct_NonoCapabilitySet, path *C.char) C.enum_NonoErrorCode {
		return C.nono_capability_set_deny_path(set, path)
	})
}

// DeniedPaths gives the paths that are denied, as they were given; nil of a closed set.
func (c *CapabilitySet) DeniedPaths() (paths []string) {
	c.read(func(set *C.struct_NonoCapabilitySet) {
		for i := C.uintptr_t(0); i < C.nono_capability_set_deny_count(set); i++ {
			paths = append(paths, taken(C.nono_capability_set_deny_path_at(set, i)))
		}
	})
	return paths
}

// AllowCommand remembers the name of a command; nothing here enforces it.
func (c *CapabilitySet) AllowCommand(name string) error {
	return c.changeBy("cmd", name, func(set *C.struct_NonoCapabilitySet, name *C.char) C.enum_NonoErrorCode {
		return C.nono_capability_set_allow_command(set, name)
	})
}

// BlockCommand remembers the name of a command; nothing here enforces it.
func (c *CapabilitySet) BlockCommand(name string) error {
	return c.changeBy("cmd", name, func(set *C.struct_NonoCapabilitySet, name *C.char) C.enum_NonoErrorCode {
		return C.nono_capability_set_block_command(set, name)
	})
}

// AddPlatformRule adds a rule in macOS's sandbox language, which is checked everywhere and used there alone.
// Errors: ErrSandboxInit where it is none, or opens all files; ErrInvalidArg.
func (c *CapabilitySet) AddPlatformRule(rule string) error {
	return c.changeBy("rule", rule, func(set *C.struct_NonoCapabilitySet, rule *C.char) C.enum_NonoErrorCode {
		return C.nono_capability_set_add_platform_rule(set, rule)
	})
}

// Deduplicate leaves one entry for each path: of two with the same path the rights are joined.
func (c *CapabilitySet) Deduplicate() error {
	return c.change(func(set *C.struct_NonoCapabilitySet) C.enum_NonoErrorCode {
		C.nono_capability_set_deduplicate(set)
		return C.NONO_ERROR_CODE_OK
	})
}

// PathCovered reports whether a granted directory is the absolute path or above it: by name, whatever the rights are. A closed
// set covers nothing.
func (c *CapabilitySet) PathCovered(path string) (covered bool, err error) {
	err = withText("path", path, func(path *C.char) error {
		c.read(func(set *C.struct_NonoCapabilitySet) {
			covered = bool(C.nono_capability_set_path_covered(set, path))
		})
		return nil
	})
	return covered, err
}

// Summary says in lines, for people, what is granted; "" of a closed set.
func (c *CapabilitySet) Summary() (text string) {
	c.read(func(set *C.struct_NonoCapabilitySet) { text = taken(C.nono_capability_set_summary(set)) })
	return text
}

// FSCapabilities gives all granted paths in the order in which they were granted; nil of a closed set.
func (c *CapabilitySet) FSCapabilities() (all []FSCapability) {
	c.read(func(set *C.struct_NonoCapabilitySet) {
		var count C.uintptr_t
		list := C.nono_capability_set_fs_list(set, &count)
		defer C.nono_fs_list_free(list)
		all = make([]FSCapability, 0, int(count))
		for _, one := range unsafe.Slice(list, int(count)) {
			all = append(all, FSCapability{
				OriginalPath: C.GoString(one.original),
				ResolvedPath: C.GoString(one.resolved),
				Access:       AccessMode(one.access),
				IsFile:       bool(one.is_file),
				Source:       CapabilitySourceTag(one.source),
				GroupName:    C.GoString(one.group_name),
				Rights:       C.GoString(one.rights),
			})
		}
	})
	return all
}
