// SPDX-License-Identifier: Apache-2.0
// The door: everything that a program needs to write a policy and live under it, in reading order.
#pragma once

// clang-format off: the order in which to read them
#include <nono/right.hpp>
#include <nono/path.hpp>
#include <nono/error.hpp>
#include <nono/network.hpp>
#include <nono/host.hpp>
#include <nono/protection.hpp>
#include <nono/refusal.hpp>
#include <nono/policy.hpp>
#include <nono/algebra.hpp>
#include <nono/caps.hpp>
#include <nono/combine.hpp>
#include <nono/capability_set.hpp>
#include <nono/groups.hpp>
#include <nono/bind.hpp>
#include <nono/report.hpp>
#include <nono/question.hpp>
#include <nono/place.hpp>
#include <nono/query.hpp>
#include <nono/explain.hpp>
#include <nono/attenuation.hpp>
#include <nono/macos/sbpl.hpp>
#include <nono/macos/model.hpp>
#include <nono/apply.hpp>
#include <nono/child.hpp>
#include <nono/spawn.hpp>
#include <nono/prepare.hpp>
#include <nono/supervisor.hpp>
#include <nono/support.hpp>
#include <nono/model.hpp>
#include <nono/tree.hpp>
