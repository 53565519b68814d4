// SPDX-License-Identifier: Apache-2.0
//go:build cgo && (linux || darwin) && (amd64 || arm64)

package nono

/*
#include "nono.h"
*/
import "C"

// QueryContext answers questions about a set as it was when the context was made. It may be used by several goroutines at once.
type QueryContext struct {
	owned[*C.struct_NonoQueryContext]
}

// QueryResult is an answer, and what it rests on.
type QueryResult struct {
	Status          QueryStatus
	Reason          QueryReason
	GrantedPath     string // of ReasonGrantedPath: the grant, without links
	GrantedAccess   string // of ReasonGrantedPath: what that allows: read, write, read+write, or finer words
	ActualAccess    string // of ReasonInsufficientAccess: what is granted
	RequestedAccess string // of ReasonInsufficientAccess: what was asked
}

// NewQueryContext copies caps, to be asked.
// Errors: ErrInvalidArg where caps is nil or closed.
func NewQueryContext(caps *CapabilitySet) (*QueryContext, error) {
	var handle *C.struct_NonoQueryContext
	err := error(errClosedSet)
	caps.read(func(set *C.struct_NonoCapabilitySet) {
		handle, err = made(func() *C.struct_NonoQueryContext { return C.nono_query_context_new(set) })
	})
	if err != nil {
		return nil, err
	}
	q := new(QueryContext)
	q.own(handle, freeContext)
	return q, nil
}

func freeContext(handle *C.struct_NonoQueryContext) { C.nono_query_context_free(handle) }

// Close frees the context. Once more does nothing. It gives nil.
func (q *QueryContext) Close() error {
	if q != nil {
		q.close()
	}
	return nil
}

func (q *QueryContext) read(f func(*C.struct_NonoQueryContext) error) (err error) {
	if q == nil || !q.shared(func(context *C.struct_NonoQueryContext) { err = f(context) }) {
		return errClosedContext
	}
	return err
}

var errClosedContext = &Error{ErrCodeInvalidArg, "the query context is nil or closed"}

// QueryPath tells whether a sandbox of the set would let path be used so. Links are followed; of a path that is not there yet
// the directory decides; all grants count together, as in the kernel. Permission bits are not asked.
// Errors: ErrInvalidArg.
func (q *QueryContext) QueryPath(path string, mode AccessMode) (result QueryResult, err error) {
	err = withText("path", path, func(path *C.char) error {
		return q.read(func(ctx *C.struct_NonoQueryContext) error {
			return result.fill(func(out *C.struct_NonoQueryResult) C.enum_NonoErrorCode {
				return C.nono_query_context_query_path(ctx, path, C.uint32_t(mode), out)
			})
		})
	})
	return result, err
}

// QueryNetwork tells whether the whole network is open.
// Errors: ErrInvalidArg.
func (q *QueryContext) QueryNetwork() (result QueryResult, err error) {
	err = q.read(func(ctx *C.struct_NonoQueryContext) error {
		return result.fill(func(out *C.struct_NonoQueryResult) C.enum_NonoErrorCode {
			return C.nono_query_context_query_network(ctx, out)
		})
	})
	return result, err
}

// Explain gives the answer of QueryPath in one sentence: by which grant or deny, and the smallest call that would change it.
// Errors: ErrInvalidArg.
func (q *QueryContext) Explain(path string, mode AccessMode) (sentence string, err error) {
	err = withText("path", path, func(path *C.char) error {
		return q.read(func(ctx *C.struct_NonoQueryContext) error {
			text, err := made(func() *C.char { return C.nono_query_context_explain(ctx, path, C.uint32_t(mode)) })
			if err != nil {
				err.(*Error).code = ErrCodeInvalidArg // all that it fails for
			}
			sentence = taken(text)
			return err
		})
	})
	return sentence, err
}

func (r *QueryResult) fill(f func(*C.struct_NonoQueryResult) C.enum_NonoErrorCode) error {
	var out C.struct_NonoQueryResult
	if err := call(func() C.enum_NonoErrorCode { return f(&out) }); err != nil {
		return err
	}
	*r = QueryResult{
		Status:          QueryStatus(out.status),
		Reason:          QueryReason(out.reason),
		GrantedPath:     taken(out.granted_path),
		GrantedAccess:   taken(out.access),
		ActualAccess:    taken(out.granted),
		RequestedAccess: taken(out.requested),
	}
	return nil
}
